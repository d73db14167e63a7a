"""Files that are no model of ours get one clear line."""

from pathlib import Path

import pytest

from nas_isp.errors import InputError
from nas_isp.generators.bundle import Bundle, save_bundle
from nas_isp.runtimes.load import open_runner
from tests.export.export_cases import PLAIN_CASES, bundle_of


def test_a_bundle_is_run_fused(tmp_path: Path) -> None:
    save_bundle(tmp_path / "m.safetensors", bundle_of(PLAIN_CASES["quarter-color-head"]))
    runner = open_runner(tmp_path / "m.safetensors")
    # conv5 at stride 2, then a 3x3 at half resolution: 1 * 2 + max(before + 1, after) = 2 + 3.
    assert (runner.tile, runner.halo, runner.step, runner.has_global_head) == (None, 5, 2, True)


@pytest.mark.parametrize("name", ["m.tflite", "m.onnx", "m.safetensors"])
@pytest.mark.parametrize("content", [b"", b"not a model", b"\x00\x00\x00\x00TFL3" + bytes(40), bytes(range(256)) * 20])
def test_garbage_is_refused(tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError) as caught:
        open_runner(tmp_path / name)
    assert name in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["m.tflite", "m.onnx", "m.safetensors", "m.pt"])
def test_a_missing_file_or_another_kind_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(InputError, match="written by nas-isp"):
        open_runner(tmp_path / name)


def test_a_foreign_tflite_file_is_refused(shared_data: Path) -> None:
    with pytest.raises(InputError, match="holds no nas_isp record"):
        open_runner(shared_data / "tflite" / "mobileie_lolv1.tflite")


def test_weights_of_another_network_are_refused(tmp_path: Path) -> None:
    other, record = bundle_of(PLAIN_CASES["plain"]).weights, bundle_of(PLAIN_CASES["separable"]).record
    save_bundle(tmp_path / "m.safetensors", Bundle(record, other))
    with pytest.raises(InputError, match="do not fit"):
        open_runner(tmp_path / "m.safetensors")
