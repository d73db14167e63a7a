"""The light that a network takes for neutral is found, and not made up."""

import numpy as np
import pytest

from nas_isp.evaluation.neutral import neutral_gains

Floats = np.ndarray


def network(red: float, blue: float, mixing: float = 0.0) -> "object":
    """Balances for one light, mixes colors and applies a tone curve."""

    def render(packed: Floats) -> Floats:
        rgb = np.stack([packed[0] * red, packed[1:3].mean(0), packed[3] * blue])
        mixed = (1 + 2 * mixing) * rgb - mixing * (rgb.sum(0, keepdims=True) - rgb)
        return np.clip(mixed, 0, None).repeat(2, 1).repeat(2, 2) ** (1 / 2.2)

    return render


@pytest.mark.parametrize("mixing", [0.0, 0.15])
@pytest.mark.parametrize("gains", [(1.5, 1.4), (2.6, 1.1), (0.9, 2.9)])
def test_the_light_of_a_known_network_is_found(gains: tuple[float, float], mixing: float) -> None:
    found = neutral_gains(network(*gains, mixing), (1.8, 1.0, 1.6), side=4)  # type: ignore[arg-type]
    assert found is not None
    assert np.allclose(found, (gains[0], 1, gains[1]), rtol=0.01)


def test_only_the_ratios_of_the_start_count() -> None:
    one, other = (
        neutral_gains(network(2.0, 1.5), start, side=4)  # type: ignore[arg-type]
        for start in ((1.8, 1.0, 1.6), (3.6, 2.0, 3.2))
    )
    assert one == other


def test_a_network_that_gives_one_color_or_nothing_has_no_neutral_light() -> None:
    for color in (0.0, 0.5, 1.0):
        tinted = np.float32([0.8, 1, 0.6])[:, None, None] * color
        found = neutral_gains(lambda p, c=tinted: np.broadcast_to(c, (3, 8, 8)).copy(), (1.8, 1, 1.6), side=4)
        assert found is None
