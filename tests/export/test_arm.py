"""Exported files give on emulated 64-bit ARM what they give on this machine, in the new and the old TFLite runtime."""

import sys
from functools import cache
from pathlib import Path
from tempfile import mkdtemp

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from nas_isp.export.export import export_bundle
from nas_isp.export.exporters import Form
from tests.export.export_cases import PLAIN_CASES, bundle_of
from tests.export.other_runtimes import BOARD_PROGRAM, FLOATS_PROGRAM, SIZE, grbg_mosaic, run_programs, set_up

pytestmark = pytest.mark.slow

FILES: dict[str, tuple[str, Form]] = {
    "floats": ("color-head", Form("tflite", "fp32", SIZE)),
    "floats-of-any-size": ("color-head", Form("tflite", "fp32", None)),
    "pixels-fp32": ("separable", Form("tflite", "fp32", SIZE, "raw", "uint8")),
    "pixels-fp16": ("separable", Form("tflite", "fp16", SIZE, "raw", "uint8")),
    "pixels-int8": ("separable", Form("tflite", "int8", SIZE, "raw", "uint8")),
    "pixels-int8-color-head": ("color-head", Form("tflite", "int8", SIZE, "raw", "uint8")),
}
"""Network and form."""

FLOATS_APART = 1e-5
LEVELS_APART = 1
OLD_INT8_LEVELS_APART = 12
"""The old runtime rounds in 8 bits in its own way, on this machine too."""


@pytest.fixture(scope="module")
def arm() -> Path:
    """The folder of the emulated Pythons."""
    return set_up("arm_emulation.sh", ".arm-emulation")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("arm")


@cache
def write_files(folder: Path) -> None:
    np.save(folder / "mosaic.npy", grbg_mosaic())
    np.save(folder / "floats.npy", np.random.default_rng(0).uniform(-0.05, 1, (1, *SIZE, 4)).astype(np.float32))
    for name, (network, form) in FILES.items():
        export_bundle(bundle_of(PLAIN_CASES[network]), folder / f"{name}.tflite", form)


@cache
def results_in(folder: Path, python: str) -> dict[str, NDArray[np.float32]]:
    """What every file gives in a Python."""
    write_files(folder)
    results = Path(mkdtemp(dir=folder))
    calls: list[list[Path | str]] = []
    for name, (_, form) in FILES.items():
        model = folder / f"{name}.tflite"
        if form.output == "uint8":
            calls.append([BOARD_PROGRAM, model, folder / "mosaic.npy", results / f"{name}.ppm", "GRBG"])
        else:
            calls.append([FLOATS_PROGRAM, model, folder / "floats.npy", results / f"{name}.npy"])
    run_programs(python, *calls)
    return {path.stem: _read(path) for path in results.iterdir()}


def _read(path: Path) -> NDArray[np.float32]:
    values = np.load(path) if path.suffix == ".npy" else np.asarray(Image.open(path))
    return values.astype(np.float32)


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("runtime", ["ai-edge-litert", "tflite-runtime"])
def test_arm_gives_what_this_machine_gives(runtime: str, name: str, arm: Path, folder: Path) -> None:
    here, there = results_in(folder, sys.executable)[name], results_in(folder, str(arm / runtime))[name]
    form = FILES[name][1]
    levels = OLD_INT8_LEVELS_APART if (runtime, form.precision) == ("tflite-runtime", "int8") else LEVELS_APART
    assert here.std() > 0
    assert there.shape == here.shape
    assert np.abs(there - here).max() <= (levels if form.output == "uint8" else FLOATS_APART)
