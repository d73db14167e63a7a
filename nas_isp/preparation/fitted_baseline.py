"""The classical rendering of a data set and the look of its photos, fitted without pairs."""

import numpy as np
from numpy.typing import NDArray

from nas_isp.data.patches import PhotoPatches, RawPatches
from nas_isp.preparation.camera_fit import typical_matrix
from nas_isp.preparation.classical_baseline import ClassicalBaseline
from nas_isp.preparation.content_reference import common_color_matrix, matching_exposure, rendering_of
from nas_isp.preparation.look import Row
from nas_isp.preparation.look_fit import fit_look
from nas_isp.raw.light import LightChoice
from nas_isp.raw.sensor import Gains


def fitted_baseline(
    raw: RawPatches, photos: PhotoPatches, gains: NDArray[np.float32], common: Gains, light: LightChoice, metered: bool
) -> ClassicalBaseline:
    """Matrix and exposure of the captures, and the look of the photos.

    Args:
        gains: of each RAW patch `(N, 3)`.
        common: gains that suit the captures on the whole.
        light: how the gains were chosen.
        metered: see `fit_look`.
    """
    known = common_color_matrix(raw)
    exposure = matching_exposure(raw, photos, rendering_of(common, known))
    look, network_input = fit_look(raw, photos, gains, common, _rows(known), metered)
    return ClassicalBaseline(known, exposure, look, network_input.model_copy(update={"light": light.source}))


def _rows(known: list[list[float]] | None) -> tuple[Row, Row, Row]:
    """A matrix as the look takes it: rows of sum 1; a typical camera's where none is known."""
    matrix = typical_matrix() if known is None else np.array(known, np.float64)
    if not np.isfinite(matrix).all() or abs(np.linalg.det(matrix)) < 1e-3:
        matrix = typical_matrix()
    first, second, third = (
        (float(row[0]), float(row[1]), float(row[2])) for row in (matrix / matrix.sum(1, keepdims=True)).tolist()
    )
    return first, second, third
