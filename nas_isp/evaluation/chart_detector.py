"""Finds a ColorChecker Classic in a picture, by the detector of OpenCV (module mcc), which is an extra."""

import itertools
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nas_isp.errors import InputError
from nas_isp.evaluation.color_chart import Corners
from nas_isp.evaluation.metrics import Image8

LONG_SIDES = (1200, 600, 2400, 4800)
"""The picture is looked through at these sizes until a chart is found: noise and detail mislead the detector."""

TRIES = 3
"""With another seed each: the detector clusters at random."""


def find_chart(picture: Image8) -> Corners | None:
    """The corners of a chart in order around it, in pixels x, y; None where none is found.

    Args:
        picture: sRGB `(H, W, 3)`.

    Raises:
        InputError: OpenCV with its contributed modules is not installed.
    """
    cv2 = _opencv()
    height, width = picture.shape[:2]
    bgr: NDArray[np.uint8] = np.ascontiguousarray(picture[..., ::-1])
    for seed, side in itertools.product(range(TRIES), LONG_SIDES):
        scale = min(1.0, side / max(height, width))
        size = max(1, round(width * scale)), max(1, round(height * scale))
        cv2.setRNGSeed(seed)
        detector = cv2.mcc.CCheckerDetector_create()
        try:
            found = detector.process(cv2.resize(bgr, size, interpolation=cv2.INTER_AREA), 1)
        except cv2.error:
            continue  # of pictures too small for it
        if found:
            box = np.array(detector.getBestColorChecker().getBox(), np.float64) / scale
            inside = np.clip(box, 0, (width, height))
            return [(float(x), float(y)) for x, y in inside]
    return None


def _opencv() -> Any:
    missing = InputError(
        "finding a chart needs OpenCV's contributed modules: pip install 'nas_isp[chart]', or give its corners",
        "corners",
    )
    try:
        import cv2
    except ImportError as error:
        raise missing from error
    if not hasattr(cv2, "mcc"):
        raise missing
    return cv2
