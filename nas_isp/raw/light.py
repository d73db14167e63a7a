"""Which light a capture is balanced for: its file's, one estimated from the picture, the set's, or given gains."""

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from nas_isp.errors import InputError
from nas_isp.raw.image import RawImage
from nas_isp.raw.light_estimator import COMMON_SENSOR, infer_light
from nas_isp.raw.sensor import Gains

LightSource = Literal["as-shot", "estimated", "fixed"]

LIGHT_HELP = "Light of a capture: as-shot (the file's, else estimated), estimated, fixed (the set's), or gains R,G,B."
"""One line for the option of every command that takes a choice."""

MOST_GAIN = 100.0
"""Given gains lie within this and its inverse, as those of a table of captures do."""

LONGEST_SHOWN = 60


@dataclass(frozen=True)
class Light:
    """The light of a capture.

    Attributes:
        gains: of R, G, B that make it neutral, G = 1.
        source: where they are from: "as-shot", "estimated", "fixed: the set's", "fixed: a common sensor's" or "given".
    """

    gains: Gains
    source: str


@dataclass(frozen=True)
class LightChoice:
    """What a user wants.

    Attributes:
        source: as-shot, that is the file's, else estimated, else the set's; estimated, else the set's; or the set's.
        given: gains for every capture, which count instead; None without.
    """

    source: LightSource = "as-shot"
    given: Gains | None = None


AS_SHOT = LightChoice()


def parse_light(text: str) -> LightChoice:
    """A choice from what a user writes: as-shot, estimated, fixed, or three gains ``R,G,B``.

    Raises:
        InputError: neither.
    """
    name = text.strip().lower()
    if name in ("as-shot", "estimated", "fixed"):
        return LightChoice(name)  # type: ignore[arg-type]
    given = _given(name)
    if given is None:
        raise InputError(
            f"light '{text[:LONGEST_SHOWN]}': give as-shot, estimated, fixed, or three gains R,G,B from "
            f"{1 / MOST_GAIN:g} to {MOST_GAIN:g}, such as 2.0,1,1.6",
            "light",
        )
    return LightChoice("fixed", given)


def light_of(
    raw: RawImage,
    packed: NDArray[np.float32],
    choice: LightChoice,
    fixed: Gains | None,
    saturation: float = 1.0,
) -> Light:
    """The light of a capture by a choice.

    Args:
        raw: the capture; its gains are used where it has any.
        packed: its planes `(4, h, w)`, black subtracted, in units of white; looked at only where they are needed.
        choice: what the user wants.
        fixed: the set's gains; also from where the estimate starts. None where there is no set.
        saturation: where samples stop, in units of the planes.

    Raises:
        InputError: the set's gains are wanted, and there are none.
    """
    if choice.given is not None:
        return Light(choice.given, "given")
    if choice.source == "as-shot" and raw.white_balance is not None:
        return Light(raw.white_balance, "as-shot")
    if choice.source == "fixed":
        if fixed is None:
            raise InputError(
                f"{raw.source or 'RAW'}: no light of a set is known here; give as-shot, estimated, or gains R,G,B",
                "light",
            )
        return Light(fixed, "fixed: the set's")
    found = infer_light(packed, fixed, saturation)
    if found is not None:
        return Light(found.gains, "estimated")
    return Light(COMMON_SENSOR, "fixed: a common sensor's") if fixed is None else Light(fixed, "fixed: the set's")


def _given(text: str) -> Gains | None:
    """Gains with G = 1 of three numbers with commas between; None of anything else."""
    try:
        numbers = [float(part) for part in text.split(",")]
    except ValueError:
        return None
    if len(numbers) != 3 or not all(math.isfinite(number) and number > 0 for number in numbers):
        return None
    red, blue = numbers[0] / numbers[1], numbers[2] / numbers[1]
    if not all(1 / MOST_GAIN <= gain <= MOST_GAIN for gain in (red, blue)):
        return None
    return (red, 1.0, blue)
