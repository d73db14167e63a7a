"""Reads the checkpoints published with arXiv 2505.10420 into bundles that take the ordinary packed tensor."""

import hashlib
from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor

from nas_isp.errors import InputError
from nas_isp.generators.architecture import RmfaArchitecture
from nas_isp.generators.build import assemble
from nas_isp.generators.bundle import Bundle, BundleRecord
from nas_isp.generators.published import PUBLISHED
from nas_isp.raw.packing import CANONICAL_SITES
from nas_isp.raw.sensor import SensorDescription
from nas_isp.torch_files import named_tensors, read_torch_file

WHITE = 1023.0
BLACK = (58.0, 60.0, 61.0, 62.0)
"""What the plain networks subtract from R, G1, G2, B before they divide by `WHITE - BLACK`."""

RMFA_BLACK = 63.0
"""What RMFA subtracts from every value before it divides by `WHITE`."""

PLANE_ORDER = (3, 1, 0, 2)
"""The published plane ``i`` is our canonical plane ``PLANE_ORDER[i]``: sites (1,1), (0,1), (0,0), (1,0)."""

_PLAIN_LAYERS = {"conv1": "blocks.0.conv", "conv2": "blocks.1.conv", "conv3": "tail.conv"}
_PARTS = ("weight", "bias")
_RMFA_LEVELS = ("input_gain", "input_offset")


def import_checkpoint(file: Path, name: str, sensor: SensorDescription) -> Bundle:
    """The bundle of a published `.pth` file.

    Args:
        file: the checkpoint; only tensors are read from it, no code.
        name: which published generator it is.
        sensor: of the data set that it was trained on; see `published_weights`.

    Raises:
        InputError: an unknown name, an unreadable file, or one that holds other weights.
    """
    foreign = read_checkpoint(file)
    try:
        weights = published_weights(name, foreign, sensor)
    except InputError as error:
        raise InputError(f"{file}: {error}") from error
    origin = {
        "command": "import-checkpoint",
        "file": file.name,
        "sha256": hashlib.sha256(file.read_bytes()).hexdigest(),
        "architecture": name,
        "source": "arXiv 2505.10420",
    }
    # The published figures are of whole patches whose borders saw the convolutions' zeros, as in training.
    record = BundleRecord(architecture=PUBLISHED[name], sensor=sensor, border="zeros", origin=origin)
    return Bundle(record, weights)


def read_checkpoint(file: Path) -> dict[str, Tensor]:
    """The named tensors of a `.pth` file, read without running anything that is in it.

    Raises:
        InputError: missing, damaged, or holding anything but named tensors.
    """
    if not file.is_file():
        raise InputError(f"{file}: no such file; give a published .pth checkpoint")
    try:
        tensors = named_tensors(read_torch_file(file))
    except InputError as error:
        raise InputError(f"{error}; give a published .pth file") from error
    if tensors is None:
        raise InputError(f"{file}: holds something else than named tensors; give a published .pth file")
    return tensors


def published_weights(name: str, foreign: Mapping[str, Tensor], sensor: SensorDescription) -> dict[str, Tensor]:
    """Published weights under our names, for a packed tensor in our plane order and scaled with a sensor's levels.

    The published networks take values as the data set's files store them (true value << shift), minus their own black
    levels, divided by their own white level: `BLACK`, `RMFA_BLACK`, `WHITE`. That is an affine function of our packed
    tensor in each plane. For "efficient-isp" and "robust-isp" it is folded into the first convolution, exactly but for
    the outermost packed pixels, where the zeros outside stand for a little above the published black (at most 0.04 dB
    of a 256-pixel patch). RMFA fills missing sites with a constant, so it keeps gain and offset before its first
    convolution, exactly.

    Raises:
        InputError: an unknown name, or weights of another network.
    """
    if name not in PUBLISHED:
        raise InputError(f"unknown published generator '{name}': known are {', '.join(PUBLISHED)}")
    wanted = _foreign_shapes(name)
    misfit = _misfit(wanted, foreign)
    if misfit:
        fitting = [other for other in PUBLISHED if not _misfit(_foreign_shapes(other), foreign)]
        advice = f"it fits {fitting[0]}" if fitting else f"give a checkpoint of {', '.join(PUBLISHED)}"
        raise InputError(f"these are no weights of {name} ({misfit}); {advice}")
    weights = {key: tensor.detach().float() for key, tensor in foreign.items()}
    if not all(tensor.isfinite().all() for tensor in weights.values()):
        raise InputError(f"these weights of {name} are not all finite; give an undamaged checkpoint")
    if isinstance(PUBLISHED[name], RmfaArchitecture):
        gain, offset = _levels(sensor, (RMFA_BLACK,) * 4, WHITE)
        levels = (plane.float().view(1, 4, 1, 1) for plane in (gain, offset))
        return weights | dict(zip(_RMFA_LEVELS, levels, strict=True))
    return _folded({_our_key(key): tensor for key, tensor in weights.items()}, sensor)


def _foreign_shapes(name: str) -> dict[str, torch.Size]:
    """Names and shapes of the tensors that a published file of this generator holds."""
    shapes = {key: tensor.shape for key, tensor in assemble(PUBLISHED[name]).state_dict().items()}
    if isinstance(PUBLISHED[name], RmfaArchitecture):
        return {key: shape for key, shape in shapes.items() if key not in _RMFA_LEVELS}
    foreign = {f"{theirs}.{part}": f"{ours}.{part}" for theirs, ours in _PLAIN_LAYERS.items() for part in _PARTS}
    return {theirs: shapes[ours] for theirs, ours in foreign.items()}


def _misfit(wanted: Mapping[str, torch.Size], given: Mapping[str, Tensor]) -> str | None:
    """The first thing that is wrong with given tensors, or None."""
    for key, shape in wanted.items():
        if key not in given:
            return f"'{key}' is missing"
        if given[key].shape != shape:
            return f"'{key}' is {tuple(given[key].shape)}, not {tuple(shape)}"
    more = sorted(given.keys() - wanted.keys())
    return f"'{more[0]}' is not part of it" if more else None


def _our_key(key: str) -> str:
    layer, _, part = key.rpartition(".")
    return f"{_PLAIN_LAYERS[layer]}.{part}"


def _levels(
    sensor: SensorDescription, black: tuple[float, float, float, float], divisor: float | Tensor
) -> tuple[Tensor, Tensor]:
    """Gain and offset of each canonical plane, float64 (4,): published value = gain * packed value + offset."""
    sites = [sensor.black_sites[2 * row + column] for row, column in CANONICAL_SITES[sensor.cfa]]
    stored_black = torch.tensor(sites, dtype=torch.float64) * 2**sensor.shift
    stored_white = sensor.white * 2**sensor.shift
    subtracted = torch.tensor(black, dtype=torch.float64)
    return (stored_white - stored_black) / divisor, (stored_black - subtracted) / divisor


def _folded(weights: dict[str, Tensor], sensor: SensorDescription) -> dict[str, Tensor]:
    """Plane order and levels moved into the first convolution."""
    first = weights["blocks.0.conv.weight"].double()
    canonical = torch.empty_like(first)
    canonical[:, list(PLANE_ORDER)] = first
    gain, offset = _levels(sensor, BLACK, WHITE - torch.tensor(BLACK, dtype=torch.float64))
    shift = (canonical.sum((2, 3)) * offset).sum(1)
    return weights | {
        "blocks.0.conv.weight": (canonical * gain[:, None, None]).float(),
        "blocks.0.conv.bias": (weights["blocks.0.conv.bias"].double() + shift).float(),
    }
