"""RGB color spaces given by numbers - primaries, white and curve - and their values as sRGB."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Chromaticity = tuple[float, float]
Curve = Callable[[Floats], Floats]
"""Coded values `(N,)` 0..1 as light, 1 at white: `(N,)` for all colors, or `(N, 3)`."""

Entry = TypeVar("Entry", np.uint8, np.float32)

D65: Chromaticity = (0.3127, 0.3290)
D50: Chromaticity = (0.3457, 0.3585)
C_WHITE: Chromaticity = (0.310, 0.316)
DCI_WHITE: Chromaticity = (0.314, 0.351)
E_WHITE: Chromaticity = (1 / 3, 1 / 3)

BRADFORD = np.array([[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]])
"""XYZ to the cone responses in which one white is adapted to another."""

HDR_WHITE_NITS = 203.0
"""Light of a white sheet in PQ and HLG pictures (ITU-R BT.2408); what is brighter becomes white."""

HLG_PEAK_NITS, HLG_SYSTEM_GAMMA = 1000.0, 1.2
"""The display for which HLG values are scene light (ITU-R BT.2100)."""

ROUNDING = 2
"""Levels of 255 that the rounding of primaries and curves makes; what differs from sRGB by no more is sRGB."""

ENCODING_STEPS = 8192
SAME_LIGHT = 1e-6
LEAST_DETERMINANT = 1e-4


@dataclass(frozen=True)
class Primaries:
    """Chromaticities x, y of the primaries and of white."""

    red: Chromaticity
    green: Chromaticity
    blue: Chromaticity
    white: Chromaticity = D65

    @property
    def usable(self) -> bool:
        """Whether they span colors: what a damaged file claims may not."""
        points = np.array([self.red, self.green, self.blue, self.white], np.float64)
        if not np.isfinite(points).all() or np.abs(points).max() > 2 or self.white[1] <= 0.01:
            return False
        return bool(abs(np.linalg.det(_xyz_columns(self))) > LEAST_DETERMINANT and (_strengths(self) > 0).all())


@dataclass(frozen=True)
class RgbSpace:
    """How three coded values of a pixel are light.

    Attributes:
        primaries: of the three values.
        curve: coded values 0..1 as light.
        scene_gamma: exponent of the luminance that makes a display's light of the scene's (HLG); 1 for none.
        narrow: whether black and white are coded as 16 and 235 of 255.
    """

    primaries: Primaries
    curve: Curve
    scene_gamma: float = 1.0
    narrow: bool = False


def gamma_curve(exponent: float) -> Curve:
    """Light is the coded value to this power."""
    return lambda coded: np.clip(coded, 0, None) ** exponent


def srgb_curve(coded: Floats) -> Floats:
    """IEC 61966-2-1."""
    return np.where(coded <= 0.04045, coded / 12.92, ((np.clip(coded, 0, None) + 0.055) / 1.055) ** 2.4)


def romm_curve(coded: Floats) -> Floats:
    """ISO 22028-2 (ROMM RGB)."""
    return np.where(coded < 1 / 32, coded / 16, np.clip(coded, 0, None) ** 1.8)


def bt709_curve(coded: Floats) -> Floats:
    """The inverse of the camera curve of ITU-R BT.709, BT.601 and BT.2020."""
    return np.where(coded < 0.081, coded / 4.5, ((np.clip(coded, 0, None) + 0.099) / 1.099) ** (1 / 0.45))


def smpte240_curve(coded: Floats) -> Floats:
    """The inverse of the camera curve of SMPTE 240M."""
    return np.where(coded < 0.0913, coded / 4, ((np.clip(coded, 0, None) + 0.1115) / 1.1115) ** (1 / 0.45))


def pq_curve(coded: Floats) -> Floats:
    """SMPTE ST 2084, 1 at `HDR_WHITE_NITS`."""
    m1, m2, c1, c2, c3 = 2610 / 16384, 2523 / 32, 3424 / 4096, 2413 / 128, 2392 / 128
    root = np.clip(coded, 0, None) ** (1 / m2)
    nits: Floats = 10000 * (np.clip(root - c1, 0, None) / (c2 - c3 * root)) ** (1 / m1)
    return nits / HDR_WHITE_NITS


def hlg_curve(coded: Floats) -> Floats:
    """Scene light 0..1 of ARIB STD-B67; `RgbSpace.scene_gamma` makes it a display's."""
    a, b, c = 0.17883277, 0.28466892, 0.55991073
    return np.where(coded <= 0.5, coded**2 / 3, (np.exp((coded - c) / a) + b) / 12)


