"""Cutting a picture into tiles whose results join without a seam."""

from dataclasses import dataclass
from itertools import product

from nas_isp.errors import InputError


@dataclass(frozen=True)
class Span:
    """One tile along one side, in packed pixels: what is read, and the part of it that is kept."""

    start: int
    length: int
    kept_start: int
    kept_stop: int

    @property
    def read(self) -> slice:
        """Pixels given to the network."""
        return slice(self.start, self.start + self.length)

    @property
    def kept(self) -> slice:
        """Pixels of the picture that this tile decides."""
        return slice(self.kept_start, self.kept_stop)

    @property
    def kept_inside(self) -> slice:
        """The kept pixels, counted from the tile's own start."""
        return slice(self.kept_start - self.start, self.kept_stop - self.start)


Tile = tuple[Span, Span]


def plan_tiles(height: int, width: int, tile_height: int, tile_width: int, halo: int, step: int = 1) -> list[Tile]:
    """Tiles (rows, columns) whose kept parts cover a picture exactly once.

    Every tile has the asked size, or the picture's where that is smaller. A tile at the picture's border ends with
    the picture, so the network pads there as it does for the whole picture; elsewhere `halo` pixels on each side
    are read but not kept. That makes the result equal to that of the whole picture.

    Args:
        height: rows of the packed picture, a multiple of `step`.
        width: its columns, a multiple of `step`.
        tile_height: rows of a tile; rounded up to a multiple of `step`.
        tile_width: columns of a tile; likewise.
        halo: radius of the receptive field, packed pixels.
        step: tiles start at multiples of it.

    Raises:
        InputError: a tile too small to keep anything after its halo is cut.
    """
    rows = _spans(height, tile_height, halo, step)
    columns = _spans(width, tile_width, halo, step)
    return list(product(rows, columns))


def _spans(size: int, tile: int, halo: int, step: int) -> list[Span]:
    tile = -(-tile // step) * step
    if tile >= size:
        return [Span(0, size, 0, size)]
    if tile - 2 * halo - step < 0:
        smallest = -(-(2 * halo + step) // step) * step
        raise InputError(
            f"tiles of {2 * tile} pixels: this model needs at least {2 * smallest} (its halo is {2 * halo} pixels "
            "a side); give a larger tile",
            "tile",
        )
    spans, kept, start = [], 0, 0
    while start + tile < size:
        stop = start + tile - halo
        spans.append(Span(start, tile, kept, stop))
        kept, start = stop, min((stop - halo) // step * step, size - tile)
    spans.append(Span(size - tile, tile, kept, size))
    return spans
