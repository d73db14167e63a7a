"""The sRGB curve of arrays has the values of the standard, and is undone."""

import numpy as np
import pytest

from nas_isp.raw.srgb import decoded, encoded


def test_values_are_those_of_the_standard() -> None:
    # IEC 61966-2-1: 0.214041 is mid gray, 0.0031308 the end of the straight part; what lies outside is cut.
    given = np.array([-0.1, 0.0, 0.0031308, 0.214041, 1.0, 2.0], np.float32)
    assert encoded(given).tolist() == pytest.approx([0, 0, 0.04045, 0.5, 1, 1], abs=1e-4)


def test_curves_undo_each_other() -> None:
    values = np.linspace(0, 1, 101, dtype=np.float32)
    assert np.abs(decoded(encoded(values)) - values).max() < 1e-5
