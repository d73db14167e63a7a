"""From a model's file to a runner, whatever its form."""

from pathlib import Path
from typing import TYPE_CHECKING

from nas_isp.cores import available_cores
from nas_isp.errors import InputError
from nas_isp.files import BUNDLE_SUFFIX
from nas_isp.runtimes.base import Runner

if TYPE_CHECKING:
    from nas_isp.generators.bundle import Bundle

SUFFIXES = (BUNDLE_SUFFIX, ".tflite", ".onnx")


def load_developer(model: "Path | Bundle") -> Runner:
    """The model in a file, or a bundle, ready to develop pictures on every core.

    Networks are so small that a tile on each core, each on one thread, is faster than one tile on all cores; only a
    network that cannot be cut gets all cores at once.

    Raises:
        InputError: as `open_runner`.
    """
    runner = open_runner(model, threads=1)
    if runner.whole_picture:
        return open_runner(model)
    runner.workers = available_cores()
    return runner


def open_runner(model: "Path | Bundle", threads: int | None = None) -> Runner:
    """The model in a bundle, a TFLite or an ONNX file.

    Args:
        model: a bundle, or a `.safetensors`, `.tflite` or `.onnx` file written by this program.
        threads: for each run; None takes every core.

    Raises:
        InputError: no such file, another kind of file, or one not written by this program.
    """
    threads = threads or available_cores()
    if not isinstance(model, Path):
        from nas_isp.runtimes.torch_runner import TorchRunner

        return TorchRunner(model, "model", threads)
    _check_file(model)
    if model.suffix == BUNDLE_SUFFIX:
        from nas_isp.generators.bundle import load_bundle
        from nas_isp.runtimes.torch_runner import TorchRunner

        return TorchRunner(load_bundle(model), str(model), threads)
    if model.suffix == ".tflite":
        from nas_isp.runtimes.tflite_runner import TfliteRunner

        return TfliteRunner(model, threads)
    from nas_isp.runtimes.onnx_runner import OnnxRunner

    return OnnxRunner(model, threads)


def _check_file(path: Path) -> None:
    if path.suffix not in SUFFIXES:
        raise InputError(f"{path}: not a model; give a {', '.join(SUFFIXES)} file written by nas-isp")
    if not path.is_file():
        raise InputError(f"{path}: no such model; give a {', '.join(SUFFIXES)} file written by nas-isp")
