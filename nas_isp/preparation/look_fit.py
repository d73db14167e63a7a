"""Fits the look of photos to captures of other scenes, and holds it to the usual one as far as the evidence is thin.

The two folders show different scenes, and what they say of a look is believed only as far as they are many: of three
captures nothing is believed but that they are exposed for the highlights. Matched are distributions: of whole pictures'
brightness (exposure, and how it follows the capture's own), of luma (the tone curve), and the mean chroma (saturation).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional

from nas_isp.data.patches import PhotoPatches, RawPatches
from nas_isp.preparation.content_reference import captures_of, spread
from nas_isp.preparation.look import GRID, USUAL_EXPOSURE, Look, luma, rising, usual_tone
from nas_isp.raw.network_input import NetworkInput, balanced_colors, log_brightness
from nas_isp.raw.sensor import Gains
from nas_isp.raw.srgb import decoded, encoded

Floats = NDArray[np.float32]
Matrix = tuple[tuple[float, float, float], tuple[float, float, float], tuple[float, float, float]]

PICTURES = 160
"""So many pictures of a kind stand for all."""

PATCHES, BLOCKS_APART = 320, 5
"""So many patches, and every fifth block of them, stand for all when tone and chroma are compared."""

HALF_TRUSTED = 16
"""Of so many captures, and photos without end, a fit is believed as much as the usual look."""

HALF_TRUSTED_BRIGHTER = 2
"""The same of an exposure above the usual: that a camera exposes for the highlights is common and soon told. That it
overexposes is not; photos that are darker than captures show other scenes."""

TONE, CHROMA = 0.85, 0.5
"""Shares of a difference in luma, and in chroma, that are taken for one of looks; the rest is one of scenes. With all
of the luma one bench's look is 0.6 dB worse, with 0.3 of it another's 0.5 dB (docs/quality.md)."""

ROUNDS, HALVINGS = 4, 10
LOG_EXPOSURES, SLOPES = (-1.0, 3.0), (-1.8, 2.0)
SHARES = np.linspace(0, 1, 129)


def fit_look(
    raw: RawPatches, photos: PhotoPatches, gains: Floats, common: Gains, color_matrix: Matrix, metered: bool = True
) -> tuple[Look, NetworkInput]:
    """The look that makes the captures' pictures like the photos, and how captures are balanced and metered for it.

    Args:
        raw, photos: patches of both folders, with glances at the pictures they are from.
        gains: of each RAW patch `(N, 3)`.
        common: gains that suit the captures on the whole.
        color_matrix: balanced camera RGB to linear sRGB.
        metered: let exposure follow a capture's own brightness, for networks that are told it.
    """
    captures = [capture[0] for capture in captures_of(raw)]
    pictures = sorted({stem: at for at, stem in enumerate(photos.stems)}.values())
    trust = trust_in(len(captures), len(pictures))
    brightness = np.array([log_brightness(raw.glance[at], tuple(gains[at])) for at in range(len(raw))], np.float32)
    center = float(brightness[captures].mean())
    few = [captures[at] for at in spread(len(captures), PICTURES)]
    patches = spread(len(raw), PATCHES)
    match = _Match(
        _Rendered(_whole(raw, gains, few, color_matrix), brightness[few] - center),
        _Rendered(_blocks(raw, gains, patches, color_matrix), brightness[patches] - center),
        photos.glance[[pictures[at] for at in spread(len(pictures), PICTURES)]].astype(np.float32) / np.float32(255),
        _photo_blocks(photos, spread(len(photos), PATCHES)),
        trust,
        trust_in(len(captures), len(pictures), HALF_TRUSTED_BRIGHTER),
        metered,
    )
    log_exposure, slope, tone = match.fitted()
    look = Look(
        color_matrix=color_matrix,
        exposure=_rounded(np.exp(log_exposure)),
        tone=tone,
        saturation=_rounded(match.saturation(log_exposure, slope, tone)),
    )
    return look, NetworkInput(kind="balanced", white_balance=common, brightness=_rounded(center), slope=_rounded(slope))


def trust_in(captures: int, photos: int, half: float = HALF_TRUSTED) -> float:
    """How far what so many pictures of both kinds say is believed, 0..1; by half where they count for so many."""
    pictures = captures * photos / (captures + photos)
    return pictures**2 / (pictures**2 + half**2)


@dataclass(frozen=True)
class _Rendered:
    """Pictures in linear sRGB `(N, 3, n)`, and how much brighter their captures are than usual, in logarithm `(N,)`."""

    colors: Floats
    relative: Floats

    def encoded(self, log_exposure: float, slope: float) -> Floats:
        """Their sRGB values at an exposure and a slope of metering."""
        factors = np.exp(log_exposure + slope * self.relative).astype(np.float32)
        return encoded(self.colors * factors[:, None, None])


@dataclass(frozen=True)
class _Match:
    """What is matched: whole captures and blocks of them, whole photos `(P, 3, n, n)` and blocks of them."""

    captures: _Rendered
    blocks: _Rendered
    photos: Floats
    photo_blocks: Floats
    trust: float
    trust_brighter: float
    metered: bool

    def fitted(self) -> tuple[float, float, tuple[float, ...]]:
        """Log exposure, slope and tone curve."""
        usual, wanted = np.array(usual_tone()), np.quantile(_lumas(self.photo_blocks), SHARES)
        slope, tone = 0.0, usual_tone()
        for _ in range(ROUNDS):
            if self.metered and len(self.captures.colors) > 1 and len(self.photos) > 1:
                slope = self.trust * self._slope(tone)
            log_exposure = self._believed(self._log_exposure(slope, tone))
            given = np.quantile(_lumas(self.blocks.encoded(log_exposure, slope)), SHARES)
            moved = np.interp(GRID, np.append(given, 1 + 1e-6), np.append(wanted, 1.0), left=0)
            tone = rising(usual + TONE * self.trust * (moved - usual))
        return self._believed(self._log_exposure(slope, tone)), slope, tone

    def _believed(self, log_exposure: float) -> float:
        """An exposure as far as it is trusted, beside the usual one."""
        usual = float(np.log(USUAL_EXPOSURE))
        return usual + (self.trust if log_exposure < usual else self.trust_brighter) * (log_exposure - usual)

    def saturation(self, log_exposure: float, slope: float, tone: tuple[float, ...]) -> float:
        """The factor that gives the captures' pictures the photos' chroma."""
        given = np.interp(self.blocks.encoded(log_exposure, slope), GRID, tone).astype(np.float32)
        return float(np.clip((_chroma(self.photo_blocks) / max(_chroma(given), 1e-3)) ** (CHROMA * self.trust), 0.5, 2))

    def _means(self, log_exposure: float, slope: float, tone: tuple[float, ...]) -> Floats:
        means: Floats = np.interp(self.captures.encoded(log_exposure, slope), GRID, tone).mean((1, 2))
        return means

    def _log_exposure(self, slope: float, tone: tuple[float, ...]) -> float:
        """At which the pictures' mean brightness is the photos'."""
        wanted = float(self.photos.mean())
        return _halved(LOG_EXPOSURES, lambda given: float(self._means(given, slope, tone).mean()) < wanted)

    def _slope(self, tone: tuple[float, ...]) -> float:
        """At which the pictures' brightness varies as the photos' does."""
        wanted = float(self.photos.mean((1, 2, 3)).std())

        def too_even(slope: float) -> bool:
            return float(self._means(self._log_exposure(slope, tone), slope, tone).std()) < wanted

        return _halved(SLOPES, too_even)


def _halved(limits: tuple[float, float], too_low: Callable[[float], bool]) -> float:
    """The value between limits at which something stops being too low."""
    low, high = limits
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        low, high = (middle, high) if too_low(middle) else (low, middle)
    return (low + high) / 2


def _whole(raw: RawPatches, gains: Floats, captures: Sequence[int], matrix: Matrix) -> Floats:
    """The captures of some patches in linear sRGB, `(C, 3, n)`."""
    seen = [balanced_colors(raw.glance[at], tuple(gains[at])).reshape(3, -1) for at in captures]
    return np.einsum("ij,cjn->cin", np.array(matrix, np.float32), np.stack(seen))


def _blocks(raw: RawPatches, gains: Floats, patches: NDArray[np.intp], matrix: Matrix) -> Floats:
    """Blocks of 4 x 4 pixels of some patches in linear sRGB, `(N, 3, n)`; small enough to hold a photo's contrast."""
    cells = functional.avg_pool2d(raw.tensor(patches).clamp(max=1), 2).flatten(2)[..., ::BLOCKS_APART].numpy()
    seen = [balanced_colors(one, tuple(gains[at])) for one, at in zip(cells, patches, strict=True)]
    return np.einsum("ij,cjn->cin", np.array(matrix, np.float32), np.stack(seen))


def _photo_blocks(photos: PhotoPatches, patches: NDArray[np.intp]) -> Floats:
    """The same of photos, averaged in linear light and encoded again."""
    linear = torch.from_numpy(decoded(photos.tensor(patches).numpy()))
    return encoded(functional.avg_pool2d(linear, 4).flatten(2)[..., ::BLOCKS_APART].numpy())


def _lumas(colors: Floats) -> Floats:
    """Luma of colors `(N, 3, n)`."""
    return luma(np.moveaxis(colors, 1, 0))


def _chroma(colors: Floats) -> float:
    """Mean distance of colors `(N, 3, n)` from their luma."""
    return float(np.abs(np.moveaxis(colors, 1, 0) - _lumas(colors)).mean())


def _rounded(value: float) -> float:
    """Five digits: a resumed training must find its look, and the last digits differ between processors."""
    return float(f"{value:.5g}")
