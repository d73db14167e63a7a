"""A developed picture does not depend on how it was cut, keeps its geometry and stands upright."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from nas_isp.develop.pipeline import develop, develop_as, develop_packed, to_levels, whole_picture_means
from nas_isp.errors import InputError
from nas_isp.generators.build import fuse
from nas_isp.raw.image import RawImage
from nas_isp.raw.packing import pack
from nas_isp.raw.readers import read_raw
from nas_isp.raw.sensor import Cfa
from nas_isp.runtimes.base import Floats, Runner, Sums
from nas_isp.runtimes.torch_runner import TorchRunner
from tests.export.export_cases import PLAIN_CASES, SENSOR, bundle_of

FILE_MATRIX = np.array([[1.9, -0.8, -0.1], [-0.3, 1.7, -0.4], [0.1, -0.6, 1.5]], np.float32)
MODEL_MATRIX = ((1.6, -0.4, -0.2), (-0.2, 1.5, -0.3), (0.0, -0.5, 1.5))

RUNNERS: dict[str, TorchRunner] = {name: TorchRunner(bundle_of(a), name) for name, a in PLAIN_CASES.items()}


def random_raw(height: int, width: int, seed: int = 0) -> RawImage:
    mosaic = np.random.default_rng(seed).integers(0, 1024, (height, width)).astype(np.uint16)
    return RawImage(mosaic=mosaic, cfa="RGGB", black=(64.0,) * 4, white=1023.0)


class LevelsRunner(Runner):
    """Shows the packed red plane as gray, so that geometry can be read off the picture."""

    def __init__(self) -> None:
        super().__init__("levels", None, halo=0, step=1, has_global_head=False)

    def run(self, packed: Floats, pooled: Floats | None = None, factors: Floats | None = None) -> Floats:
        return np.repeat(np.repeat(packed[:1], 2, axis=1), 2, axis=2).repeat(3, axis=0)

    def feature_sums(self, packed: Floats, factors: Floats | None = None) -> Sums:
        raise AssertionError("has no head")

    def prepared(self, packed: Floats) -> object:
        raise AssertionError("is not timed")


@pytest.mark.parametrize("name", PLAIN_CASES)
@settings(max_examples=5, deadline=None)
@given(height=st.integers(4, 40), width=st.integers(4, 40), spare=st.integers(0, 12))
def test_any_tile_gives_the_picture_of_one_piece(name: str, height: int, width: int, spare: int) -> None:
    runner, raw = RUNNERS[name], random_raw(2 * height, 2 * width)
    tile = 2 * (2 * runner.halo + runner.step + spare)
    whole = develop(runner, raw, tile=4096).astype(int)
    assert np.abs(develop(runner, raw, tile=tile) - whole).max() <= 1


@pytest.mark.parametrize("name", ["plain", "quarter", "color-head"])
def test_the_picture_is_that_of_the_network(name: str) -> None:
    raw, bundle = random_raw(44, 60), bundle_of(PLAIN_CASES[name])
    net = fuse_of(name)
    with torch.no_grad():
        rgb = net(torch.from_numpy(pack(raw))[None])[0].numpy()
    expected = np.floor(np.clip(rgb, 0, 1) * 255 + 0.5).transpose(1, 2, 0)
    runner = TorchRunner(bundle, name)
    assert np.abs(develop_packed(runner, pack(raw), tile=4096) - expected).max() <= 1


@pytest.mark.parametrize("name", ["plain", "quarter"])
def test_a_flat_picture_stays_flat_up_to_its_borders(name: str) -> None:
    flat = RawImage(mosaic=np.full((44, 52), 500, np.uint16), cfa="RGGB", black=(64.0,) * 4, white=1023.0)
    picture = develop(RUNNERS[name], flat).astype(int)
    cells = picture.reshape(11, 4, 13, 4, 3)
    assert np.abs(cells - cells[5:6, :, 6:7]).max() <= 1


@pytest.mark.parametrize("name", ["plain", "quarter"])
def test_the_inside_of_the_picture_is_that_of_the_network(name: str) -> None:
    raw, runner = random_raw(88, 96), RUNNERS[name]
    far = 2 * (runner.halo + runner.step)
    whole, bare = develop(runner, raw), develop_packed(runner, pack(raw))
    assert np.abs(whole.astype(int) - bare)[far:-far, far:-far].max() <= 1


@pytest.mark.parametrize("name", ["plain", "quarter"])
def test_a_model_that_asks_for_zeros_outside_gets_nothing_added(name: str) -> None:
    bundle, raw = bundle_of(PLAIN_CASES[name]), random_raw(44, 52)
    runner = TorchRunner(replace(bundle, record=bundle.record.model_copy(update={"border": "zeros"})), name)
    assert np.array_equal(develop(runner, raw), develop_packed(runner, pack(raw)))
    assert not np.array_equal(develop(runner, raw), develop(RUNNERS[name], raw))


def fuse_of(name: str) -> torch.nn.Module:
    from nas_isp.generators.build import assemble

    bundle = bundle_of(PLAIN_CASES[name])
    net = assemble(bundle.record.architecture)
    net.load_state_dict(bundle.weights)
    return fuse(net)


class MagentaRunner(Runner):
    """Colors everything, the more the brighter: what a network makes of what it never saw."""

    def __init__(self) -> None:
        super().__init__("magenta", None, halo=0, step=1)

    def run(self, packed: Floats, pooled: Floats | None = None, factors: Floats | None = None) -> Floats:
        gray = np.repeat(np.repeat(packed.mean(axis=0, keepdims=True), 2, axis=1), 2, axis=2)
        return np.concatenate([gray * 0.9, gray * 0.6, gray * 0.8])

    def feature_sums(self, packed: Floats, factors: Floats | None = None) -> Sums:
        raise AssertionError("has no head")

    def prepared(self, packed: Floats) -> object:
        raise AssertionError("is not timed")


def blown_sky(seed: int = 0) -> RawImage:
    """Light that rises from top to bottom until every sample stops, at 960 of 1023."""
    light = np.linspace(100, 3000, 40)[:, None] * np.ones(48)
    gains = np.tile([[0.5, 1], [1, 0.7]], (20, 24))
    noise = np.random.default_rng(seed).normal(0, 4, (40, 48))
    mosaic = np.clip(light * gains + noise + 64, 0, 960).round().astype(np.uint16)
    return RawImage(mosaic=mosaic, cfa="RGGB", black=(64.0,) * 4, white=1023.0, white_balance=(2.0, 1.0, 1 / 0.7))


def test_a_blown_sky_is_white_whatever_the_network_makes_of_it() -> None:
    picture = develop(MagentaRunner(), blown_sky()).astype(int)
    assert (picture[-8:] == 255).all()
    assert (np.diff(picture.max(axis=(1, 2))) >= -6).all()


def test_a_picture_without_saturation_is_the_networks_own() -> None:
    raw = blown_sky()
    dark = replace(raw, mosaic=(64 + (raw.mosaic - 64) * 0.8).astype(np.uint16))
    expected = to_levels(np.uint8, MagentaRunner().run(pack(dark)), "m").transpose(1, 2, 0)
    assert np.array_equal(develop(MagentaRunner(), dark), expected)


@pytest.mark.parametrize("name", ["plain", "quarter-color-head"])
@pytest.mark.parametrize("level", [np.uint8, np.uint16])
def test_any_tile_gives_the_same_blown_and_adapted_picture(name: str, level: type[np.uint8]) -> None:
    bundle = bundle_of(PLAIN_CASES[name])
    sensor = SENSOR.model_copy(update={"white_balance": (1.6, 1.0, 1.9), "color_matrix": MODEL_MATRIX})
    runner = TorchRunner(replace(bundle, record=bundle.record.model_copy(update={"sensor": sensor})), name)
    raw = replace(blown_sky(), color_matrix=FILE_MATRIX, white=1000.0)
    notes: list[str] = []
    whole = develop_as(level, runner, raw, tile=4096, note=notes.append).astype(int)
    assert len(notes) == 1
    tile = 2 * (2 * runner.halo + runner.step)
    one = 1 if level is np.uint8 else 65535 / 255
    assert np.abs(develop_as(level, runner, raw, tile=tile).astype(int) - whole).max() <= one
    assert (whole[-8:] == np.iinfo(level).max).all()


@pytest.mark.parametrize("name", ["plain", "color-head"])
def test_tiles_at_once_give_the_picture_of_one_after_the_other(name: str) -> None:
    runner, seen = TorchRunner(bundle_of(PLAIN_CASES[name]), name), []
    one = develop(runner, random_raw(80, 90), tile=24)
    runner.workers = 3
    several = develop(runner, random_raw(80, 90), tile=24, progress=lambda *told: seen.append(told))
    assert np.array_equal(several, one)
    assert [done for done, _ in seen] == list(range(1, seen[0][1] + 1))


def test_sixteen_bits_hold_what_eight_round() -> None:
    raw = random_raw(40, 44)
    fine = develop_as(np.uint16, RUNNERS["plain"], raw)
    assert fine.dtype == np.uint16
    assert np.abs(fine / 257.0 - develop(RUNNERS["plain"], raw)).max() <= 0.51


@pytest.mark.parametrize("cfa", ["RGGB", "GBRG", "BGGR"])
def test_a_crop_shows_the_pixels_that_the_camera_means(cfa: Cfa) -> None:
    raw = replace(random_raw(24, 36), cfa=cfa)
    whole = develop(LevelsRunner(), raw)
    margin = (raw.mosaic.shape[0] - whole.shape[0]) // 2, (raw.mosaic.shape[1] - whole.shape[1]) // 2
    top, left = 5 - margin[0], 3 - margin[1]
    shown = develop(LevelsRunner(), replace(raw, crop=(5, 3, 10, 20)))
    assert np.array_equal(shown, whole[top : top + 10, left : left + 20])
    turned = develop(LevelsRunner(), replace(raw, crop=(5, 3, 10, 20), flip=6))
    assert np.array_equal(turned, np.rot90(shown, -1))


def test_a_crop_that_reaches_the_border_gives_way_to_the_alignment() -> None:
    raw = replace(random_raw(24, 36), cfa="BGGR", crop=(0, 0, 24, 30))
    assert develop(LevelsRunner(), raw).shape == (22, 29, 3)


@pytest.mark.parametrize("size", [(42, 46), (44, 46), (42, 44)])
def test_odd_packed_sides_work_at_half_resolution(size: tuple[int, int]) -> None:
    picture = develop(RUNNERS["quarter"], random_raw(*size))
    assert picture.shape == (*size, 3)


def test_the_mean_of_a_color_head_covers_the_whole_picture() -> None:
    # The left half is dark and the right half bright: tiles with means of their own would differ from the whole.
    runner = RUNNERS["color-head"]
    packed = np.zeros((4, 24, 48), np.float32)
    packed[:, :, 24:] = 1
    whole = develop_packed(runner, packed, tile=4096).astype(int)
    assert np.abs(develop_packed(runner, packed, tile=24) - whole).max() <= 1
    own_mean = to_levels(np.uint8, runner.run(np.ascontiguousarray(packed[:, :, :24])), "left half").transpose(1, 2, 0)
    assert np.abs(own_mean[:, :32].astype(int) - whole[:, :32]).max() > 1


def test_the_mirrored_border_is_no_part_of_the_mean() -> None:
    # A bright border, which the mirror image would show once more: the network alone sees it once.
    runner, raw = RUNNERS["color-head"], random_raw(40, 44)
    bright = raw.mosaic.copy()
    bright[:4] = bright[-4:] = 1000
    raw = replace(raw, mosaic=bright)
    far = 2 * runner.halo
    bare = to_levels(np.uint8, runner.run(pack(raw)), "the network alone").transpose(1, 2, 0).astype(int)
    assert np.abs(develop(runner, raw) - bare)[far:-far, far:-far].max() <= 1


@pytest.mark.parametrize("name", ["color-head", "quarter-color-head"])
def test_sums_of_features_are_those_of_the_means_on_any_cut(name: str) -> None:
    runner, packed = RUNNERS[name], np.random.default_rng(0).random((4, 33, 47), np.float32)
    parts = [runner.feature_sums(np.ascontiguousarray(part)) for part in (packed[:, :10], packed[:, 10:])]
    assert np.allclose(whole_picture_means(runner, packed), sum(parts) / packed[0].size, atol=1e-6)


def test_a_picture_of_another_phase_keeps_its_red() -> None:
    # GRBG: red sites are at row 0, column 1; alignment cuts one column on both sides.
    mosaic = np.full((8, 10), 64, np.uint16)
    mosaic[0::2, 1::2] = 1023
    picture = develop(LevelsRunner(), RawImage(mosaic=mosaic, cfa="GRBG", black=(64.0,) * 4, white=1023.0))
    assert picture.shape == (8, 8, 3)
    assert (picture == 255).all()


def test_a_turned_picture_stands_upright() -> None:
    raw = random_raw(8, 12)
    lying = develop(LevelsRunner(), raw)
    assert np.array_equal(develop(LevelsRunner(), replace(raw, flip=6)), np.rot90(lying, -1))
    assert np.array_equal(develop(LevelsRunner(), replace(raw, flip=3)), np.rot90(lying, 2))


def test_levels_are_rounded_and_clipped() -> None:
    values = np.array([-0.1, 0.0, 0.4 / 255, 0.6 / 255, 254.4 / 255, 1.0, 7.0], np.float32)
    assert to_levels(np.uint8, values, "m").tolist() == [0, 0, 0, 1, 254, 255, 255]


def test_numbers_that_are_not_finite_are_refused() -> None:
    with pytest.raises(InputError, match="not finite"):
        to_levels(np.uint8, np.array([np.nan], np.float32), "m")


def test_progress_counts_the_tiles() -> None:
    seen: list[tuple[float, float | None]] = []
    develop(
        LevelsRunner(),
        random_raw(32, 32),
        tile=16,
        progress=lambda *told: seen.append(told),
    )
    assert seen == [(1, 4), (2, 4), (3, 4), (4, 4)]


def test_a_tile_smaller_than_the_halo_is_refused() -> None:
    with pytest.raises(InputError, match="at least"):
        develop(RUNNERS["plain"], random_raw(64, 64), tile=2)


REAL_FILES = {
    "raw_camera/canon_s40/CRW_0113.CRW": (1704, 2272),  # cropped as the camera says
    "raw_camera/blackmagic/Blackmagic.dng": (2160, 4096),  # likewise
    "raw_camera/tinydng/colorchart.dng": (1156, 1734),
    "raw_camera/infinite_isp/ColorCheckerRAW_1920x1080_12bit_BGGR.raw": (1078, 1918),  # BGGR, aligned
    "raw_camera/nikon/DSC_1339_768x512_rggb.raw": (512, 768),
    "raw_camera/openisp/test_1920x1080.RAW": (1080, 1920),
    "raw_camera/kodak/DC0008L.KDC": (512, 766),  # GRBG, aligned
    "raw_phone/pi_ov5647/test_640x480.dng": (478, 640),  # GBRG, aligned
    "raw_phone/nokia_n900/bayer_small_256x344.png": (344, 254),  # GRBG, aligned
    "raw_phone/xkisp/input_640x480.raw": (478, 638),  # BGGR, aligned
}


@pytest.mark.parametrize("file", REAL_FILES)
def test_real_raw_of_every_kind_is_developed_at_its_size(shared_data: Path, file: str) -> None:
    picture = develop(LevelsRunner(), read_raw(shared_data / file))
    assert picture.shape == (*REAL_FILES[file], 3)
    assert picture.std() > 3
