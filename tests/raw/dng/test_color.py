"""Gains and matrices of DNG files, for sensors whose colors are known because the test has made them up."""

import struct
from pathlib import Path

import numpy as np
import pytest

from nas_isp.raw.dng.color import XYZ_OF_SRGB, dng_color
from nas_isp.raw.dng.illuminants import adaptation, chromaticity_of, temperature_and_tint, temperature_of, xyz_of
from nas_isp.raw.dng.tags import DngTags
from nas_isp.raw.readers import read_raw
from tests.dng_files import fractions, write_dng

WARM = np.array(((0.8, -0.1, -0.1), (-0.5, 1.4, 0.1), (-0.1, 0.3, 0.4)))
COOL = np.array(((1.0, -0.3, -0.05), (-0.4, 1.2, 0.2), (-0.05, 0.2, 0.6)))
A, D65, D50 = (0.44757, 0.40745), (0.31271, 0.32902), (0.3457, 0.3585)
MOSAIC = np.full((32, 48), 500, np.uint16)


def colors(light: tuple[float, float], matrix: np.ndarray) -> np.ndarray:
    """White-balanced camera RGB to sRGB as the specification builds it, step by step on the three primaries."""
    neutral = matrix @ xyz_of(light)
    columns = []
    for primary in np.eye(3):
        xyz = adaptation(light, (0.31273, 0.32902)) @ np.linalg.solve(matrix, primary * neutral)
        columns.append(np.linalg.solve(XYZ_OF_SRGB, xyz))
    return np.stack(columns, axis=1)


@pytest.mark.parametrize(("light", "kelvin"), [(A, 2856), (D50, 5001), (D65, 6504), ((0.2990, 0.3149), 7504)])
def test_temperatures_of_standard_lights(light: tuple[float, float], kelvin: float) -> None:
    """The published ones of A, D50, D65 and D75."""
    assert temperature_of(light) == pytest.approx(kelvin, rel=2e-3)


def test_a_white_is_adapted_to_the_other() -> None:
    found = chromaticity_of(adaptation(A, D65) @ xyz_of(A))
    assert found == pytest.approx(D65)
    published = [
        [1.0478112, 0.0228866, -0.0501270],
        [0.0295424, 0.9904844, -0.0170491],
        [-0.0092345, 0.0150436, 0.7521316],
    ]
    np.testing.assert_allclose(adaptation((0.312727, 0.329023), (0.345669, 0.358496)), published, atol=3e-4)


def test_a_chromaticity_says_the_same_as_the_neutral_of_its_light() -> None:
    neutral = COOL @ xyz_of(D50)
    by_color = dng_color(DngTags(as_shot_neutral=tuple(neutral), color_matrices=(COOL, None)))
    by_light = dng_color(DngTags(as_shot_white_xy=D50, color_matrices=(COOL, None)))
    assert by_light.white_balance == pytest.approx((neutral[1] / neutral[0], 1, neutral[1] / neutral[2]))
    assert by_color.white_balance == pytest.approx(by_light.white_balance)
    assert by_color.light == pytest.approx(D50, abs=1e-6)
    assert by_color.color_matrix is not None
    assert by_light.color_matrix is not None
    np.testing.assert_allclose(by_color.color_matrix, by_light.color_matrix, atol=1e-9)


def test_the_only_matrix_is_the_sensors_in_any_light() -> None:
    found = [dng_color(DngTags(as_shot_white_xy=light, color_matrices=(COOL, None))) for light in (A, D50, D65)]
    for one in found:
        assert one.color_matrix is not None
        np.testing.assert_allclose(one.color_matrix, colors(D65, COOL), atol=2e-4)
        np.testing.assert_allclose(one.color_matrix.sum(axis=1), 1)


def test_analog_balance_and_calibration_change_the_gains_of_a_light_and_no_colors() -> None:
    balance, own = np.diag((2.0, 1.0, 1.5)), np.diag((1.1, 1.0, 0.9))
    tags = DngTags(
        as_shot_white_xy=D50,
        color_matrices=(COOL, None),
        analog_balance=(2.0, 1.0, 1.5),
        camera_calibrations=(own, None),
    )
    neutral = balance @ own @ COOL @ xyz_of(D50)
    found = dng_color(tags)
    assert found.white_balance == pytest.approx((neutral[1] / neutral[0], 1, neutral[1] / neutral[2]))
    assert found.color_matrix is not None
    np.testing.assert_allclose(found.color_matrix, colors(D65, COOL), atol=2e-4)


