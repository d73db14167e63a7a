"""A verdict on artefacts: checkerboards, color blotches, displacement, dead or clipped channels.

What the NTIRE 2026 challenge on unpaired smartphone ISPs disqualifies by eye ("checkerboard, color blotches or
geometric distortion", arXiv 2605.07495), as numbers with limits. The limits lie between clean pictures and spoilt ones;
`benchmarks/artefacts.py` prints both distributions.
"""

import statistics
from collections.abc import Iterable
from typing import Annotated, Any

from pydantic import Field

from nas_isp.errors import InputError
from nas_isp.evaluation.artefact_measures import (
    blotch_lab,
    displacement,
    flat_channels,
    lattice_levels,
    needlessly_clipped,
)
from nas_isp.evaluation.metrics import Image8
from nas_isp.settings import Settings

CLEAN = "clean"
LARGEST_SIDE = 2048
TOLERATED_SHARE = 0.05
"""Of clean pictures a few exceed a limit: a check fails where more than this share does."""

Numbers = dict[str, float | None]


class ArtefactLimits(Settings):
    """The largest number of each kind that passes."""

    checkerboard: Annotated[float, Field(gt=0, description="Pattern of period 2, in 8-bit levels.")] = 1.25
    lattice: Annotated[float, Field(gt=0, description="Pattern of period 4, in 8-bit levels.")] = 1.25
    blotches: Annotated[float, Field(gt=0, description="Chroma that varies with the place, RMS in Lab units.")] = 2.0
    shift: Annotated[float, Field(gt=0, description="Shift of the picture, in pixels.")] = 0.5
    distortion: Annotated[float, Field(gt=0, description="Further shift of parts of it, in pixels.")] = 0.75
    flat_channels: Annotated[float, Field(ge=0, description="Channels that hold one value.")] = 0
    clipped: Annotated[float, Field(gt=0, description="Share of pixels clipped where the RAW gives no reason.")] = 0.25


def artefacts_of(picture: Image8, reference: Image8) -> Numbers:
    """The numbers of one picture, under the names of `ArtefactLimits`; None where one cannot be measured.

    Args:
        picture: `(H, W, 3)`, 8-bit sRGB; of a large one the central 2048 x 2048 pixels are looked at.
        reference: a rendering of the same RAW, pixel on pixel, such as `raw.classical.render_image`.

    Raises:
        InputError: sizes that differ.
    """
    if picture.shape != reference.shape:
        raise InputError(
            f"cannot look for artefacts: picture {picture.shape}, reference {reference.shape}; give one size"
        )
    picture, reference = _central(picture), _central(reference)
    shift, distortion = displacement(picture, reference) or (None, None)
    return {
        "checkerboard": lattice_levels(picture, reference, 2),
        "lattice": lattice_levels(picture, reference, 4),
        "blotches": blotch_lab(picture, reference),
        "shift": shift,
        "distortion": distortion,
        "flat_channels": flat_channels(picture, reference),
        "clipped": needlessly_clipped(picture, reference),
    }


def artefact_report(pictures: Iterable[Numbers], limits: ArtefactLimits | None = None) -> dict[str, Any]:
    """What the numbers of many pictures say together, as plain values.

    Returns:
        `verdict`, "clean" or the kinds found; `pictures`; and `checks`, for each kind its `median`, `worst`, `limit`,
        and how many pictures were `measured` and are `over` the limit. A kind is found where more than a twentieth of
        the measured pictures exceed its limit.

    Raises:
        InputError: no picture.
    """
    rows, limits = list(pictures), limits or ArtefactLimits()
    if not rows:
        raise InputError("no picture to look for artefacts in; give at least one")
    checks = {name: _check([row[name] for row in rows], limit) for name, limit in limits.model_dump().items()}
    found = [name for name, check in checks.items() if check["over"] > TOLERATED_SHARE * check["measured"]]
    return {"verdict": ", ".join(found) or CLEAN, "pictures": len(rows), "checks": checks}


def artefact_line(report: dict[str, Any]) -> str:
    """The report in one line for people."""
    if report["verdict"] == CLEAN:
        return f"artefacts: none found in {report['pictures']} pictures"
    return "artefacts: " + "; ".join(
        f"{name} in {check['over']} of {check['measured']} pictures "
        f"(median {check['median']:.2g}, worst {check['worst']:.2g}, limit {check['limit']:g})"
        for name, check in report["checks"].items()
        if name in report["verdict"].split(", ")
    )


def _central(picture: Image8) -> Image8:
    top, left = (max(0, side - LARGEST_SIDE) // 2 for side in picture.shape[:2])
    return picture[top : top + LARGEST_SIDE, left : left + LARGEST_SIDE]


def _check(values: list[float | None], limit: float) -> dict[str, Any]:
    known = [value for value in values if value is not None]
    return {
        "median": statistics.median(known) if known else None,
        "worst": max(known, default=None),
        "limit": limit,
        "measured": len(known),
        "over": sum(value > limit for value in known),
    }
