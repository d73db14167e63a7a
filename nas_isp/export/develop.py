"""Developing a full-size RAW picture, tile by tile."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from nas_isp.errors import InputError
from nas_isp.export.runners import Floats, Runner
from nas_isp.export.tiles import plan_tiles
from nas_isp.raw.image import RawImage
from nas_isp.raw.orientation import upright
from nas_isp.raw.packing import align_to_rggb, pack

DEFAULT_TILE = 1024
"""Side of a tile in RGB pixels where neither the caller nor the model says."""


def develop(
    runner: Runner,
    raw: RawImage,
    tile: int | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> NDArray[np.uint8]:
    """The 8-bit sRGB picture `(H, W, 3)` of a RAW picture, upright.

    Every tile size gives the same picture to one level. A phase other than RGGB costs one row and/or column on
    both sides. The picture is extended by its mirror image as far as the model sees, and cut again: the zeros that
    convolutions assume outside would tint its borders. Only a model that asks for those zeros gets them. A network
    that cannot be cut (RMFA: its attention looks at the whole picture) runs in one piece, whatever `tile` says.

    Args:
        runner: the model.
        raw: the picture.
        tile: side of a tile in RGB pixels; None takes the size the model was written for, or 1024.
        progress: told how many tiles of how many are done.

    Raises:
        InputError: a tile too small for the model, a model for one size only, or one that gives numbers that are
            not finite.
    """
    packed = pack(align_to_rggb(raw))
    extended, before = _extended(packed, runner)
    rgb = develop_packed(runner, extended, tile, progress)
    rows, columns = (slice(2 * before, 2 * (before + side)) for side in packed.shape[1:])
    return upright(rgb[rows, columns], raw.flip)


def develop_packed(
    runner: Runner,
    packed: Floats,
    tile: int | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> NDArray[np.uint8]:
    """The 8-bit RGB picture `(2h, 2w, 3)` of packed planes `(4, h, w)` whose sides the model takes."""
    _, height, width = packed.shape
    rows, columns = _tile_size(runner, height, width, tile)
    tiles = plan_tiles(height, width, rows, columns, runner.halo, runner.step)
    pooled = whole_picture_means(runner, packed, rows, columns) if runner.has_global_head else None
    picture = np.empty((2 * height, 2 * width, 3), np.uint8)
    for done, (row, column) in enumerate(tiles):
        rgb = runner.run(np.ascontiguousarray(packed[:, row.read, column.read]), pooled)
        kept = rgb[:, _doubled(row.kept_inside), _doubled(column.kept_inside)]
        picture[_doubled(row.kept), _doubled(column.kept)] = to_8_bit(kept, runner.name).transpose(1, 2, 0)
        if progress is not None:
            progress(done + 1, len(tiles))
    return picture


def whole_picture_means(runner: Runner, packed: Floats, tile_height: int, tile_width: int) -> Floats:
    """Means of a colour head's features `(8,)` over a picture `(4, h, w)`, computed in tiles."""
    _, height, width = packed.shape
    tiles = plan_tiles(height, width, tile_height, tile_width, 0, runner.step)
    total: NDArray[np.float64] = np.zeros(1)
    for row, column in tiles:
        piece = np.ascontiguousarray(packed[:, row.kept, column.kept])
        total = total + runner.pooled(piece).astype(np.float64) * piece[0].size
    means: Floats = (total / (height * width)).astype(np.float32)
    return means


def to_8_bit(rgb: Floats, name: str) -> NDArray[np.uint8]:
    """Levels 0..255 of values 0..1, rounded; what lies outside is clipped.

    Raises:
        InputError: a value that is not finite.
    """
    if not np.isfinite(rgb).all():
        raise InputError(f"{name}: gives numbers that are not finite for this picture; use another model")
    levels = np.rint(np.clip(rgb, 0, 1) * np.float32(255))
    return levels.astype(np.uint8)


def _tile_size(runner: Runner, height: int, width: int, tile: int | None) -> tuple[int, int]:
    if runner.whole_picture:
        if runner.tile not in (None, (height, width)):
            raise InputError(
                f"{runner.name}: written for {runner.tile} packed pixels and unable to join tiles; this picture has "
                f"{(height, width)}: export with --input-size {height}x{width}, or develop with the bundle"
            )
        return height, width
    if tile:
        return -(-tile // 2), -(-tile // 2)
    return runner.tile or (DEFAULT_TILE // 2, DEFAULT_TILE // 2)


def _extended(packed: Floats, runner: Runner) -> tuple[Floats, int]:
    """The planes with a mirrored margin, sides that the model takes, and how wide the margin is before."""
    margin = 0 if runner.whole_picture or runner.border == "zeros" else -(-runner.halo // runner.step) * runner.step
    widths = [(0, 0), *((margin, margin + -side % runner.step) for side in packed.shape[1:])]
    return np.pad(packed, widths, mode="symmetric"), margin


def _doubled(part: slice) -> slice:
    return slice(2 * part.start, 2 * part.stop)