def test_calibrations_that_are_signed_for_another_profile_are_left_out() -> None:
    own = np.diag((1.1, 1.0, 0.9))
    tags = {"as_shot_white_xy": D50, "color_matrices": (COOL, None)}
    plain = dng_color(DngTags(**tags))
    foreign = dng_color(DngTags(**tags, camera_calibrations=(own, None), calibration_signatures_match=False))
    assert foreign.white_balance == plain.white_balance


@pytest.mark.parametrize(
    ("light", "share"),
    [
        (A, (1 / 2856 - 1 / 6500) / (1 / 2850 - 1 / 6500)),
        (D65, 0.0),
        (D50, (1 / 5001 - 1 / 6500) / (1 / 2850 - 1 / 6500)),
    ],
)
def test_matrices_of_two_lights_are_interpolated_over_the_reciprocal_temperature(
    light: tuple[float, float], share: float
) -> None:
    mixed = share * WARM + (1 - share) * COOL
    neutral = mixed @ xyz_of(light)
    for said in ({"as_shot_white_xy": light}, {"as_shot_neutral": tuple(neutral)}):
        found = dng_color(DngTags(**said, color_matrices=(WARM, COOL), illuminants=(17, 21)))
        assert found.color_matrix is not None
        np.testing.assert_allclose(found.color_matrix, colors(light, mixed), atol=2e-3)
        assert found.white_balance == pytest.approx((neutral[1] / neutral[0], 1, neutral[1] / neutral[2]), rel=2e-3)
        assert found.sensor_matrix is not None
        np.testing.assert_allclose(found.sensor_matrix, colors(D65, COOL), atol=1e-3)


SHADE, GREENISH = (0.2990, 0.3149), (0.37208, 0.37529)
THIRD = np.array(((0.9, -0.2, -0.1), (-0.5, 1.3, 0.2), (0.0, 0.25, 0.5)))
THREE = {"color_matrices": (WARM, COOL, THIRD), "illuminants": (17, 21, 2)}


@pytest.mark.parametrize(("light", "kelvin", "tint"), [(D65, 6504, 10), (D50, 5001, 10), (A, 2855, 0)])
def test_tints_of_standard_lights(light: tuple[float, float], kelvin: float, tint: float) -> None:
    """What Adobe's programs show for them."""
    found = temperature_and_tint(light)
    assert found[0] == pytest.approx(kelvin, rel=2e-3)
    assert found[1] == pytest.approx(tint, abs=0.5)


def sdk_weights(light: tuple[float, float], lights: tuple[tuple[float, float], ...]) -> list[float]:
    """The rule of the DNG SDK written out, with temperatures and tints of its own table."""
    own_kelvin, own_tint = temperature_and_tint(light)
    shares = []
    for kelvin, tint in map(temperature_and_tint, lights):
        square = (1500 / own_kelvin - 1500 / kelvin) ** 2 + ((own_tint - tint) / 200) ** 2
        shares.append(1 / (square + 1e-8))
    total = sum(shares)
    smooth = [share**2 / total**2 * (3 - 2 * share / total) for share in shares]
    kept = [max((one - 0.02) / 0.98, 0) for one in smooth]
    return [one / sum(kept) for one in kept]


@pytest.mark.parametrize("light", [A, D65, GREENISH, D50, SHADE, (0.40, 0.36), (0.36, 0.40)])
def test_matrices_of_three_lights_are_weighed_by_temperature_and_tint(light: tuple[float, float]) -> None:
    first, second, third = sdk_weights(light, ((0.4476, 0.4074), (0.3127, 0.3290), GREENISH))
    mixed = first * WARM + second * COOL + third * THIRD
    neutral = mixed @ xyz_of(light)
    found = dng_color(DngTags(as_shot_white_xy=light, **THREE))
    assert found.color_matrix is not None
    np.testing.assert_allclose(found.color_matrix, colors(light, mixed), atol=1e-3)
    assert found.white_balance == pytest.approx((neutral[1] / neutral[0], 1, neutral[1] / neutral[2]))
    by_color = dng_color(DngTags(as_shot_neutral=tuple(neutral), **THREE))
    assert by_color.white_balance == pytest.approx(found.white_balance)


def test_at_each_of_three_lights_its_own_matrix_counts() -> None:
    for light, matrix in (((0.4476, 0.4074), WARM), ((0.3127, 0.3290), COOL), (GREENISH, THIRD)):
        found = dng_color(DngTags(as_shot_white_xy=light, **THREE))
        assert found.color_matrix is not None
        np.testing.assert_allclose(found.color_matrix, colors(light, matrix), atol=1e-3)
        assert found.sensor_matrix is not None
        np.testing.assert_allclose(found.sensor_matrix, colors(D65, COOL), atol=1e-3)


