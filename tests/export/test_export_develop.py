"""A developed picture does not depend on how it was cut, keeps its geometry and stands upright."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from export_cases import PLAIN_CASES, bundle_of
from hypothesis import given, settings
from hypothesis import strategies as st

from nas_isp.errors import InputError
from nas_isp.export.develop import develop, develop_packed, to_8_bit
from nas_isp.export.runners import Floats, Runner
from nas_isp.export.torch_runner import TorchRunner
from nas_isp.generators.build import fuse
from nas_isp.raw.image import RawImage
from nas_isp.raw.packing import pack

RUNNERS: dict[str, TorchRunner] = {name: TorchRunner(bundle_of(a), name) for name, a in PLAIN_CASES.items()}


def random_raw(height: int, width: int, seed: int = 0) -> RawImage:
    mosaic = np.random.default_rng(seed).integers(0, 1024, (height, width)).astype(np.uint16)
    return RawImage(mosaic, "RGGB", (64.0,) * 4, 1023.0)


class LevelsRunner(Runner):
    """Shows the packed red plane as grey, so that geometry can be read off the picture."""

    def __init__(self) -> None:
        super().__init__("levels", None, halo=0, step=1, has_global_head=False)

    def run(self, packed: Floats, pooled: Floats | None = None) -> Floats:
        return np.repeat(np.repeat(packed[:1], 2, axis=1), 2, axis=2).repeat(3, axis=0)

    def pooled(self, packed: Floats) -> Floats:
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
    flat = RawImage(np.full((44, 52), 500, np.uint16), "RGGB", (64.0,) * 4, 1023.0)
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
    own_mean = to_8_bit(runner.run(np.ascontiguousarray(packed[:, :, :24])), "left half").transpose(1, 2, 0)
    assert np.abs(own_mean[:, :32].astype(int) - whole[:, :32]).max() > 1


def test_a_picture_of_another_phase_keeps_its_red() -> None:
    # GRBG: red sites are at row 0, column 1; alignment cuts one column on both sides.
    mosaic = np.full((8, 10), 64, np.uint16)
    mosaic[0::2, 1::2] = 1023
    picture = develop(LevelsRunner(), RawImage(mosaic, "GRBG", (64.0,) * 4, 1023.0))
    assert picture.shape == (8, 8, 3)
    assert (picture == 255).all()


def test_a_turned_picture_stands_upright() -> None:
    raw = random_raw(8, 12)
    lying = develop(LevelsRunner(), raw)
    assert np.array_equal(develop(LevelsRunner(), replace(raw, flip=6)), np.rot90(lying, -1))
    assert np.array_equal(develop(LevelsRunner(), replace(raw, flip=3)), np.rot90(lying, 2))


def test_levels_are_rounded_and_clipped() -> None:
    values = np.array([-0.1, 0.0, 0.4 / 255, 0.6 / 255, 254.4 / 255, 1.0, 7.0], np.float32)
    assert to_8_bit(values, "m").tolist() == [0, 0, 0, 1, 254, 255, 255]


def test_numbers_that_are_not_finite_are_refused() -> None:
    with pytest.raises(InputError, match="not finite"):
        to_8_bit(np.array([np.nan], np.float32), "m")


def test_progress_counts_the_tiles() -> None:
    seen: list[tuple[int, int]] = []
    develop(LevelsRunner(), random_raw(32, 32), tile=16, progress=lambda done, total: seen.append((done, total)))
    assert seen == [(1, 4), (2, 4), (3, 4), (4, 4)]


def test_a_tile_smaller_than_the_halo_is_refused() -> None:
    with pytest.raises(InputError, match="at least"):
        develop(RUNNERS["plain"], random_raw(64, 64), tile=2)