BT709 = Primaries((0.640, 0.330), (0.300, 0.600), (0.150, 0.060))
BT2020 = Primaries((0.708, 0.292), (0.170, 0.797), (0.131, 0.046))
SRGB = RgbSpace(BT709, srgb_curve)
ADOBE_RGB = RgbSpace(Primaries((0.640, 0.330), (0.210, 0.710), (0.150, 0.060)), gamma_curve(563 / 256))
"""Adobe RGB (1998), which DCF calls R03."""

PROPHOTO = RgbSpace(Primaries((0.734699, 0.265301), (0.159597, 0.840403), (0.036598, 0.000105), D50), romm_curve)
"""ROMM RGB, which DNG files call ProPhoto."""

H273_PRIMARIES = {
    1: BT709,
    4: Primaries((0.67, 0.33), (0.21, 0.71), (0.14, 0.08), C_WHITE),
    5: Primaries((0.64, 0.33), (0.29, 0.60), (0.15, 0.06)),
    6: Primaries((0.630, 0.340), (0.310, 0.595), (0.155, 0.070)),
    7: Primaries((0.630, 0.340), (0.310, 0.595), (0.155, 0.070)),
    8: Primaries((0.681, 0.319), (0.243, 0.692), (0.145, 0.049), C_WHITE),
    9: BT2020,
    10: Primaries((1.0, 0.0), (0.0, 1.0), (0.0, 0.0), E_WHITE),
    11: Primaries((0.680, 0.320), (0.265, 0.690), (0.150, 0.060), DCI_WHITE),
    12: Primaries((0.680, 0.320), (0.265, 0.690), (0.150, 0.060)),
    22: Primaries((0.630, 0.340), (0.295, 0.605), (0.155, 0.077)),
}
"""ColourPrimaries of ITU-T H.273, table 2."""

H273_CURVES: dict[int, Curve] = {
    1: bt709_curve,
    4: gamma_curve(2.2),
    5: gamma_curve(2.8),
    6: bt709_curve,
    7: smpte240_curve,
    8: gamma_curve(1.0),
    13: srgb_curve,
    14: bt709_curve,
    15: bt709_curve,
    16: pq_curve,
    17: lambda coded: np.clip(coded, 0, None) ** 2.6 * 52.37 / 48,
    18: hlg_curve,
}
"""TransferCharacteristics of ITU-T H.273, table 3, those of photos."""

HLG = 18


def h273_space(primaries: int, transfer: int, narrow: bool = False) -> RgbSpace | None:
    """The space of code points of ITU-T H.273, None where they say nothing (2, "unspecified") or nothing we know."""
    if primaries not in H273_PRIMARIES or transfer not in H273_CURVES:
        return None
    scene_gamma = HLG_SYSTEM_GAMMA if transfer == HLG else 1.0
    return RgbSpace(H273_PRIMARIES[primaries], H273_CURVES[transfer], scene_gamma, narrow)


def as_srgb(pixels: NDArray[np.uint8], space: RgbSpace) -> NDArray[np.uint8]:
    """Pixels `(H, W, 3)` of a space as sRGB, colors outside of it clipped; the same array where the space is sRGB.

    White is adapted to that of sRGB (Bradford).
    """
    return pixels if is_srgb(space) else _converted(pixels, space)


def deep_as_srgb(values: NDArray[np.uint16], space: RgbSpace) -> NDArray[np.uint8]:
    """Values `(H, W, 3)` of 16 bits as sRGB of 8, likewise, and rounded only then."""
    return _converted(values, space)


def is_srgb(space: RgbSpace) -> bool:
    """Whether a space is sRGB but for rounding."""
    return is_unchanged(PROBE, _converted(PROBE, space))


