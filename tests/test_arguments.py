"""Arguments of another type are refused by the name of their parameter, in one line."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import nas_isp
from nas_isp.arguments import NUMBER, PATH, TEXT, WHOLE, YES_NO, check_types, checked_arguments
from nas_isp.errors import InputError, UnwritableError, about

library: Any = nas_isp
"""Without its types: what is called here is wrong by them."""


@pytest.mark.parametrize(
    ("kind", "fits", "others"),
    [
        (PATH, ["a", Path("a")], [1, b"a", ["a"]]),
        (TEXT, ["a", ""], [Path("a"), 1, True]),
        (NUMBER, [1, 1.5, np.float32(2)], ["1", True, 1j]),
        (WHOLE, [1, np.int64(2)], [1.0, "1", False]),
        (YES_NO, [True, False], [0, "no", None]),
    ],
)
def test_what_fits_and_what_does_not(kind: Any, fits: list[object], others: list[object]) -> None:
    for value in fits:
        check_types({"one": value}, {"one": kind})
    for value in others:
        with pytest.raises(InputError, match=r"^one .*: give ") as caught:
            check_types({"one": value}, {"one": kind})
        assert caught.value.parameters == ("one",)


def test_a_function_keeps_its_name_and_its_defaults() -> None:
    @checked_arguments(text=TEXT)
    def example(text: str | None = None, more: int = 0) -> tuple[str | None, int]:
        """What it does."""
        return text, more

    assert example.__name__ == "example"
    assert example.__doc__ == "What it does."
    assert example() == example(None) == (None, 0)
    assert example("a", more=2) == ("a", 2)
    with pytest.raises(TypeError, match="unexpected keyword"):
        example(other=1)  # type: ignore[call-arg]


def test_long_values_are_cut() -> None:
    with pytest.raises(InputError) as caught:
        check_types({"one": [0] * 1000}, {"one": TEXT})
    assert len(str(caught.value)) < 120


def test_what_is_refused_elsewhere_gets_its_parameters() -> None:
    with pytest.raises(UnwritableError) as caught, about("teacher"):
        raise UnwritableError("full", "path")
    assert caught.value.parameters == ("teacher",)
    with pytest.raises(InputError) as kept, about():
        raise InputError("no", "path")
    assert kept.value.parameters == ("path",)


@pytest.mark.parametrize(
    ("call", "parameter"),
    [
        (lambda: library.run_search(5, "rgb", budget="3"), "raw"),
        (lambda: library.run_search(budget="3", device=3), "device"),
        (lambda: library.run_search(budget="3", workers="4"), "workers"),
        (lambda: library.run_search(budget="3", patches=1.5), "patches"),
        (lambda: library.run_search(budget="3", callback=3), "callback"),
        (lambda: library.run_search(budget="3", device="nope"), "device"),
        (lambda: library.run_search(budget="3", space="nope"), "space"),
        (lambda: library.run_search(budget="3", recipe="nope"), "recipe"),
        (lambda: library.run_search(budget="3", sampler="nope"), "sampler"),
        (lambda: library.run_search(budget="3", features="nope"), "features"),
        (lambda: library.run_search(budget="3", patches=0), "patches"),
        (lambda: library.run_search("nope", "nope", budget="3"), "raw"),
        (lambda: library.train_model(3, "m.safetensors"), "model"),
        (lambda: library.train_model("efficient-isp", None), "output"),
        (lambda: library.train_model("efficient-isp", "m.safetensors", "raw"), "folders"),
        (lambda: library.train_model("efficient-isp", "m.safetensors", settings={}), "settings"),
        (lambda: library.train_model("efficient-isp", "m.safetensors", compute="tpu"), "compute"),
        (lambda: library.train_model("efficient-isp", "m.safetensors", note=3), "note"),
        (lambda: library.train_model("efficient-isp", "m.safetensors", library.TrainingFolders(".", "nope")), "rgb"),
        (lambda: library.TrainingFolders(1, 2), "raw"),
        (lambda: library.predict_latency("efficient-isp", 4), "device"),
        (lambda: library.predict_latency("efficient-isp", input_size="544x960"), "input_size"),
        (lambda: library.describe_network("efficient-isp", operators="yes"), "operators"),
        (lambda: library.develop_photo("m.safetensors", 5, "o.png"), "photo"),
        (lambda: library.evaluate_model("m.safetensors", [1]), "pairs"),
        (lambda: library.export_model("m.safetensors", "o.onnx", precision=8), "precision"),
        (lambda: library.distill_model(3, "o.safetensors"), "study"),
        (lambda: library.load_model(3), "model"),
        (lambda: library.load_architecture(library), "model"),
        (lambda: library.load_recipe(3), "name_or_path"),
        (lambda: library.load_table(3), "name_or_path"),
        (lambda: library.Study.open(3), "folder"),
    ],
)
def test_the_library_s_functions_name_the_parameter(
    call: Callable[[], Any], parameter: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError) as caught:
        call()
    assert parameter in caught.value.parameters
    assert "\n" not in str(caught.value)
    assert not [path for path in tmp_path.iterdir() if path.suffix != ".run"]
