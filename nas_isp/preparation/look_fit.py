"""Fits the look of photos to captures of other scenes, and holds it to the usual one as far as the evidence is thin.

The two folders show different scenes, and what they say of a look is believed only as far as they are many: from three
captures nothing follows but the usual look. Matched are distributions over whole pictures: of brightness (exposure, and
how it follows the capture's own), of luma (the tone curve) and the mean chroma (saturation).
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nas_isp.data.patches import PhotoPatches, RawPatches
from nas_isp.preparation.content_reference import captures_of, spread
from nas_isp.preparation.look import GRID, USUAL_EXPOSURE, Look, encoded, luma, rising, usual_tone
from nas_isp.raw.network_input import NetworkInput, balanced_colors, log_brightness
from nas_isp.raw.sensor import Gains

Floats = NDArray[np.float32]
Matrix = tuple[tuple[float, float, float], tuple[float, float, float], tuple[float, float, float]]

PICTURES = 160
"""So many pictures of a kind stand for all."""

HALF_TRUSTED = 16
"""Of so many captures, and photos without end, a fit is believed as much as the usual look."""

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
    few = [captures[at] for at in spread(len(captures), PICTURES)]
    matrix = np.array(color_matrix, np.float32)
    match = _Match(
        np.stack([np.tensordot(matrix, balanced_colors(raw.glance[at], tuple(gains[at])), 1) for at in few]),
        np.array([log_brightness(raw.glance[at], tuple(gains[at])) for at in few], np.float32),
        photos.glance[[pictures[at] for at in spread(len(pictures), PICTURES)]].astype(np.float32) / np.float32(255),
        trust,
        metered,
    )
    log_exposure, slope, tone = match.fitted()
    look = Look(
        color_matrix=color_matrix,
        exposure=_rounded(np.exp(log_exposure)),
        tone=tone,
        saturation=_rounded(match.saturation(log_exposure, slope, tone)),
    )
    brightness = _rounded(float(match.brightness.mean()))
    return look, NetworkInput(kind="balanced", white_balance=common, brightness=brightness, slope=_rounded(slope))


def trust_in(captures: int, photos: int) -> float:
    """How far what so many pictures of both kinds say is believed, 0..1."""
    pictures = captures * photos / (captures + photos)
    return pictures**2 / (pictures**2 + HALF_TRUSTED**2)


@dataclass(frozen=True)
class _Match:
    """Captures, balanced and in linear sRGB `(C, 3, n, n)`, their log brightness `(C,)`, and photos `(P, 3, n, n)`."""

    captures: Floats
    brightness: Floats
    photos: Floats
    trust: float
    metered: bool

    def fitted(self) -> tuple[float, float, tuple[float, ...]]:
        """Log exposure, slope and tone curve."""
        wanted = luma(np.moveaxis(self.photos, 1, 0))
        levels = np.quantile(wanted, SHARES)
        usual = np.array(usual_tone())
        slope, tone = 0.0, usual_tone()
        for _ in range(ROUNDS):
            if self.metered and len(self.captures) > 1 and len(self.photos) > 1:
                slope = self.trust * self._slope(tone)
            log_exposure = self._log_exposure(slope, tone)
            given = np.quantile(luma(np.moveaxis(self._rendered(log_exposure, slope), 1, 0)), SHARES)
            moved = np.interp(GRID, np.append(given, 1 + 1e-6), np.append(levels, 1.0), left=0)
            tone = rising((1 - self.trust) * usual + self.trust * moved)
        log_exposure = self._log_exposure(slope, tone)
        return (1 - self.trust) * float(np.log(USUAL_EXPOSURE)) + self.trust * log_exposure, slope, tone

    def saturation(self, log_exposure: float, slope: float, tone: tuple[float, ...]) -> float:
        """The factor that gives the captures' pictures the photos' chroma."""
        given = _chroma(np.interp(self._rendered(log_exposure, slope), GRID, tone).astype(np.float32))
        return float(np.clip((_chroma(self.photos) / max(given, 1e-3)) ** self.trust, 0.5, 2))

    def _rendered(self, log_exposure: float, slope: float) -> Floats:
        factors = np.exp(log_exposure + slope * (self.brightness - self.brightness.mean()))
        return encoded(self.captures * factors[:, None, None, None].astype(np.float32))

    def _means(self, log_exposure: float, slope: float, tone: tuple[float, ...]) -> Floats:
        means: Floats = np.interp(self._rendered(log_exposure, slope), GRID, tone).mean((1, 2, 3))
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


def _chroma(pictures: Floats) -> float:
    """Mean distance of colors `(N, 3, n, n)` from their luma."""
    colors = np.moveaxis(pictures, 1, 0)
    return float(np.abs(colors - luma(colors)).mean())


def _rounded(value: float) -> float:
    """Five digits: a resumed training must find its look, and the last digits differ between processors."""
    return float(f"{value:.5g}")