def is_unchanged(before: NDArray[np.uint8], after: NDArray[np.uint8]) -> bool:
    """Whether a conversion did no more than rounding."""
    return bool(np.abs(before.astype(np.int16) - after).max() <= ROUNDING)


def _probe() -> NDArray[np.uint8]:
    """Colors of the whole cube, and all grays, `(1, N, 3)`."""
    steps = np.linspace(0, 255, 9).round()
    cube = np.stack(np.meshgrid(steps, steps, steps, indexing="ij"), axis=-1).reshape(-1, 3)
    grays = np.repeat(np.arange(256)[:, None], 3, axis=1)
    return np.concatenate([cube, grays]).astype(np.uint8)[None]


PROBE = _probe()


def _encoding() -> NDArray[np.uint8]:
    """sRGB levels of light, by its root in `ENCODING_STEPS` steps: a step is at most a twentieth of a level."""
    light = (np.arange(ENCODING_STEPS + 1) / ENCODING_STEPS) ** 2
    encoded = np.where(light <= 0.0031308, light * 12.92, 1.055 * light ** (1 / 2.4) - 0.055)
    return np.rint(encoded * 255).astype(np.uint8)


_ENCODED = _encoding()


def _converted(pixels: NDArray[np.uint8] | NDArray[np.uint16], space: RgbSpace) -> NDArray[np.uint8]:
    unit = 256 ** (pixels.dtype.itemsize - 1)  # of values, one level of 8 bits
    coded = np.arange(256 * unit, dtype=np.float64)
    light = space.curve(np.clip((coded / unit - 16) / 219, 0, 1) if space.narrow else coded / (256 * unit - 1))
    table = np.clip(light, 0, None).astype(np.float32)
    matrix = _to_srgb_light(space.primaries)
    if space.scene_gamma == 1 and np.abs(matrix - np.eye(3)).max() < SAME_LIGHT:
        return _looked_up(_encoded(np.clip(table, 0, 1)), pixels)
    rgb = _looked_up(table, pixels)
    if space.scene_gamma != 1:
        luminance = rgb @ _xyz_of(space.primaries)[1].astype(np.float32)
        rgb *= np.maximum(luminance, 1e-9)[..., None] ** (space.scene_gamma - 1) * (HLG_PEAK_NITS / HDR_WHITE_NITS)
    rgb = rgb @ matrix.T.astype(np.float32)
    return _encoded(np.clip(rgb, 0, 1, out=rgb))


def _looked_up(table: NDArray[Entry], pixels: NDArray[np.uint8] | NDArray[np.uint16]) -> NDArray[Entry]:
    """Entries of a table `(levels,)`, or of one for each color `(levels, 3)`."""
    if table.ndim == 1:
        return np.take(table, pixels)
    return np.stack([np.take(table[:, color], pixels[..., color]) for color in range(3)], axis=-1)


def _encoded(light: NDArray[np.float32]) -> NDArray[np.uint8]:
    """sRGB levels of light 0..1, which is overwritten."""
    np.sqrt(light, out=light)
    light *= ENCODING_STEPS
    light += np.float32(0.5)
    return np.take(_ENCODED, light.astype(np.uint16))


def _to_srgb_light(primaries: Primaries) -> Floats:
    given, wanted = (BRADFORD @ _xyz_of_white(white) for white in (primaries.white, BT709.white))
    adapt = np.linalg.inv(BRADFORD) @ np.diag(wanted / given) @ BRADFORD
    matrix: Floats = np.linalg.inv(_xyz_of(BT709)) @ adapt @ _xyz_of(primaries)
    return matrix


def _xyz_of(primaries: Primaries) -> Floats:
    """RGB light to XYZ."""
    return _xyz_columns(primaries) * _strengths(primaries)


def _strengths(primaries: Primaries) -> Floats:
    """How much of each primary makes white."""
    strengths: Floats = np.linalg.inv(_xyz_columns(primaries)) @ _xyz_of_white(primaries.white)
    return strengths


def _xyz_columns(primaries: Primaries) -> Floats:
    return np.array([(x, y, 1 - x - y) for x, y in (primaries.red, primaries.green, primaries.blue)]).T


def _xyz_of_white(white: Chromaticity) -> Floats:
    x, y = white
    return np.array([x / y, 1.0, (1 - x - y) / y])
