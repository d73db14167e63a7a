import numpy as np
import pytest

from nas_isp.raw.orientation import turned_back, upright

PICTURE = np.arange(2 * 3 * 3).reshape(2, 3, 3)


@pytest.mark.parametrize(("flip", "quarter_turns"), [(0, 0), (3, 2), (5, 1), (6, -1)])
def test_rotation_codes_turn_the_right_way(flip: int, quarter_turns: int) -> None:
    assert np.array_equal(upright(PICTURE, flip), np.rot90(PICTURE, quarter_turns))


@pytest.mark.parametrize("flip", range(8))
def test_turning_back_undoes_every_code(flip: int) -> None:
    assert np.array_equal(turned_back(upright(PICTURE, flip), flip), PICTURE)


def test_an_impossible_code_is_refused() -> None:
    with pytest.raises(ValueError, match=r"0\.\.7"):
        upright(PICTURE, 8)
