"""Gain maps beside bare mosaics do what those of DNG files do."""

import numpy as np
import pytest

from nas_isp.data.inspection import inspect_files, not_read
from nas_isp.data.raw_patches import cut_raw_patches, table_facts
from nas_isp.errors import InputError
from nas_isp.raw.packing import CANONICAL_SITES, align_to_rggb, pack
from nas_isp.raw.readers import list_raw_files, read_raw, told_header
from nas_isp.raw.sensor import SensorDescription
from nas_isp.raw.shading_maps import read_shading_map
from tests.dng_files import gain_map, opcode_list, write_dng

HEIGHT, WIDTH = 48, 64
APPLIED = "lens shading corrected by the gain map beside it"


def gains_of_planes() -> np.ndarray:
    """Rise to the corners, otherwise in each plane."""
    down, across = np.linspace(-1, 1, 5), np.linspace(-1, 1, 7)
    rise = down[:, None] ** 2 + 0.5 * across**2
    return np.stack([1 + rise * strength for strength in (1.0, 0.8, 0.7, 0.5)], axis=-1).astype(np.float32)


def place(folder, mosaic, row="shading.npy", name="a.npy"):
    np.save(folder / name, mosaic)
    (folder / "captures.tsv").write_text(f"file\tshading\n{name}\t{row}\n")
    return folder / name


@pytest.mark.parametrize("cfa", CANONICAL_SITES)
def test_a_bare_mosaic_comes_out_as_a_dng_file_with_the_same_map(tmp_path, cfa):
    black = (60, 61, 62, 63)
    mosaic = np.random.default_rng(0).integers(64, 1024, (HEIGHT, WIDTH)).astype(np.uint16)
    gains = gains_of_planes()
    maps = [
        gain_map(np.ascontiguousarray(gains[..., plane]), (*site, HEIGHT, WIDTH), (2, 2))
        for plane, site in enumerate(CANONICAL_SITES[cfa])
    ]
    content = opcode_list(*maps)
    tag = (51009, 7, len(content), content, True)
    wanted = read_raw(write_dng(tmp_path / "b.dng", mosaic, cfa=cfa, black=black, extra_tags=[tag]))
    np.save(tmp_path / "shading.npy", gains)
    sensor = SensorDescription(cfa=cfa, black=black, white=1023)
    path = place(tmp_path, mosaic)
    raw = read_raw(path, sensor)
    np.testing.assert_array_equal(raw.mosaic, wanted.mosaic)
    assert (raw.black, raw.white) == (wanted.black, wanted.white)
    assert raw.applied == (APPLIED,)
    plain = read_raw(path, sensor, shading=False)
    np.testing.assert_array_equal(plain.mosaic, mosaic)
    assert (plain.applied, plain.left) == ((), ("the lens shading gain map beside it is not applied",))
    header = told_header(path, sensor)
    assert header is not None
    assert (header.black, header.applied) == (raw.black, raw.applied)


def test_a_map_of_text_has_one_plane_or_four(tmp_path):
    gains = gains_of_planes()
    blocks = ["\n".join("\t".join(map(str, line)) for line in gains[..., plane].tolist()) for plane in range(4)]
    (tmp_path / "four.tsv").write_text("\n\n".join(blocks) + "\n")
    (tmp_path / "one.tsv").write_text(blocks[0])
    np.testing.assert_allclose(read_shading_map(tmp_path / "four.tsv"), gains)
    np.testing.assert_allclose(read_shading_map(tmp_path / "one.tsv"), np.repeat(gains[..., :1], 4, axis=-1))


def test_a_flat_scene_is_flat_again_after_training_s_cut(tmp_path):
    """The gains of the map's points are the lens's, on a straight line between them."""
    rise = np.linspace(1, 3, WIDTH, endpoint=False) + 1 / WIDTH  # at the middle of each pixel
    np.save(tmp_path / "shading.npy", np.array([[1.0, 3.0], [1.0, 3.0]]))
    mosaic = np.tile(np.rint(64 + 8000 / rise), (HEIGHT, 1)).astype(np.uint16)
    sensor = SensorDescription(cfa="GRBG", bits=14, black=64, white=16383)
    path = place(tmp_path, mosaic)
    np.testing.assert_allclose(pack(align_to_rggb(read_raw(path, sensor))), 8000 / 16319, rtol=1e-3)
    cut = cut_raw_patches(tmp_path, tmp_path / "cache", 16, sensor)
    values = (cut.packed - cut.black[:, :, None, None]) / (cut.white - cut.black[:, 0])[:, None, None, None]
    np.testing.assert_allclose(values, 8000 / 16319, rtol=1e-3)
    assert cut.corrections == {APPLIED: 1}
    assert not cut.sensor.shading_left
    left = cut_raw_patches(tmp_path, tmp_path / "cache", 16, sensor, shading=False)
    assert left.sensor.shading_left
    assert left.packed.max() > left.packed.min()


def test_a_map_is_no_capture_and_no_unread_file(tmp_path):
    np.save(tmp_path / "shading.npy", gains_of_planes())
    path = place(tmp_path, np.full((HEIGHT, WIDTH), 200, np.uint16))
    (tmp_path / "sensor.json").write_text('{"cfa": "RGGB", "white": 1023}')
    assert list_raw_files(tmp_path) == [path]
    facts = inspect_files(tmp_path)
    assert [fact.corrections for fact in facts] == [(APPLIED,)]
    assert not_read(tmp_path, facts) == []


def test_another_map_is_another_data_set(tmp_path):
    np.save(tmp_path / "shading.npy", gains_of_planes())
    place(tmp_path, np.full((HEIGHT, WIDTH), 200, np.uint16))
    before = table_facts(tmp_path)
    np.save(tmp_path / "shading.npy", gains_of_planes()[:3])
    assert table_facts(tmp_path) != before


@pytest.mark.parametrize("row", ["/etc/map.npy", "../map.npy", "map.txt", "b/../../map.tsv"])
def test_a_map_outside_of_the_folder_is_refused(tmp_path, row):
    sensor = SensorDescription(cfa="RGGB", white=1023)
    with pytest.raises(InputError, match=r"line 2: shading .*; give the name of a gain map"):
        read_raw(place(tmp_path, np.full((8, 8), 200, np.uint16), row), sensor)


@pytest.mark.parametrize(
    ("gains", "reason"),
    [
        (np.zeros((3, 4)), "gains 0 to 0"),
        (np.full((3, 4), np.nan), "gains nan"),
        (np.full((3, 4), 1000.0), "at most 100"),
        (np.ones((3, 4, 3)), "shape 3x4x3"),
        (np.ones(5), "shape 5; give gains"),
        (np.array([["a"]]), "no numbers"),
        (np.ones((5000, 1)), "shape 5000x1x4"),
        (np.ones((2000, 2000)), "bytes; a gain map has at most"),
        (None, "no such gain map"),
    ],
)
def test_what_is_no_map_is_refused_by_name(tmp_path, gains, reason):
    if gains is not None:
        np.save(tmp_path / "shading.npy", gains)
    with pytest.raises(InputError, match=reason) as refused:
        read_raw(place(tmp_path, np.full((8, 8), 200, np.uint16)), SensorDescription(cfa="RGGB", white=1023))
    assert "shading.npy" in str(refused.value)


def test_damaged_text_is_refused(tmp_path):
    for text in ("1\tx\n", "1\t2\n1\n", ""):
        (tmp_path / "map.tsv").write_text(text)
        with pytest.raises(InputError, match=r"map\.tsv: not a readable gain map|shape"):
            read_shading_map(tmp_path / "map.tsv")
