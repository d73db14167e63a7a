"""The networks that a latency table is validated on: random ones of a space, or those of a folder of files."""

from pathlib import Path

import numpy as np

from nas_isp.errors import InputError
from nas_isp.files import read_bytes
from nas_isp.generators.architecture import Architecture
from nas_isp.latency.kernels.from_architecture import kernels_of
from nas_isp.latency.kernels.from_tflite import kernels_of_tflite
from nas_isp.latency.validate.timing import CandidateNetwork, Untimed
from nas_isp.precision import Precision
from nas_isp.search.models import EXPORTED, load_architecture
from nas_isp.search.space import load_space

FILES = (".json", ".safetensors", ".tflite")
MOST_NETWORKS = 1000
CALIBRATION_SIZE = (64, 96)
"""Of the noise on which ranges are observed: how long 8-bit arithmetic takes does not depend on them."""


def networks_to_validate(
    text: str, size: tuple[int, int], seed: int, precision: Precision
) -> tuple[list[CandidateNetwork], list[Untimed]]:
    """The networks to validate on, and what could not be read of them.

    Args:
        text: ``SPACE:N`` for so many random networks of a space, or a folder of bundles, architecture files and .tflite
            files.
        size: packed rows and columns.
        seed: of the random networks.
        precision: in which a bundle or an architecture is written; random weights where there are none.

    Raises:
        InputError: neither of these, or a folder without such a file.
    """
    if not Path(text).is_dir():
        return _random_networks(text, size, seed, precision), []
    found: list[CandidateNetwork] = []
    faults: list[Untimed] = []
    paths = sorted(path for path in Path(text).iterdir() if path.suffix in FILES and not _is_export_report(path))
    if not paths:
        raise InputError(f"networks '{text}': the folder holds no {', '.join(FILES)} file")
    for path in paths:
        try:
            found.append(_from_file(path, size, precision))
        except InputError as error:
            faults.append(Untimed(path.name, str(error)))
    if not found:
        raise InputError(f"networks '{text}': none of {len(paths)} files can be used; {faults[0].reason}")
    return found, faults


def _random_networks(text: str, size: tuple[int, int], seed: int, precision: Precision) -> list[CandidateNetwork]:
    space, _, number = text.rpartition(":")
    if not space or not number.isascii() or not number.isdigit() or not 1 <= int(number) <= MOST_NETWORKS:
        raise InputError(
            f"networks '{text}': give a folder of networks, or SPACE:N with N from 1 to {MOST_NETWORKS}, "
            "such as mobile:8",
            "networks",
        )
    members, rng = load_space(space), np.random.default_rng(seed)
    drawn: dict[str, CandidateNetwork] = {}
    while len(drawn) < min(int(number), members.size()):
        architecture = members.sample(rng)
        drawn.setdefault(architecture.digest(), _written(architecture.digest(), architecture, size, precision))
    return list(drawn.values())


def _is_export_report(path: Path) -> bool:
    """Whether a file is what an export writes beside the model of the same name."""
    return path.suffix == ".json" and path.with_suffix("").suffix in EXPORTED and path.with_suffix("").is_file()


def _from_file(path: Path, size: tuple[int, int], precision: Precision) -> CandidateNetwork:
    if path.suffix != ".tflite":
        return _written(path.name, load_architecture(str(path)), size, precision)
    content = read_bytes(path)
    kernels = tuple(kernels_of_tflite(content, path))
    stated = "int8" if any(kernel.precision == "int8" for kernel in kernels) else "fp32"
    if stated != precision:
        raise InputError(
            f"{path}: is {stated}, but {precision} is measured: give the device of that precision", "device"
        )
    return CandidateNetwork(path.name, kernels, lambda: content)


def _written(name: str, architecture: Architecture, size: tuple[int, int], precision: Precision) -> CandidateNetwork:
    kernels = tuple(kernels_of(architecture, *size))
    return CandidateNetwork(name, kernels, lambda: _exported(architecture, size, precision))


def _exported(architecture: Architecture, size: tuple[int, int], precision: Precision) -> bytes:
    from nas_isp.export.tflite.convert import export_tflite
    from nas_isp.generators.build import build, fuse

    content = export_tflite(fuse(build(architecture)), *size, "fp32")
    if precision != "int8":
        return content
    from nas_isp.export.int8.quantize import quantize_tflite

    noise = np.random.default_rng(0).random((4, *CALIBRATION_SIZE), dtype=np.float32)
    return quantize_tflite(content, [noise])
