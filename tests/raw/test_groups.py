"""Captures are grouped by what their files say, not by make and model."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from nas_isp.errors import InputError
from nas_isp.raw.capture import Capture
from nas_isp.raw.groups import SensorFacts, chosen, grouped, listed, same_levels, sensor_facts
from nas_isp.raw.image import RawImage
from nas_isp.raw.readers import read_raw
from tests.dng_files import XYZ_TO_CAMERA, write_dng

ONE = SensorFacts("", "Phone", "", 4.4, (64, 48), "RGGB", (64.0,) * 4, 1023.0, XYZ_TO_CAMERA, (1.0, 0.0, 0.0))
FOLDER = Path("captures")


@pytest.mark.parametrize(
    "change",
    [
        {"group": "wide"},
        {"camera": "Phone back 2"},
        {"lens": "wide 1.5 mm"},
        {"focal_mm": 1.5},
        {"size": (48, 64)},
        {"cfa": "BGGR"},
        {"black": (256.0,) * 4},
        {"white": 4095.0},
        {"calibration": (*XYZ_TO_CAMERA[:8], 0.7)},
        {"calibration": XYZ_TO_CAMERA * 2},
        {"calibration": ()},
    ],
)
def test_each_fact_tells_sensors_apart(change):
    groups = grouped([ONE, replace(ONE, **change), ONE])
    assert [group.members for group in groups] == [[0, 2], [1]]
    assert len({group.name for group in groups}) == 2


@pytest.mark.parametrize(
    "change",
    [
        {"black": (64.5, 63.5, 64.0, 65.0)},
        {"white": 1020.0},
        {"matrix": (0.5, 0.2, 0.3)},
        {"calibration": tuple(value + 1e-4 for value in XYZ_TO_CAMERA)},
    ],
)
def test_what_varies_within_one_sensor_does_not(change):
    """Black drifts with temperature; the matrix in the light of a capture changes with the light."""
    assert len(grouped([ONE, replace(ONE, **change)])) == 1


def test_without_a_calibration_the_matrix_counts():
    bare = replace(ONE, calibration=())
    assert len(grouped([bare, replace(bare, matrix=(0.5, 0.2, 0.3))])) == 2


def test_focal_lengths_of_a_zoom_are_one_group():
    zoom = [replace(ONE, focal_mm=length) for length in (24.0, 28.0, 31.0, 50.0, 70.0)]
    (group,) = grouped(zoom)
    assert "mm" not in group.name
    assert len(grouped(zoom[:3])) == 3
    assert len(grouped([replace(facts, lens="24-70 mm") for facts in zoom[:3]])) == 1


def test_the_largest_group_is_the_first_and_names_say_what_it_is():
    uw = replace(ONE, camera="Phone back 2", focal_mm=None, black=(1024.0,) * 4, white=16383.0, cfa="GRBG")
    groups = grouped([uw, ONE, ONE])
    assert listed([(group.name, len(group.members)) for group in groups]) == [
        "1: Phone, 4.4 mm, 48x64 RGGB 64..1023 (2)",
        "2: Phone back 2, 48x64 GRBG 1024..16383 (1)",
    ]


def test_a_group_is_chosen_by_number_or_name():
    groups = grouped([ONE, ONE, replace(ONE, camera="Phone back 2", group="wide"), replace(ONE, group="wider")])
    assert chosen(groups, "2", FOLDER).members == [2]
    assert chosen(groups, "BACK 2", FOLDER).members == [2]
    assert chosen(groups, "wide", FOLDER).members == [2]
    for wanted, found in (("phone", 3), ("4", 0), ("tele", 0), ("", 3)):
        with pytest.raises(InputError, match=f"group '{wanted}': {found} of the groups .* in captures fit; .*1: Phone"):
            chosen(groups, wanted, FOLDER)


def test_make_and_model_do_not_hide_another_camera_of_a_phone(tmp_path):
    mosaic = np.random.default_rng(0).integers(64, 1024, (32, 48), np.uint16)
    names = [(271, "s", 0, "Maker", True), (272, "s", 0, "Phone", True)]
    write_dng(tmp_path / "a.dng", mosaic, extra_tags=names)
    write_dng(
        tmp_path / "b.dng", mosaic, extra_tags=names, xyz_to_camera=(0.8, -0.1, 0, -0.5, 1.3, 0.2, -0.1, 0.4, 0.5)
    )
    groups = grouped([sensor_facts(read_raw(tmp_path / name)) for name in ("a.dng", "b.dng")])
    assert [group.name for group in groups] == [
        "Test camera, 48x32 RGGB 61.5..1023",
        "Test camera, 48x32 RGGB 61.5..1023, color matrix 2",
    ]


def test_bare_mosaics_of_any_size_are_one_group():
    raws = [
        RawImage(
            mosaic=np.zeros(size, np.uint16),
            cfa="RGGB",
            black=(64,) * 4,
            white=1023,
            capture=Capture(model="x"),
            source="a.png",
        )
        for size in ((8, 8), (16, 8))
    ]
    assert len(grouped([sensor_facts(raw) for raw in raws])) == 1


def test_levels_are_compared_over_their_range():
    assert same_levels((64,) * 4, 1023, (70, 60, 64, 66), 1015)
    assert not same_levels((64,) * 4, 1023, (1024,) * 4, 16383)
    assert not same_levels((64,) * 4, 1023, (0,) * 4, 1023)


def test_the_folder_of_a_bug_report(shared_data):
    folder = shared_data / "cases/05_mixed_folder"
    groups = grouped([sensor_facts(read_raw(path)) for path in sorted(folder.glob("*.dng"))])
    assert [(group.facts.cfa, group.facts.white) for group in groups] == [("RGGB", 1023), ("GRBG", 16383)]
