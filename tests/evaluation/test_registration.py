"""A small picture is found in a large one to a tenth of a pixel, whatever their tones; another scene is refused."""

from functools import cache

import numpy as np
import pytest

from nas_isp.evaluation.registration import NotRegisteredError, Placement, covered, reduced, register
from tests.preview_files import Scene, edges, levels

HEIGHT, WIDTH = 480, 640
LARGE_STEP = 1 / WIDTH


@cache
def large() -> np.ndarray:
    return levels(Scene().picture(edges(0, LARGE_STEP, HEIGHT), edges(0, LARGE_STEP, WIDTH)))


def small(scene: Scene, top: float, left: float, tall: float, wide: float, size: tuple[int, int], bend: float = 0.0):
    """A picture of `size` whose corner lies at `top`, `left` of the large one; its pixels are `tall` and `wide`."""
    rows = edges(top * LARGE_STEP, tall * LARGE_STEP, size[0])
    return scene.picture(rows, edges(left * LARGE_STEP, wide * LARGE_STEP, size[1]), bend)


def places(placement: Placement, size: tuple[int, int]) -> np.ndarray:
    """Where corners, middles of the sides and center of the small picture lie in the large one, `(9, 2)`."""
    grid = np.stack(np.meshgrid([-0.5, 0, 0.5], [-0.5, 0, 0.5], indexing="ij"), -1).reshape(-1, 2) * size
    stretch = 1 + placement.bend * (grid**2).sum(1, keepdims=True) * 4 / np.hypot(*size) ** 2
    return np.array(placement.center) + grid * placement.scale * stretch


def look(values: np.ndarray, kind: str) -> np.ndarray:
    """Other tones, colors and flaws of the same picture."""
    height, width = values.shape[:2]
    if kind == "tone":
        return values**0.45
    if kind == "cast":
        return (values @ np.array([[0.5, 0.2, 0.1], [0.3, 0.7, 0.1], [0.1, 0.0, 0.6]])) ** 1.4
    if kind == "vignette and noise":
        y, x = np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j]
        noise = np.random.default_rng(1).normal(0, 0.02, values.shape)
        return values * (1 - 0.25 * (x**2 + y**2))[..., None] + noise
    return values


@pytest.mark.parametrize("kind", ["same", "tone", "cast", "vignette and noise"])
@pytest.mark.parametrize(
    ("top", "left", "tall", "wide", "size", "bend"),
    [
        (0, 0, 2, 2, (240, 320), 0),
        (3.3, 5.7, 2.47, 2.47, (190, 255), 0),
        (40, 90, 3.1, 3.1, (120, 160), 0),  # a part of it, as with digital zoom
        (-42.6, 0.4, 3.55, 3.55, (159, 180), 0),  # with bars above and below
        (1.2, 2.4, 2.52, 2.47, (188, 256), 0),
        (12, 16, 1.9, 1.9, (240, 320), 0.03),  # of a lens that the camera corrects
        (12, 16, 1.9, 1.9, (240, 320), -0.03),
    ],
)
def test_it_is_found_to_a_tenth_of_a_pixel(
    kind: str, top: float, left: float, tall: float, wide: float, size: tuple[int, int], bend: float
) -> None:
    scene = Scene()
    sought = levels(look(small(scene, top, left, tall, wide, size, bend), kind))
    if top < -1:
        sought[: int(-top / tall)] = sought[-int((size[0] * tall + top - HEIGHT) / tall) :] = 0
    found = register(large(), sought)
    middle = (top + size[0] * tall / 2, left + size[1] * wide / 2)
    error = (places(found, size) - places(Placement(middle, (tall, wide), bend), size)) / (tall, wide)
    assert np.sqrt((error**2).mean()) < 0.15
    assert np.abs(error).max() < 0.3


@pytest.mark.parametrize("seed", range(1, 5))
def test_another_scene_is_refused(seed: int) -> None:
    other = small(Scene(seed), 0, 0, 4, 4, (120, 160))
    with pytest.raises(NotRegisteredError, match="correlate"):
        register(large(), levels(other))


@pytest.mark.parametrize("turn", [1, 2, 3])
def test_a_turned_picture_is_refused(turn: int) -> None:
    sought = np.ascontiguousarray(np.rot90(levels(small(Scene(), 0, 0, 4, 4, (120, 160))), turn))
    with pytest.raises(NotRegisteredError):
        register(large(), sought)


def test_a_picture_of_nothing_is_refused() -> None:
    with pytest.raises(NotRegisteredError):
        register(large(), np.full((120, 160, 3), 90, np.uint8))


def test_noise_is_refused() -> None:
    noise = np.random.default_rng(0).integers(0, 256, (120, 160, 3)).astype(np.uint8)
    with pytest.raises(NotRegisteredError):
        register(large(), noise)


def test_a_whole_factor_gives_means_of_blocks() -> None:
    picture = np.random.default_rng(0).integers(0, 256, (12, 20, 3)).astype(np.uint8)
    found = reduced(picture, Placement((6, 10), (4, 4)), (3, 5))
    np.testing.assert_allclose(found, picture.reshape(3, 4, 5, 4, 3).mean((1, 3)), atol=1e-9)


def test_a_fraction_of_a_pixel_counts_as_such() -> None:
    row = np.array([[10.0, 20.0, 40.0, 80.0, 160.0]])[..., None]
    found = reduced(np.repeat(row, 4, 0), Placement((2, 2.5), (4, 2.5)), (1, 2))
    # 2.5 pixels from 0: 10 + 20 + half of 40; from 2.5: half of 40, 80, 160.
    np.testing.assert_allclose(found.ravel(), [50 / 2.5, 260 / 2.5], atol=1e-9)


def test_what_lies_outside_is_not_covered() -> None:
    inside = covered(Placement((5, 10), (2, 2)), (10, 18), (5, 10))
    assert inside.shape == (5, 10)
    assert inside[:, :9].all()
    assert not inside[:, 9].any()
