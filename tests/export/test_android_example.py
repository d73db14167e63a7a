"""The Kotlin example compiles, gives LiteRT what an exported file takes, and so develops as the program itself does."""

import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from nas_isp.export.export import export_bundle
from nas_isp.export.exporters import Form
from nas_isp.raw.image import RawImage
from nas_isp.raw.packing import pack
from nas_isp.runtimes.load import open_runner
from tests.export.export_cases import PLAIN_CASES, bundle_of
from tests.export.other_runtimes import ROOT
from tests.export.test_gains import balanced_bundle

EXAMPLE = ROOT / "examples" / "android" / "Developer.kt"
STAND_INS = Path(__file__).with_name("android")
HEIGHT, WIDTH = 24, 32
CORNERS = {"RGGB": (0, 0), "GRBG": (0, 1), "GBRG": (1, 0), "BGGR": (1, 1)}
"""First row and column of a crop that begins at a red pixel, by the mosaic's CFA."""

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        not all(map(shutil.which, ("kotlinc", "javac", "java"))), reason="no Kotlin compiler or JDK (kotlinc, javac)"
    ),
]


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The class path of the example and a program around it, with LiteRT's Java interface played by Python's."""
    folder = tmp_path_factory.mktemp("app")
    classes, jar = folder / "classes", folder / "app.jar"
    subprocess.run(["javac", "-d", classes, *sorted(STAND_INS.glob("*.java"))], check=True)
    compiled = subprocess.run(
        ["kotlinc", EXAMPLE, STAND_INS / "App.kt", "-cp", classes, "-include-runtime", "-d", jar],
        capture_output=True,
        text=True,
        check=False,
    )
    assert compiled.returncode == 0, compiled.stderr
    assert "warning: " not in compiled.stderr.replace("OpenJDK 64-Bit Server VM warning: ", "")
    return f"{classes}:{jar}"


@pytest.mark.parametrize(("precision", "light"), [("fp32", None), ("int8", None), ("fp32", (2.1, 1.0, 1.6))])
def test_the_example_develops_every_cfa_as_the_program_does(
    app: str, precision: str, light: tuple[float, float, float] | None, tmp_path: Path
) -> None:
    model, mosaic_file = tmp_path / "m.tflite", tmp_path / "mosaic"
    bundle = bundle_of(PLAIN_CASES["plain"]) if light is None else balanced_bundle("plain")
    export_bundle(bundle, model, Form("tflite", precision, (HEIGHT, WIDTH), "raw", "uint8"))
    stride = 2 * WIDTH + 6
    mosaic = np.random.default_rng(0).integers(0, 1024, (2 * HEIGHT + 2, stride)).astype("<u2")
    mosaic[5, 7] = 65535  # larger than a signed value of 16 bits holds
    mosaic_file.write_bytes(mosaic.tobytes())
    crops = [(*map(str, corner), str(tmp_path / cfa)) for cfa, corner in CORNERS.items()]

    subprocess.run(
        [
            *("java", f"-Dpython={sys.executable}", f"-Dprogram={STAND_INS / 'run_on_integers.py'}"),
            *("-cp", app, "org.example.isp.AppKt", model, mosaic_file, *map(str, (HEIGHT, WIDTH, stride))),
            "none" if light is None else ",".join(map(str, (light[0], 1, 1, light[2]))),
            *(part for crop in crops for part in crop),
        ],
        check=True,
    )

    runner, factors = open_runner(model), None if light is None else np.array(light, np.float32)
    for cfa, (top, left) in CORNERS.items():
        cropped = mosaic[top : top + 2 * HEIGHT, left : left + 2 * WIDTH].astype(np.uint16)
        packed = pack(RawImage(mosaic=cropped, cfa="RGGB", black=(64.0,) * 4, white=1023.0))
        expected = np.rint(runner.run(packed, factors=factors) * 255).astype(np.uint8).transpose(1, 2, 0)
        given = np.frombuffer((tmp_path / cfa).read_bytes(), np.uint8)
        assert np.array_equal(given.reshape(expected.shape), expected)
