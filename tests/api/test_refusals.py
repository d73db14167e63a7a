"""What cannot be done is refused before anything is written, in words that know the parameters and no option."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from nas_isp.api.develop import develop_photo
from nas_isp.api.distill import distill_model
from nas_isp.api.export import export_model
from nas_isp.api.latency import predict_latency
from nas_isp.api.search import run_search
from nas_isp.api.train import train_model
from nas_isp.errors import InputError
from nas_isp.generators.architecture import Block, PlainArchitecture
from nas_isp.generators.build import build
from nas_isp.generators.bundle import Bundle, BundleRecord, save_bundle
from nas_isp.preparation.folders import TrainingFolders
from nas_isp.raw.sensor import SensorDescription
from tests.search.search_tools import config

ARCHITECTURE = PlainArchitecture(blocks=(Block(kind="conv3", channels=6),))
RECORD = BundleRecord(architecture=ARCHITECTURE, sensor=SensorDescription(cfa="RGGB", white=1023))
BUNDLE = Bundle(RECORD, dict(build(ARCHITECTURE).state_dict()))


@pytest.mark.parametrize(
    ("call", "message", "parameters"),
    [
        (lambda: run_search(budget="0"), "budget '0': give a time above 0", ("budget",)),
        (lambda: run_search(budget="3", workers=0), "workers 0: give a number from 1", ("workers",)),
        (lambda: run_search(budget="3", seed=-1), "seed -1: give a number", ("seed",)),
        (lambda: run_search("raw", budget="3"), "raw and rgb go together", ("raw", "rgb")),
        (
            lambda: run_search(budget="3", max_latency_ms=0.001),
            "every network tried is slower",
            ("max_latency_ms", "space"),
        ),
        (lambda: train_model("efficient-isp", "m.onnx"), r"ends in \.safetensors", ("output",)),
        (lambda: train_model(BUNDLE, "m.safetensors", budget="40"), "give a time above 0", ("budget",)),
        (lambda: train_model(BUNDLE, "m.safetensors", budget=-5), "give a time above 0", ("budget",)),
        (lambda: train_model(BUNDLE, "m.safetensors", seed=-1), "seed -1: give a number", ("seed",)),
        (lambda: predict_latency(ARCHITECTURE, threads=0), "threads 0: give a number", ("threads",)),
        (lambda: save_bundle("b.json", BUNDLE), r"named \*\.safetensors", ("path",)),
        (lambda: develop_photo(BUNDLE, "raw", "o.png", tile=0), "tile 0: give RGB pixels", ("tile",)),
        (
            lambda: train_model(BUNDLE, "m.safetensors", TrainingFolders(pairs=Path("p"))),
            "pairs are for the paired modes",
            ("pairs", "mode"),
        ),
        (lambda: train_model(BUNDLE, "m.safetensors", compute="nowhere"), "compute 'nowhere'", ("compute",)),
        (
            lambda: distill_model("study", "m.safetensors", trial="best"),
            "trial best: give a trial's number",
            ("trial",),
        ),
        (lambda: distill_model("study", "m.safetensors"), "no trial is complete yet", ()),
        (lambda: export_model(BUNDLE, "m.coreml"), r"a file is named \*\.tflite or \*\.onnx", ("output", "to")),
        (lambda: export_model(BUNDLE, "m.onnx", to="tflite"), r"named \*\.tflite", ("output", "to")),
        (lambda: export_model(BUNDLE, "m.onnx", input_size=(4, 960)), "each 8 to 16384", ("input_size",)),
        (lambda: export_model(BUNDLE, "m.onnx", calibration="raw"), "calibration is for", ("calibration", "precision")),
        (lambda: develop_photo(BUNDLE, "raw", "o.png", light="sunny"), "light 'sunny'", ("light",)),
        (lambda: develop_photo(BUNDLE, "raw", "out"), "a folder of 2 photos", ("photo",)),
        (lambda: develop_photo(BUNDLE, "raw", "o.png"), "one picture file for 2 photos", ("output",)),
        (lambda: develop_photo(BUNDLE, "raw/a.png", "raw/a.png"), "would be overwritten", ("output",)),
    ],
)
def test_what_cannot_be_done_is_refused(
    call: Callable[[], Any],
    message: str,
    parameters: tuple[str, ...],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "raw").mkdir()
    for name in ("a.png", "b.png"):
        (tmp_path / "raw" / name).touch()
    (tmp_path / "study/trials").mkdir(parents=True)
    (tmp_path / "study/config.yaml").write_text(config().to_yaml())
    before = sorted(tmp_path.rglob("*"))

    with pytest.raises(InputError, match=message) as caught:
        call()

    assert "--" not in str(caught.value)
    assert caught.value.parameters == parameters
    assert sorted(tmp_path.rglob("*")) == before
