"""Exported files run where they must: by the program for Linux boards, in the new and in the old TFLite runtime."""

import sys
from pathlib import Path
from typing import get_args

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from nas_isp.develop.pipeline import develop_packed
from nas_isp.export.export import export_bundle
from nas_isp.export.exporters import Form
from nas_isp.precision import Precision
from nas_isp.raw.image import RawImage
from nas_isp.raw.packing import align_to_rggb, pack
from nas_isp.runtimes.torch_runner import TorchRunner
from tests.export.export_cases import PLAIN_CASES, bundle_of
from tests.export.other_runtimes import BOARD_PROGRAM, FLOATS_PROGRAM, SIZE, grbg_mosaic, run_programs, set_up

MOST_APART = {"fp32": 1, "fp16": 1, "int8": 24}
"""Levels of any pixel from PyTorch; half precision rounds weights, and 8 bits everything."""

APART_ON_AVERAGE = {"fp32": 0.001, "fp16": 0.1, "int8": 2.0}
"""Levels from PyTorch: a runtime that shifts the whole picture or a color is further."""

RUNTIMES_APART_ON_AVERAGE = 0.5
"""Levels between the same file's pictures: runtimes may round a code the other way, but not every time."""

pytestmark = pytest.mark.slow


def old_python() -> Path:
    """The Python of an environment with tflite-runtime 2.14; skips where that cannot be made."""
    if sys.version_info[:2] != (3, 11):
        pytest.skip("tflite-runtime 2.14 exists for Python 3.11 at most; run these tests with that")
    return set_up("old_tflite_runtime.sh", ".venv-tflite-runtime") / "bin" / "python"


def developed_by_torch(name: str, mosaic: NDArray[np.uint16]) -> NDArray[np.uint8]:
    raw = RawImage(mosaic=mosaic, cfa="GRBG", black=(64.0,) * 4, white=1023.0)
    return develop_packed(TorchRunner(bundle_of(PLAIN_CASES[name]), "b"), pack(align_to_rggb(raw)), 4096)


@pytest.mark.parametrize("precision", get_args(Precision))
@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=pytest.mark.xdist_group(f"export of {name}"))
        for name in ("plain", "separable", "quarter-color-head")
    ],
)
def test_the_boards_program_develops_as_pytorch_does_in_new_and_old_runtimes(
    name: str, precision: Precision, tmp_path: Path
) -> None:
    model, mosaic, target = tmp_path / "m.tflite", tmp_path / "mosaic.npy", tmp_path / "picture.ppm"
    export_bundle(bundle_of(PLAIN_CASES[name]), model, Form("tflite", precision, SIZE, "raw", "uint8"))
    np.save(mosaic, grbg_mosaic())
    expected = developed_by_torch(name, grbg_mosaic()).astype(int)
    pictures = []
    for python in (sys.executable, old_python()):
        run_programs(python, [BOARD_PROGRAM, model, mosaic, target, "GRBG"])
        pictures.append(np.asarray(Image.open(target)).astype(int))
    for picture in pictures:
        assert picture.shape == expected.shape
        assert np.abs(picture - expected).max() <= MOST_APART[precision]
        assert np.abs(picture - expected).mean() <= APART_ON_AVERAGE[precision]
    assert np.abs(pictures[0] - pictures[1]).mean() <= RUNTIMES_APART_ON_AVERAGE


@pytest.mark.xdist_group("export of color-head")
@pytest.mark.parametrize("size", [SIZE, None])
def test_a_file_of_floats_gives_pytorchs_numbers_in_the_old_runtime(
    size: tuple[int, int] | None, tmp_path: Path
) -> None:
    bundle, model = bundle_of(PLAIN_CASES["color-head"]), tmp_path / "m.tflite"
    export_bundle(bundle, model, Form("tflite", packed_size=size))
    packed = np.random.default_rng(0).uniform(-0.05, 1, (4, 40, 60)).astype(np.float32)
    np.save(tmp_path / "in.npy", packed.transpose(1, 2, 0)[None])
    run_programs(old_python(), [FLOATS_PROGRAM, model, tmp_path / "in.npy", tmp_path / "out.npy"])
    result = np.load(tmp_path / "out.npy")[0].transpose(2, 0, 1)
    assert np.abs(result - TorchRunner(bundle, "b").run(packed)).max() < 1e-5
