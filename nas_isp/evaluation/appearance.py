"""How pictures look beside the classical rendering of the same RAW: numbers, what of them is a fault, and words.

The classical rendering, in the light that each capture names, has no style but no cast either, and so says where a
network has added one; no true picture is needed. Reading it needs no torch; `appearance_beside` measures it.
"""

import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Annotated

from pydantic import Field

from nas_isp.settings import Settings

LARGEST = 1e6
"""No part of a look is larger; what is comes from a damaged record."""

Share = Annotated[float, Field(gt=0, le=1)]
Ratio = Annotated[float, Field(gt=0)]


@dataclass(frozen=True)
class Appearance:
    """Pictures beside reference pictures of the same scenes; every number says what is normal: 0, or 1 of a ratio.

    Attributes:
        green_magenta_levels: mean shift of near-neutral colors, in 8-bit levels of G - (R + B) / 2; above 0 is green,
            below magenta.
        blue_yellow_levels: likewise of B - (R + G) / 2; above 0 is blue, below yellow.
        cast_levels: mean over pictures of how far the near-neutral colors of one are shifted, whichever way.
        tinted_share: of bright unsaturated colors (4 x 4 means), those off by more than 25 levels green-magenta.
        chroma_ratio: spread of Lab a and b within pictures, over the reference's; a cast of a picture changes nothing.
        exposure_stops: of linear luminance, in the midtones; above 0 is brighter.
        blown_share: of pixels with a channel at 255, less the reference's share.
        crushed_share: of pixels at 3 levels or less, less the reference's share.
        noise_ratio: fine grain of luma in the flattest quarter of the tiles, over the reference's.
        sharpness_ratio: fine contrast of luma in the quarter of the tiles with most detail, over the reference's, at
            equal coarse contrast.
    """

    green_magenta_levels: float
    blue_yellow_levels: float
    cast_levels: float
    tinted_share: float
    chroma_ratio: float
    exposure_stops: float
    blown_share: float
    crushed_share: float
    noise_ratio: float
    sharpness_ratio: float

    def to_dict(self) -> dict[str, float]:
        """Plain values under the field names."""
        return {field.name: getattr(self, field.name) for field in fields(self)}


class AppearanceLimits(Settings):
    """What a finished photo may differ from the classical rendering by before it is called a fault.

    No limit calls the true photos of the benches faulty. Those of `phonelike`, finished as a phone does, have a cast of
    6 levels, 1.1 times the chroma and are 0.6 stops brighter; those of `synthphone` have 2.1 times the chroma, for its
    files name no matrix.
    """

    cast_levels: Annotated[float, Field(gt=0, description="Shift of near-neutral colors, 8-bit levels.")] = 10.0
    tinted_share: Annotated[Share, Field(description="Bright unsaturated colors off by more than 25 levels.")] = 0.1
    dull_ratio: Annotated[Ratio, Field(description="Least chroma, as a share of the classical rendering's.")] = 0.75
    garish_ratio: Annotated[Ratio, Field(description="Most chroma, likewise.")] = 2.5
    dark_stops: Annotated[float, Field(gt=0, description="Most stops darker.")] = 0.75
    bright_stops: Annotated[float, Field(gt=0, description="Most stops brighter.")] = 1.0
    blown_share: Annotated[Share, Field(description="Further pixels with a channel at 255.")] = 0.03
    crushed_share: Annotated[Share, Field(description="Further pixels at 3 levels or less.")] = 0.03
    noise_ratio: Annotated[Ratio, Field(description="Most grain, over the classical rendering's.")] = 1.25
    sharpness_ratio: Annotated[Ratio, Field(description="Least fine contrast, likewise.")] = 0.6


def appearance_faults(look: Appearance, limits: AppearanceLimits | None = None) -> list[str]:
    """The faults of pictures in single words: tinted, dull, garish, dark, bright, blown, crushed, noisy, soft."""
    limits = limits or AppearanceLimits()
    cast = math.hypot(look.green_magenta_levels, look.blue_yellow_levels)
    found = {
        "tinted": cast > limits.cast_levels or look.tinted_share > limits.tinted_share,
        "dull": look.chroma_ratio < limits.dull_ratio,
        "garish": look.chroma_ratio > limits.garish_ratio,
        "dark": look.exposure_stops < -limits.dark_stops,
        "bright": look.exposure_stops > limits.bright_stops,
        "blown": look.blown_share > limits.blown_share,
        "crushed": look.crushed_share > limits.crushed_share,
        "noisy": look.noise_ratio > limits.noise_ratio,
        "soft": look.sharpness_ratio < limits.sharpness_ratio,
    }
    return [fault for fault, is_there in found.items() if is_there]


def appearance_words(look: Appearance, limits: AppearanceLimits | None = None) -> str:
    """All of a look in one line, such as `...; chroma 0.60 of classical (dull); 0.8 stops darker (dark); ...`.

    A word in brackets is a fault; what stands without one is within the limits.
    """
    faults = appearance_faults(look, limits)
    parts = {
        f"cast: {_cast(look)}, {_percent(look.tinted_share)} of bright grays off by over 25 levels": ("tinted",),
        f"chroma {look.chroma_ratio:.2f} of classical": ("dull", "garish"),
        _exposure(look.exposure_stops): ("dark", "bright"),
        f"blown {_more(look.blown_share)}": ("blown",),
        f"crushed {_more(look.crushed_share)}": ("crushed",),
        f"noise {look.noise_ratio:.2f} of classical": ("noisy",),
        f"sharpness {look.sharpness_ratio:.2f} of classical": ("soft",),
    }
    return "; ".join(part + "".join(f" ({name})" for name in names if name in faults) for part, names in parts.items())


def mean_appearance(looks: Sequence[Appearance]) -> Appearance:
    """The mean of every number over pictures that were looked at one by one."""
    return Appearance(**{name: statistics.fmean(look.to_dict()[name] for look in looks) for name in looks[0].to_dict()})


def appearance_of_scores(scores: Mapping[str, object]) -> Appearance | None:
    """The look among recorded scores; None where a part of it is missing or no finite number."""
    names = list(Appearance.__dataclass_fields__)
    values = [scores.get(name) for name in names]
    known = {
        name: float(value)
        for name, value in zip(names, values, strict=True)
        if isinstance(value, int | float) and abs(value) <= LARGEST
    }
    return Appearance(**known) if len(known) == len(names) else None


def _cast(look: Appearance) -> str:
    axes = ((look.green_magenta_levels, "green", "magenta"), (look.blue_yellow_levels, "blue", "yellow"))
    shown = [(abs(value), above if value > 0 else below) for value, above, below in axes if round(abs(value)) > 0]
    return ", ".join(f"{size:.0f} levels towards {where}" for size, where in shown) or "none"


def _exposure(stops: float) -> str:
    if round(abs(stops), 1) == 0:
        return "as bright as classical"
    return f"{abs(stops):.1f} stops {'brighter' if stops > 0 else 'darker'}"


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %"


def _more(share: float) -> str:
    return f"{_percent(abs(share))} {'less' if share < 0 else 'more'}" if round(100 * abs(share)) else "as classical"
