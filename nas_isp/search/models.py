"""What stands for an architecture or a model: a published name, a file, a trial of a study, or the thing itself."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import ValidationError

from nas_isp.arguments import checked_arguments
from nas_isp.errors import InputError
from nas_isp.files import BUNDLE_SUFFIX
from nas_isp.generators.architecture import ARCHITECTURE, Architecture, PlainArchitecture, RmfaArchitecture
from nas_isp.generators.published import PUBLISHED
from nas_isp.runtimes.base import Runner
from nas_isp.runtimes.load import SUFFIXES, load_developer
from nas_isp.search.study import Study
from nas_isp.settings import MAX_FILE_BYTES

if TYPE_CHECKING:
    from nas_isp.generators.bundle import Bundle

ACCEPTED = (
    "give a published name, an architecture .json, a model .safetensors, or STUDY:TRIAL such as study:7 or study:knee"
)

EXPORTED = (".tflite", ".onnx")
TAKE_EXPORTS = "photos are developed and evaluated with them, and latency predicted of .tflite"

KNEE = "knee"


@dataclass(frozen=True)
class TrialFiles:
    """Where a study keeps one trial."""

    architecture: Path
    bundle: Path


@checked_arguments()
def load_architecture(model: "str | Path | Bundle | Architecture") -> Architecture:
    """The architecture behind a published name, an architecture file, a bundle or STUDY:TRIAL, tried in this order.

    Raises:
        InputError: none of these, or a file that is not what its name says.
    """
    if isinstance(model, PlainArchitecture | RmfaArchitecture):
        return model
    if not isinstance(model, str | Path):
        if not hasattr(model, "record"):
            raise InputError(f"model {model!r:.60}: says no architecture; {ACCEPTED}", "model")
        return model.record.architecture
    text, path = str(model), Path(model)
    if text in PUBLISHED:
        return PUBLISHED[text]
    if path.suffix == BUNDLE_SUFFIX:
        return load_model(path).record.architecture
    if path.suffix == ".json":
        return _read_architecture(path)
    if path.suffix in EXPORTED:
        raise InputError(f"{text}: an exported file says no architecture; {ACCEPTED} (exports: {TAKE_EXPORTS})")
    trial = find_trial(text)
    if trial is None:
        raise InputError(f"unknown model '{text}': published names are {', '.join(PUBLISHED)}; {ACCEPTED}")
    return _read_architecture(trial.architecture)


def takes_balanced(model: "str | Path | Bundle | Architecture") -> bool:
    """Whether what `load_architecture` takes is a model, or of a study of models, that is given balanced RAW.

    Raises:
        InputError: a bundle or study that cannot be read.
    """
    if isinstance(model, PlainArchitecture | RmfaArchitecture):
        return False
    if not isinstance(model, str | Path) or Path(model).suffix == BUNDLE_SUFFIX:
        return load_model(model).record.network_input.kind == "balanced"
    without = str(model) in PUBLISHED or Path(model).suffix in (".json", *EXPORTED)
    trial = None if without else find_trial(str(model))
    return trial is not None and Study.open(trial.bundle.parents[2]).config.recipe.train.input == "balanced"


@checked_arguments()
def load_model(model: "str | Path | Bundle") -> "Bundle":
    """The trained model behind a bundle's path or STUDY:TRIAL such as `study:7` or `study:knee`.

    Raises:
        InputError: neither, a trial without a model, or a file that is no bundle.
    """
    if not isinstance(model, str | Path):
        return model
    from nas_isp.generators.bundle import load_bundle

    if Path(model).suffix in EXPORTED:
        raise InputError(
            f"{model}: an exported file is no model to go on with; give the bundle it was made from, a .safetensors "
            f"file or STUDY:TRIAL (exports: {TAKE_EXPORTS})"
        )
    return load_bundle(_model_file(str(model)))


@checked_arguments()
def load_runner(model: "str | Path | Bundle | Runner") -> Runner:
    """The model behind a .tflite, an .onnx, a bundle or STUDY:TRIAL, ready to develop pictures.

    Raises:
        InputError: none of these, or a file that is not what its name says.
    """
    if isinstance(model, Runner):
        return model
    return load_developer(_model_file(str(model)) if isinstance(model, str | Path) else model)


def find_trial(text: str) -> TrialFiles | None:
    """The files of STUDY:TRIAL (a number, or `knee` of the front), or None if the text has not that form.

    Raises:
        InputError: no such study folder or no such trial in it.
    """
    study_text, colon, number_text = text.rpartition(":")
    study = Path(study_text)
    if not colon or not study_text or not (number_text.isdecimal() or number_text == KNEE):
        if colon and study_text and (study / "trials").is_dir():
            raise InputError(f"'{text}': '{number_text}' names no trial; give {study}:{KNEE} or {study}:NUMBER")
        return None
    if not (study / "trials").is_dir():
        raise InputError(f"'{text}': {study} holds no study (no folder 'trials'); {ACCEPTED}")
    if number_text == KNEE:
        number_text = str(Study.open(study).knee().trial)
    folder = study / "trials" / f"{int(number_text):04d}"
    if not folder.is_dir():
        known = sorted(int(path.name) for path in (study / "trials").iterdir() if path.name.isdecimal())
        there = f"it has trials {known[0]} to {known[-1]}" if known else "it has no trial yet"
        raise InputError(f"'{text}': no trial {int(number_text)} in {study}; {there}")
    return TrialFiles(folder / "arch.json", folder / "model.safetensors")


def _model_file(text: str) -> Path:
    """The file of a model: the path itself, or the bundle of STUDY:TRIAL; a study's name may have dots in it."""
    trial = None if Path(text).suffix in SUFFIXES else find_trial(text)
    if trial is None and Path(text).is_dir():
        raise InputError(f"'{text}' is a folder; of a study give {text}:{KNEE} or {text}:NUMBER")
    if trial is None:
        return Path(text)
    if not trial.bundle.is_file():
        raise InputError(f"trial '{text}' has no trained model {trial.bundle}; choose a finished trial")
    return trial.bundle


def _read_architecture(path: Path) -> Architecture:
    try:
        size_bytes = path.stat().st_size
        if size_bytes > MAX_FILE_BYTES:
            raise InputError(f"{path}: {size_bytes} bytes; an architecture file has at most {MAX_FILE_BYTES}")
        return ARCHITECTURE.validate_json(path.read_bytes())
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror}); {ACCEPTED}") from error
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(str(part) for part in first["loc"]) or "(file)"
        raise InputError(f"{path}, field '{field}': {first['msg']}; give an architecture written by nas-isp") from error
