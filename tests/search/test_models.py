"""What is accepted where a function takes an architecture or a model."""

from pathlib import Path

import pytest
import torch

from nas_isp.errors import InputError
from nas_isp.generators.architecture import Block, PlainArchitecture
from nas_isp.generators.build import build
from nas_isp.generators.bundle import Bundle, BundleRecord, save_bundle
from nas_isp.generators.published import PUBLISHED
from nas_isp.raw.sensor import SensorDescription
from nas_isp.search.models import load_architecture, load_model

ARCHITECTURE = PlainArchitecture(blocks=(Block(kind="conv3", channels=6),))


@pytest.fixture
def study(tmp_path: Path) -> Path:
    """A study folder with trial 7 finished and trial 8 not."""
    for number in (7, 8):
        folder = tmp_path / "study" / "trials" / f"{number:04d}"
        folder.mkdir(parents=True)
        (folder / "arch.json").write_text(ARCHITECTURE.to_json())
    record = BundleRecord(architecture=ARCHITECTURE, sensor=SensorDescription(cfa="RGGB", white=1023))
    bundle = Bundle(record, dict(build(ARCHITECTURE).state_dict()))
    save_bundle(tmp_path / "study/trials/0007/model.safetensors", bundle)
    return tmp_path / "study"


def test_what_is_loaded_already_is_taken_as_it_is(study: Path) -> None:
    bundle = load_model(f"{study}:7")
    assert load_model(bundle) is bundle
    assert load_architecture(bundle) == load_architecture(ARCHITECTURE) == ARCHITECTURE
    assert load_model(study / "trials/0007/model.safetensors").record == bundle.record


@pytest.mark.parametrize("name", PUBLISHED)
def test_published_names(name: str) -> None:
    assert load_architecture(name) == PUBLISHED[name]


def test_a_trial_by_number(study: Path) -> None:
    assert load_architecture(f"{study}:7") == ARCHITECTURE
    assert load_architecture(f"{study}:0007") == ARCHITECTURE
    assert load_model(f"{study}:7").record.architecture == ARCHITECTURE


def test_the_name_of_a_study_may_have_a_dot_in_it(study: Path) -> None:
    dotted = study.rename(study.with_name("night.v2"))
    assert load_architecture(f"{dotted}:7") == ARCHITECTURE
    assert load_model(f"{dotted}:7").record.architecture == ARCHITECTURE


def test_files_of_either_kind(study: Path) -> None:
    trial = study / "trials/0007"
    assert load_architecture(str(trial / "arch.json")) == ARCHITECTURE
    assert load_architecture(str(trial / "model.safetensors")) == ARCHITECTURE
    weights = load_model(str(trial / "model.safetensors")).weights
    net = build(ARCHITECTURE)
    net.load_state_dict(weights)
    assert torch.equal(net.tail.conv.weight, weights["tail.conv.weight"])


def test_an_unfinished_trial_has_an_architecture_but_no_model(study: Path) -> None:
    assert load_architecture(f"{study}:8") == ARCHITECTURE
    with pytest.raises(InputError, match="no trained model"):
        load_model(f"{study}:8")


def test_an_unknown_trial_names_those_there_are(study: Path) -> None:
    with pytest.raises(InputError, match=r"no trial 9 in .*; it has trials 7 to 8"):
        load_architecture(f"{study}:9")


def test_a_folder_that_is_no_study(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="holds no study"):
        load_model(f"{tmp_path}:1")


def test_an_unknown_name_lists_the_known_ones() -> None:
    with pytest.raises(InputError, match="efficient-isp, robust-isp, rmfa-tiny"):
        load_architecture("pynet")


@pytest.mark.parametrize("text", ["", "{", "[]", '{"family": "plain", "blocks": []}', '{"family": "plain"}', "\x00"])
def test_files_that_are_no_architecture_are_named(tmp_path: Path, text: str) -> None:
    file = tmp_path / "arch.json"
    file.write_text(text)
    with pytest.raises(InputError, match=r"arch\.json, field "):
        load_architecture(str(file))


@pytest.mark.parametrize("suffix", [".tflite", ".onnx"])
def test_an_exported_file_is_told_from_a_bundle_and_an_unknown_name(tmp_path: Path, suffix: str) -> None:
    file = tmp_path / f"m{suffix}"
    file.write_bytes(b"whatever")
    with pytest.raises(
        InputError, match=r"an exported file says no architecture; give .*latency predicted of \.tflite"
    ):
        load_architecture(str(file))
    with pytest.raises(InputError, match="give the bundle it was made from"):
        load_model(str(file))


def test_missing_files_are_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"absent\.json: cannot be read"):
        load_architecture(str(tmp_path / "absent.json"))
    with pytest.raises(InputError, match=r"absent\.safetensors: no such model"):
        load_model(str(tmp_path / "absent.safetensors"))
