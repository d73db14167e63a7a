"""Directional demosaicing with a decision afterwards: what the reference of arXiv 2505.10420 is made with.

Menon, Andriani, Calvagno, "Demosaicing with directional filtering and a posteriori decision", IEEE Transactions on
Image Processing 16(1), 2007, with its refining step. Borders are mirrored.
"""

import torch
from torch import Tensor
from torch.nn import functional

_GREEN = (-0.25, 0.5, 0.5, 0.5, -0.25)
_BESIDE = (0.5, 0.0, 0.5)
_MEAN = (1 / 3, 1 / 3, 1 / 3)
_DECISION = ((1, 0, 1, 0, 0), (0, 1, 0, 0, 0), (3, 0, 3, 0, 0), (0, 1, 0, 0, 0), (1, 0, 1, 0, 0))
ACROSS, DOWN = 3, 2


def demosaic_menon(packed: Tensor) -> Tensor:
    """Packed RGGB `(B, 4, h, w)` -> linear RGB `(B, 3, 2h, 2w)`, in the phase of the mosaic; h and w at least 2."""
    mosaic = functional.pixel_shuffle(packed, 2)
    red, blue, red_rows = _sites(mosaic)
    green_sites = ~(red | blue)
    by_direction = {side: torch.where(green_sites, mosaic, _line(mosaic, _GREEN, side)) for side in (ACROSS, DOWN)}
    across = _is_smoother_across({side: mosaic - green for side, green in by_direction.items()})
    green = torch.where(across, by_direction[ACROSS], by_direction[DOWN])

    chroma = {at: torch.where(sites, mosaic - green, 0.0) for at, sites in (("red", red), ("blue", blue))}
    chroma = _spread_chroma(chroma, red, blue, red_rows, across)
    # Refining: green where red or blue was sampled, then both others again, along the chosen direction.
    smooth = {at: _along(values, _MEAN, across) for at, values in chroma.items()}
    green = torch.where(red, mosaic - smooth["red"], torch.where(blue, mosaic - smooth["blue"], green))
    chroma = {at: torch.where(sites, mosaic - green, 0.0) for at, sites in (("red", red), ("blue", blue))}
    chroma = _spread_chroma(chroma, red, blue, red_rows, across)
    return torch.cat((green + chroma["red"], green, green + chroma["blue"]), 1)


def _sites(mosaic: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Where red and blue are sampled, and which rows hold red; each broadcasts to `(B, 1, H, W)`."""
    rows = torch.arange(mosaic.shape[2], device=mosaic.device)[:, None] % 2 == 0
    columns = torch.arange(mosaic.shape[3], device=mosaic.device)[None] % 2 == 0
    return rows & columns, ~rows & ~columns, rows.expand(-1, len(columns[0]))


def _is_smoother_across(chroma: dict[int, Tensor]) -> Tensor:
    """Where the color difference changes less across than down, judged in a 5x5 window."""
    kernel = torch.tensor(_DECISION).to(chroma[ACROSS])
    change_across = (chroma[ACROSS] - torch.roll(chroma[ACROSS], -2, ACROSS)).abs()
    change_down = (chroma[DOWN] - torch.roll(chroma[DOWN], -2, DOWN)).abs()
    return _filter(change_down, kernel.T) >= _filter(change_across, kernel)


def _spread_chroma(
    chroma: dict[str, Tensor], red: Tensor, blue: Tensor, red_rows: Tensor, across: Tensor
) -> dict[str, Tensor]:
    """Color differences, known at their own sites, at all: first at green sites, then at those of the other color."""
    green = ~(red | blue)
    spread = {}
    for name, own, other, own_rows in (("red", red, blue, red_rows), ("blue", blue, red, ~red_rows)):
        known = chroma[name]
        beside = torch.where(own_rows, _line(known, _BESIDE, ACROSS), _line(known, _BESIDE, DOWN))
        known = torch.where(own, known, torch.where(green, beside, 0.0))
        spread[name] = torch.where(other, _along(known, _BESIDE, across), known)
    return spread


def _along(values: Tensor, taps: tuple[float, ...], across: Tensor) -> Tensor:
    """A line filter across where that is the smoother direction, else down."""
    return torch.where(across, _line(values, taps, ACROSS), _line(values, taps, DOWN))


def _line(values: Tensor, taps: tuple[float, ...], side: int) -> Tensor:
    kernel = torch.tensor(taps).to(values)
    return _filter(values, kernel[None] if side == ACROSS else kernel[:, None])


def _filter(values: Tensor, kernel: Tensor) -> Tensor:
    high, wide = kernel.shape[0] // 2, kernel.shape[1] // 2
    return functional.conv2d(functional.pad(values, (wide, wide, high, high), mode="reflect"), kernel[None, None])
