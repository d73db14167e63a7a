"""Developing a full-size RAW picture, tile by tile."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from nas_isp.develop.sensor_match import NEUTRAL, match_sensor
from nas_isp.develop.tiles import Span, Tile, plan_tiles
from nas_isp.errors import InputError
from nas_isp.progress import Note, ReportsProgress, unheard, unseen
from nas_isp.raw.adaptation import exchanged
from nas_isp.raw.highlights import blown_share, whitened
from nas_isp.raw.image import RawImage
from nas_isp.raw.light import LightChoice
from nas_isp.raw.network_input import factors_in_light
from nas_isp.raw.orientation import as_meant
from nas_isp.raw.packing import align_to_rggb, pack
from nas_isp.raw.saturation import packed_saturation
from nas_isp.runtimes.base import Floats, Runner, Sums

DEFAULT_TILE = 1024
"""Side of a tile in RGB pixels where the caller does not say: what lies between two layers then fits a cache."""

LEAST_TILE_HALOS = 8
"""A tile of so many halos a side spends less than half of its work on its margins."""

Level = TypeVar("Level", bound=np.unsignedinteger[Any])
Result = TypeVar("Result")


def develop(
    runner: Runner,
    raw: RawImage,
    tile: int | None = None,
    progress: ReportsProgress = unseen,
    *,
    adapt: bool = True,
    light: LightChoice | None = None,
    note: Note = unheard,
) -> NDArray[np.uint8]:
    """The 8-bit sRGB picture of a RAW picture; see `develop_as`."""
    return develop_as(np.uint8, runner, raw, tile, progress, adapt=adapt, light=light, note=note)


def develop_as(
    level: type[Level],
    runner: Runner,
    raw: RawImage,
    tile: int | None = None,
    progress: ReportsProgress = unseen,
    *,
    adapt: bool = True,
    light: LightChoice | None = None,
    note: Note = unheard,
) -> NDArray[Level]:
    """The sRGB picture `(H, W, 3)` of a RAW picture, cropped and turned as the camera means it.

    Every tile size gives the same picture to one level. A phase other than RGGB costs one row and/or column on
    both sides. The picture is extended by its mirror image as far as the model sees, and cut again: the zeros that
    convolutions assume outside would tint its borders. Only a model that asks for those zeros gets them. A network
    that cannot be cut (RMFA: its attention looks at the whole picture) runs in one piece, whatever `tile` says.

    Where the sensor has lost the color to saturation the picture is white, whatever the network makes of it.

    Args:
        level: uint8 for values 0..255, uint16 for 0..65535.
        runner: the model.
        raw: the picture.
        tile: side of a tile in RGB pixels; None takes 1024, or more for a model that sees far.
        progress: told how many tiles of how many are done.
        adapt: bring a picture of another sensor to the model's.
        light: which light is neutral in the picture, see `raw.light`; None as in training.
        note: told in one line what is done to the colors of the picture.

    Raises:
        InputError: a tile too small for the model, a model for one size only, one that gives numbers that are not
            finite, or a light that cannot be had.
    """
    aligned = align_to_rggb(raw)
    packed = pack(aligned)
    saturation = packed_saturation(aligned)
    render = runner.run if adapt and not runner.whole_picture else None
    match = match_sensor(raw, packed, runner.sensor, runner.network_input, render, light, saturation)
    share, gains = blown_share(packed, saturation, match.white_balance), match.white_balance
    if adapt and match.note:
        note(match.note)
    if adapt and match.exchange is not None:
        packed, gains = exchanged(packed, match.exchange, saturation), NEUTRAL
    factors = factors_in_light(packed, runner.network_input, gains)
    means = whole_picture_means(runner, packed, factors) if runner.has_global_head else None
    extended, before = _extended(packed, runner)
    blown = _extended(share[None], runner)[0][0] if share.any() else None
    rgb = _develop_tiles(level, runner, extended, means, tile, progress, blown, factors)
    rows, columns = (slice(2 * before, 2 * (before + side)) for side in packed.shape[1:])
    return as_meant(rgb[rows, columns], aligned)


def develop_packed(
    runner: Runner,
    packed: Floats,
    tile: int | None = None,
    progress: ReportsProgress = unseen,
    factors: Floats | None = None,
) -> NDArray[np.uint8]:
    """The 8-bit RGB picture `(2h, 2w, 3)` of packed planes `(4, h, w)` whose sides the model takes.

    The factors are those that `Runner.run` takes.
    """
    means = whole_picture_means(runner, packed, factors) if runner.has_global_head else None
    return _develop_tiles(np.uint8, runner, packed, means, tile, progress, None, factors)


def whole_picture_means(runner: Runner, packed: Floats, factors: Floats | None = None) -> Floats:
    """Means of the features of a runner's color head `(8,)` over a picture `(4, h, w)`.

    The factors are those that `Runner.run` takes. The features are summed in tiles of the default size, whatever the
    picture is developed in.
    """
    _, height, width = packed.shape
    tiles = plan_tiles(height, width, *_tile_size(runner, height, width, None), halo=0)

    def sums_of(row: Span, column: Span) -> Sums:
        return runner.feature_sums(np.ascontiguousarray(packed[:, row.kept, column.kept]), factors)

    total = np.sum(list(_at_once(sums_of, tiles, runner.workers)), axis=0)
    means: Floats = (total / (height * width)).astype(np.float32)
    return means


def _develop_tiles(
    level: type[Level],
    runner: Runner,
    packed: Floats,
    means: Floats | None,
    tile: int | None,
    progress: ReportsProgress,
    blown: Floats | None,
    factors: Floats | None,
) -> NDArray[Level]:
    """The picture of packed planes.

    Args:
        level: type of its values.
        runner: the model.
        packed: `(4, h, w)` whose sides the model takes.
        means: of the color head's features; None without a head.
        tile: side of a tile in RGB pixels.
        progress: told how many tiles of how many are done.
        blown: how far each cell is white for want of color `(h, w)`; None where none is.
        factors: what the model's planes are multiplied by; see `Runner.run`.
    """
    _, height, width = packed.shape
    tiles = plan_tiles(height, width, *_tile_size(runner, height, width, tile), runner.halo, runner.step)
    picture = np.empty((2 * height, 2 * width, 3), level)

    def develop_tile(row: Span, column: Span) -> None:
        rgb = runner.run(np.ascontiguousarray(packed[:, row.read, column.read]), means, factors)
        kept = rgb[:, _doubled(row.kept_inside), _doubled(column.kept_inside)]
        if blown is not None and blown[row.kept, column.kept].any():
            share = blown[row.kept, column.kept].repeat(2, 0).repeat(2, 1)
            kept = whitened(np.clip(kept, 0, 1), share)
        picture[_doubled(row.kept), _doubled(column.kept)] = to_levels(level, kept, runner.name).transpose(1, 2, 0)

    for done, _ in enumerate(_at_once(develop_tile, tiles, runner.workers)):
        progress(done + 1, len(tiles))
    return picture


def to_levels(level: type[Level], rgb: Floats, name: str) -> NDArray[Level]:
    """Levels 0..255 (uint8) or 0..65535 (uint16) of values 0..1, rounded; what lies outside is clipped.

    Raises:
        InputError: a value that is not finite.
    """
    if not np.isfinite((rgb.min(), rgb.max())).all():
        raise InputError(f"{name}: gives numbers that are not finite for this picture; use another model")
    white = np.float32(np.iinfo(level).max)
    levels = rgb * white
    np.clip(levels, 0, white, out=levels)
    return np.rint(levels, out=levels).astype(level)


def _tile_size(runner: Runner, height: int, width: int, tile: int | None) -> tuple[int, int]:
    if runner.whole_picture:
        if runner.tile not in (None, (height, width)):
            raise InputError(
                f"{runner.name}: written for {runner.tile} packed pixels and unable to join tiles; this picture has "
                f"{(height, width)}: export it for an input of {height}x{width}, or develop with the bundle"
            )
        return height, width
    if tile:
        return -(-tile // 2), -(-tile // 2)
    side = max(DEFAULT_TILE // 2, LEAST_TILE_HALOS * runner.halo)
    return side, side


def _at_once(work: Callable[[Span, Span], Result], tiles: Sequence[Tile], workers: int) -> Iterator[Result]:
    """What `work` gives for each tile, in the tiles' order, on some threads; the first error ends it all."""
    with ThreadPoolExecutor(workers) as pool:
        try:
            yield from pool.map(lambda tile: work(*tile), tiles)
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise


def _extended(packed: Floats, runner: Runner) -> tuple[Floats, int]:
    """The planes with a mirrored margin, sides that the model takes, and how wide the margin is before."""
    margin = 0 if runner.whole_picture or runner.border == "zeros" else -(-runner.halo // runner.step) * runner.step
    widths = [(0, 0), *((margin, margin + -side % runner.step) for side in packed.shape[1:])]
    return np.pad(packed, widths, mode="symmetric"), margin


def _doubled(part: slice) -> slice:
    return slice(2 * part.start, 2 * part.stop)