def test_a_third_light_that_is_not_known_leaves_the_two_others() -> None:
    two = dng_color(DngTags(as_shot_white_xy=D50, color_matrices=(WARM, COOL), illuminants=(17, 21)))
    for lights in ((17, 21, 0), (17, 21, 255), (17, 21, 21)):
        found = dng_color(DngTags(as_shot_white_xy=D50, color_matrices=(WARM, COOL, THIRD), illuminants=lights))
        assert found.color_matrix is not None
        assert two.color_matrix is not None
        np.testing.assert_array_equal(found.color_matrix, two.color_matrix)


@pytest.mark.parametrize("order", ["<", ">"])
def test_a_file_describes_its_third_light_itself(tmp_path: Path, order: str) -> None:
    """IlluminantData, in the file's order of bytes, and the third matrices."""
    described = struct.pack(f"{order}H4I", 0, *fractions(GREENISH, 100_000))
    tags = [
        (50729, "2I", 2, fractions(GREENISH, 100_000), True),
        (50722, "2i", 9, fractions(WARM.ravel()), True),
        (52531, "2i", 9, fractions(THIRD.ravel()), True),
        (50778, "H", 1, 21, True),
        (50779, "H", 1, 17, True),
        (52529, "H", 1, 255, True),
        (52535, 7, len(described), described, True),
    ]
    path = write_dng(tmp_path / "a.dng", MOSAIC, neutral=None, extra_tags=tags, byteorder=order)
    raw = read_raw(path)
    neutral = THIRD @ xyz_of(GREENISH)
    assert raw.white_balance == pytest.approx((neutral[1] / neutral[0], 1, neutral[1] / neutral[2]), rel=1e-3)
    assert raw.color_matrix is not None
    np.testing.assert_allclose(raw.color_matrix, colors(GREENISH, THIRD), atol=2e-3)
    assert len(raw.capture.calibration) == 27


def test_a_forward_matrix_is_preferred_and_brings_white_to_white() -> None:
    forward = np.array(((0.6, 0.3, 0.0642), (0.25, 0.8, -0.05), (0.02, -0.1, 0.9051)))
    tags = DngTags(as_shot_white_xy=A, color_matrices=(COOL, None), forward_matrices=(forward, None))
    found = dng_color(tags).color_matrix
    assert found is not None
    np.testing.assert_allclose(found, np.linalg.inv(adaptation(D65, D50) @ XYZ_OF_SRGB) @ forward, atol=1e-3)


def test_a_file_arrives_with_them(tmp_path: Path) -> None:
    path = write_dng(
        tmp_path / "a.dng",
        MOSAIC,
        neutral=None,
        extra_tags=[
            (50729, "2I", 2, fractions(D65, 100_000), True),
            (50722, "2i", 9, fractions(WARM.ravel()), True),
            (50778, "H", 1, 21, True),
            (50779, "H", 1, 17, True),
        ],
    )
    raw = read_raw(path)
    neutral = COOL @ xyz_of(D65)
    assert raw.white_balance == pytest.approx((neutral[1] / neutral[0], 1, neutral[1] / neutral[2]), rel=1e-4)
    assert raw.color_matrix is not None
    np.testing.assert_allclose(raw.color_matrix, colors(D65, COOL), atol=1e-3)


@pytest.mark.parametrize("bad", [((1, 1, 1),) * 3, ((0, 0, 0),) * 3, ((1e300, 0, 0), (0, 1e300, 0), (0, 0, 1e300))])
def test_matrices_that_no_sensor_has_cost_the_matrix_alone(bad: tuple[tuple[float, ...], ...]) -> None:
    found = dng_color(DngTags(as_shot_neutral=(0.5, 1, 0.6), color_matrices=(np.array(bad, float), None)))
    assert found.white_balance == pytest.approx((2, 1, 1 / 0.6))


def test_the_cases_of_the_shared_data(shared_data: Path) -> None:
    by_light, by_color = (
        read_raw(shared_data / "cases/01_asshot_whitexy" / name) for name in ("xy.dng", "neutral.dng")
    )
    assert by_light.white_balance == pytest.approx((1.572, 1, 1.514), abs=5e-4)
    assert by_color.white_balance == pytest.approx((1.572, 1, 1.514), abs=5e-4)
    assert by_light.color_matrix is not None
    assert by_color.color_matrix is not None
    np.testing.assert_allclose(by_light.color_matrix, by_color.color_matrix, atol=1e-6)
    np.testing.assert_allclose(by_light.color_matrix[0], (1.811, -0.467, -0.345), atol=1e-3)
