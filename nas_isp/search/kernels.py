"""The kernels of what a user names: a model, networks in a file of kernels, or a whole search space."""

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from nas_isp.errors import InputError
from nas_isp.files import read_bytes
from nas_isp.latency.kernels.from_architecture import Kernel, kernels_of
from nas_isp.latency.kernels.from_json import NetworkKernels, read_network, read_networks
from nas_isp.latency.kernels.from_tflite import kernels_of_tflite
from nas_isp.search.models import load_architecture, takes_balanced
from nas_isp.search.space import load_space

if TYPE_CHECKING:
    from nas_isp.generators.architecture import Architecture
    from nas_isp.generators.bundle import Bundle

SAMPLES = 2000
"""Random members of a space that tell which of its kernels are frequent; rarer ones are known from the space itself."""


def model_kernels(model: "str | Path | Bundle | Architecture", input_size: tuple[int, int]) -> list[Kernel]:
    """The kernels of a TFLite file, which has a size of its own, or of an architecture for packed rows and columns.

    Raises:
        InputError: no such model, or one whose kernels are not known.
    """
    if isinstance(model, str | Path) and Path(model).suffix == ".tflite":
        return kernels_of_tflite(read_bytes(Path(model)), Path(model))
    return kernels_of(load_architecture(model), *input_size, takes_balanced(model))


def named_networks(
    model: "str | Path | Bundle | Architecture | None", kernels: Path | None, input_size: tuple[int, int]
) -> list[NetworkKernels]:
    """The one network of a model, or those of a file of kernels: .json holds one, .jsonl many.

    Raises:
        InputError: neither or both given, or something that cannot be read.
    """
    if kernels is not None and model is None:
        return read_networks(kernels) if kernels.suffix == ".jsonl" else [read_network(kernels)]
    if model is None or kernels is not None:
        raise InputError("give either a model, or a .json or .jsonl file of kernels", "model", "kernels")
    return [NetworkKernels(network=str(model), kernels=tuple(model_kernels(model, input_size)))]


def space_kernels(space: str, input_size: tuple[int, int], samples: int = SAMPLES) -> list[Kernel]:
    """Every kernel of a space's members, given balanced RAW, the most frequent among so many random ones first."""
    members, rng = load_space(space), np.random.default_rng(0)
    counts = Counter(kernel for _ in range(samples) for kernel in kernels_of(members.sample(rng), *input_size, True))
    counts.update(
        {kernel: 0 for network in members.short_networks() for kernel in kernels_of(network, *input_size, True)}
    )
    return [kernel for kernel, _ in counts.most_common()]


def kernels_to_measure(
    space: str | None,
    model: "str | Path | Bundle | Architecture | None",
    kernels: Path | None,
    input_size: tuple[int, int],
) -> list[Kernel]:
    """The kernels of a space, of a model, or of the networks in a file.

    Raises:
        InputError: not just one given, or something that cannot be read.
    """
    if [space, model, kernels].count(None) != 2:
        raise InputError(
            "give one of a space, a model and a .json or .jsonl file of kernels", "space", "model", "kernels"
        )
    if space is not None:
        return space_kernels(space, input_size)
    return [kernel for network in named_networks(model, kernels, input_size) for kernel in network.kernels]
