"""Numbers for what spoils a picture besides its colors: lattices, color blotches, shifts, dead or clipped channels.

Each compares an 8-bit picture with a rendering of the same RAW, pixel on pixel; no true photo is needed, and a change
of colors or tones that is the same everywhere costs nothing.
"""

import itertools
from functools import cache

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from nas_isp.evaluation.color import srgb_to_lab
from nas_isp.evaluation.metrics import Image8

LATTICE_TILE = 32
SEEN_BY = 0.5
"""A lattice counts where half of the quieter tiles show it."""

ROUNDING = 2e-4
"""Energy at one frequency that rounding to 8 bits alone gives: 1/12, times the window's sum of squares."""

SHARPENING = 2.0
"""How much more contrast than in the reference, a soft rendering, fine structure of the scene may have."""

BLOTCH_BLOCK = 8
COLOR_BLOCK = 16
BLOCKS_PER_TERM = 5

SHIFT_TILE = 128
LARGEST_SHIFT = 8
FINEST_SHIFT = 1 / 20
LEAST_COHERENCE = 0.2

FLAT_LEVELS, VARIED_LEVELS = 0.5, 4.0
SAFE_LEVELS = (64, 191)
"""A reference in between, 25 to 75 % of the range, gives no reason to clip."""


def lattice_levels(picture: Image8, reference: Image8, period: int) -> float | None:
    """Amplitude in 8-bit levels of a pattern that repeats every `period` pixels and is not in the scene.

    In tiles of 32 pixels (Hann window), the energy at the frequencies of the pattern beyond that of frequencies beside
    them, raised where the reference's own spectrum has a peak there; of the quieter half of the tiles the upper
    quartile, in the worst channel. A checkerboard of +-2 levels gives 2.

    Args:
        period: 2 (checkerboards and stripes), or 4 (what repeats every 4 pixels and not every 2).

    Returns:
        None for a picture smaller than a tile.
    """
    if min(picture.shape[:2]) < LATTICE_TILE:
        return None
    peaks, beside = _peak_energy(picture, period)
    own_peaks, own_beside = _peak_energy(reference, period)
    in_scene = (own_peaks - own_beside).amax(1, keepdim=True).clamp_min(0)
    excess = peaks - beside - SHARPENING**2 * in_scene
    quiet = own_beside.sum(1).argsort()[: max(1, len(beside) // 2)]
    return float(excess[quiet].quantile(SEEN_BY, dim=0).max().clamp_min(0).sqrt())


def blotch_lab(picture: Image8, reference: Image8) -> float | None:
    """Root mean square, in Lab units, of chroma that varies with the place and not with the reference's color.

    A polynomial from the reference's Lab to the picture's a and b is fitted to means of 16 x 16 pixels; what it leaves
    over in blocks of 8 x 8 pixels counts as far as neighboring blocks agree in it, so that noise, which they do not
    share, costs nothing. Cubic for 256 pixels a side, quadratic for 128.

    Returns:
        None for a picture with too few blocks to fit even a linear map (below 80 pixels a side).
    """
    sides = [side // COLOR_BLOCK * COLOR_BLOCK for side in picture.shape[:2]]
    blocks = sides[0] * sides[1] // COLOR_BLOCK**2
    degree = max((d for d in (1, 2, 3) if BLOCKS_PER_TERM * len(_monomials(d)) <= blocks), default=0)
    if degree == 0:
        return None
    seen, known = (srgb_to_lab(_planes(image)[:, :, : sides[0], : sides[1]] / 255) for image in (picture, reference))
    coefficients = _color_map(
        functional.avg_pool2d(seen, COLOR_BLOCK), functional.avg_pool2d(known, COLOR_BLOCK), degree
    )
    chroma, blurred = functional.avg_pool2d(seen, BLOTCH_BLOCK), functional.avg_pool2d(known, BLOTCH_BLOCK)
    rest = chroma[0, 1:] - (_terms(blurred, degree) @ coefficients).T.reshape(2, *chroma.shape[2:])
    agreeing = (rest[:, :, 1:] * rest[:, :, :-1]).sum(0).mean() + (rest[:, 1:] * rest[:, :-1]).sum(0).mean()
    return float((agreeing / 2).clamp_min(0).sqrt())


def displacement(picture: Image8, reference: Image8) -> tuple[float, float] | None:
    """Shift of the whole picture, and the largest further one of a part of it, in pixels.

    Phase correlation of luma in tiles of 128 pixels (a smaller picture is one tile), to 1/20 pixel, up to 8 pixels;
    the shift is the median over the tiles that are coherent with the reference. Kuglin, Hines, "The phase correlation
    image alignment method", 1975; finely sampled as in Guizar-Sicairos et al., Optics Letters 33(2), 2008.

    Returns:
        None where no tile is coherent: a flat picture, or one of something else.
    """
    side = min(SHIFT_TILE, *picture.shape[:2])
    weights = torch.tensor((0.299, 0.587, 0.114), dtype=torch.float64)
    tiles = [
        _tiles((_planes(image)[0] * weights[:, None, None]).sum(0, True), side)[:, 0] for image in (picture, reference)
    ]
    found = [_tile_shift(*pair) for pair in zip(*tiles, strict=True)]
    shifts = torch.tensor([shift for shift, coherence in found if coherence >= LEAST_COHERENCE], dtype=torch.float64)
    if len(shifts) == 0:
        return None
    common = shifts.median(0).values
    return float(common.norm()), float((shifts - common).norm(dim=1).quantile(0.9))


def flat_channels(picture: Image8, reference: Image8) -> int:
    """How many channels hold (nearly) one value while the reference's varies."""
    spread, own_spread = (_planes(image)[0].flatten(1).std(1) for image in (picture, reference))
    return int(((spread < FLAT_LEVELS) & (own_spread > VARIED_LEVELS)).sum())


def needlessly_clipped(picture: Image8, reference: Image8) -> float:
    """Share of pixels with a channel at 0 or 255 where the reference's is in its middle range."""
    values, known = _planes(picture)[0], _planes(reference)[0]
    low, high = SAFE_LEVELS
    clipped = ((values == 0) | (values == 255)) & (known >= low) & (known <= high)
    return float(clipped.any(0).double().mean())


def _planes(image: Image8) -> Tensor:
    """`(1, 3, H, W)` in 8-bit levels."""
    return torch.from_numpy(image.astype(np.float64)).permute(2, 0, 1)[None]


def _tiles(planes: Tensor, side: int) -> Tensor:
    """Whole tiles of planes `(C, H, W)`: `(N, C, side, side)`."""
    return planes.unfold(1, side, side).unfold(2, side, side).permute(1, 2, 0, 3, 4).flatten(0, 1)


def _window(side: int) -> Tensor:
    """Hann window `(side, side)`, symmetric, of sum 1."""
    hann = torch.sin(torch.pi * (torch.arange(side, dtype=torch.float64) + 0.5) / side) ** 2
    return torch.outer(hann, hann) / hann.sum() ** 2


def _peak_energy(image: Image8, period: int) -> tuple[Tensor, Tensor]:
    """Energy `(N, 3)` of tiles and channels at the pattern's frequencies, and what frequencies beside them suggest."""
    energy = torch.fft.fft2(_tiles(_planes(image)[0], LATTICE_TILE) * _window(LATTICE_TILE)).abs() ** 2
    peaks, beside = _frequencies(period)
    return energy[..., peaks].sum(-1), (energy[..., beside].mean(-1) + ROUNDING) * peaks.sum()


@cache
def _frequencies(period: int) -> tuple[Tensor, Tensor]:
    """Masks of the pattern's frequencies, and of those three bins beside them (a Hann window spreads one bin)."""
    peaks = torch.zeros(LATTICE_TILE, LATTICE_TILE, dtype=torch.bool)
    peaks[:: LATTICE_TILE // period, :: LATTICE_TILE // period] = True
    peaks[:: LATTICE_TILE * 2 // period, :: LATTICE_TILE * 2 // period] = False
    steps = [step for step in itertools.product((-3, 0, 3), repeat=2) if step != (0, 0)]
    return peaks, torch.stack([peaks.roll(step, (0, 1)) for step in steps]).any(0)


def _monomials(degree: int) -> list[tuple[int, ...]]:
    """The products of at most `degree` of three variables."""
    return [term for d in range(degree + 1) for term in itertools.combinations_with_replacement(range(3), d)]


def _terms(lab: Tensor, degree: int) -> Tensor:
    """Monomials `(N, terms)` of Lab `(1, 3, h, w)`."""
    scaled = (lab[0].flatten(1) - lab.new_tensor([[50.0], [0], [0]])) / lab.new_tensor([[50.0], [40], [40]])
    return torch.stack([scaled[list(term)].prod(0) for term in _monomials(degree)], 1)


def _color_map(seen: Tensor, known: Tensor, degree: int) -> Tensor:
    """Coefficients `(terms, 2)` from the Lab of `known` to a and b of `seen`, by least squares with a slight ridge."""
    terms, wanted = _terms(known, degree), seen[0, 1:].flatten(1).T
    products = terms.T @ terms
    ridge = 1e-5 * products.diagonal().mean() * torch.eye(len(products), dtype=products.dtype)
    return torch.linalg.solve(products + ridge, terms.T @ wanted)


def _tile_shift(tile: Tensor, reference: Tensor) -> tuple[tuple[float, float], float]:
    """Displacement (down, right) of a luma tile, and how coherent the two are: 1 for a pure shift."""
    side = tile.shape[0]
    window = _window(side)
    first, second = (torch.fft.fft2((part - part.mean()) * window) for part in (tile, reference))
    cross = first * second.conj()
    frequencies = torch.fft.fftfreq(side, dtype=torch.float64)
    radius = torch.hypot(frequencies[:, None], frequencies[None, :])
    phases = cross / cross.abs().clamp_min(1e-12) * ((radius > 1.5 / side) & (radius < 0.25))
    correlation = torch.fft.ifft2(phases).real
    reach = min(LARGEST_SHIFT, side // 4)
    near = torch.arange(-reach, reach + 1)
    around = correlation[near % side][:, near % side]
    row, column = divmod(int(around.argmax()), len(near))
    fine = torch.arange(-20, 21, dtype=torch.float64) * FINEST_SHIFT
    rows, columns = near[row] + fine, near[column] + fine
    down, right = (torch.exp(2j * torch.pi * torch.outer(at, frequencies)) for at in (rows, columns))
    sampled = (down @ phases @ right.T).real / phases.abs().sum().clamp_min(1)
    best = int(sampled.argmax())
    return (float(rows[best // len(fine)]), float(columns[best % len(fine)])), float(sampled.max())
