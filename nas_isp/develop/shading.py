"""Whether lens shading is corrected before a model sees a file: as its training did, unless told otherwise."""

from nas_isp.raw import shading_maps
from nas_isp.raw.dng.correction import SHADING_APPLIED, SHADING_LEFT
from nas_isp.raw.image import RawFacts
from nas_isp.raw.sensor import SensorDescription

LINES = frozenset({SHADING_APPLIED, SHADING_LEFT, shading_maps.APPLIED, shading_maps.LEFT})


def shading_for(model: SensorDescription | None, wanted: bool | None) -> bool:
    """Whether gain maps are applied: as wanted, else as in the training of a model."""
    return wanted if wanted is not None else model is None or not model.shading_left


def told_otherwise(model: SensorDescription | None, shading: bool, raw: RawFacts) -> str | None:
    """A line for the user where a file's gain map is treated otherwise than in the training; None where it is not."""
    if shading == shading_for(model, None) or not LINES & {*raw.applied, *raw.left}:
        return None
    trained, done = ("without", "with") if shading else ("with", "without")
    return f"the model was trained {trained} gain maps against lens shading, and is shown this file {done} its own"
