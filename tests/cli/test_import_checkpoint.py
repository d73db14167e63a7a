"""`import-checkpoint`: published weights become a model like any other, and other files one line."""

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from nas_isp.cli.app import main
from nas_isp.generators.bundle import load_bundle


@pytest.fixture
def nas_isp(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Any:
    """Runs the program; returns exit code, stdout and the lines of stderr."""

    def run(*arguments: object) -> tuple[int, str, list[str]]:
        monkeypatch.setattr(sys, "argv", ["nas-isp", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            main()
        printed = capsys.readouterr()
        return int(ended.value.code or 0), printed.out, printed.err.strip().splitlines()

    return run


@pytest.fixture
def checkpoint(tmp_path: Path) -> Path:
    """A file as the published code writes one, with random weights."""
    torch.manual_seed(0)
    convs = {"conv1": torch.nn.Conv2d(4, 16, 3), "conv2": torch.nn.Conv2d(16, 4, 3), "conv3": torch.nn.Conv2d(4, 12, 3)}
    state = {f"{name}.{key}": value for name, conv in convs.items() for key, value in conv.state_dict().items()}
    torch.save(state, tmp_path / "published.pth")
    return tmp_path / "published.pth"


def test_an_imported_model_is_described_and_evaluated_like_any_other(
    nas_isp: Any, checkpoint: Path, tmp_path: Path
) -> None:
    model = tmp_path / "m.safetensors"
    code, out, lines = nas_isp("import-checkpoint", checkpoint, "--arch", "robust-isp", "--sensor", "zrr", "-o", model)
    assert (code, out) == (0, "")
    assert lines[-1] == f"written: {model}; robust-isp for packed RAW of Zurich RAW to RGB (Huawei P20)"
    assert load_bundle(model).record.origin["architecture"] == "robust-isp"
    code, out, _ = nas_isp("describe", model, "--format", "json")
    assert (code, json.loads(out)["params"]) == (0, 1616)
    for folder in ("huawei_raw", "canon"):
        (tmp_path / "zrr" / folder).mkdir(parents=True)
    rng = np.random.default_rng(0)
    Image.fromarray(rng.integers(60, 1024, (24, 32)).astype(np.uint16)).save(tmp_path / "zrr/huawei_raw/0.png")
    Image.fromarray(rng.integers(0, 256, (24, 32, 3), dtype=np.uint8)).save(tmp_path / "zrr/canon/0.jpg")
    code, out, _ = nas_isp("evaluate", model, "--pairs", tmp_path / "zrr", "--format", "json")
    assert (code, json.loads(out)["images"]) == (0, 1)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"arch": "efficient-isp"}, "it fits robust-isp"),
        ({"arch": "pynet"}, "known are efficient-isp, robust-isp, rmfa-tiny"),
        ({"sensor": "iphone"}, "unknown sensor 'iphone'"),
        ({"file": "nowhere.pth"}, "no such file"),
        ({"output": "m.pth"}, "ends in .safetensors"),
    ],
)
def test_what_cannot_be_imported_ends_with_one_line_and_code_2(
    nas_isp: Any, checkpoint: Path, tmp_path: Path, change: dict[str, str], reason: str
) -> None:
    given = {"file": checkpoint.name, "arch": "robust-isp", "sensor": "ultraisp", "output": "m.safetensors"} | change
    file, model = tmp_path / given["file"], tmp_path / given["output"]
    code, out, lines = nas_isp(
        "import-checkpoint", file, "--arch", given["arch"], "--sensor", given["sensor"], "-o", model
    )
    assert (code, out, len(lines)) == (2, "", 1)
    assert reason in lines[0]
    assert not model.exists()
