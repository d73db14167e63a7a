"""Reading foreign weights: a state dictionary from a file, and from there into a network's modules."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from nas_isp.errors import InputError
from nas_isp.torch_files import named_tensors, read_torch_file


def read_state(path: Path) -> dict[str, Tensor]:
    """The tensors of a safetensors file or a PyTorch state dictionary, by name; nothing in it is executed.

    Raises:
        InputError: unreadable, or something else than tensors by name.
    """
    try:
        content = load_file(path) if path.suffix == ".safetensors" else read_torch_file(path, mapped=True)
    except (InputError, SafetensorError, OSError, ValueError) as error:
        raise InputError(f"{path}: cannot be read as weights ({error}); fetch the file again") from error
    state = named_tensors(content)
    if state is None:
        raise InputError(f"{path}: holds no state dictionary (tensors by name); give the weights' own file")
    return state


def fill(modules: Sequence[nn.Module], state: Mapping[str, Tensor], names: Sequence[str], path: Path) -> None:
    """Copy `NAME.weight` and `NAME.bias` of each name into the module at the same place.

    Raises:
        InputError: one is missing or has another shape.
    """
    for module, name in zip(modules, names, strict=True):
        for kind in ("weight", "bias"):
            copy_tensor(module.get_parameter(kind), state, f"{name}.{kind}", path)


def copy_tensor(into: Tensor, state: Mapping[str, Tensor], key: str, path: Path) -> None:
    """Copy one tensor of a state dictionary into a parameter.

    Raises:
        InputError: it is missing, has another shape, or is not finite.
    """
    if key not in state:
        raise InputError(
            f"{path}: has no '{key}', so these are other weights; give the file that is named so officially"
        )
    if state[key].shape != into.shape:
        raise InputError(
            f"{path}: '{key}' has shape {tuple(state[key].shape)} where {tuple(into.shape)} is needed, "
            "so these are other weights; give the file that is named so officially"
        )
    with torch.no_grad():
        into.copy_(state[key])
    if not into.isfinite().all():
        raise InputError(f"{path}: '{key}' holds NaN or infinite values; fetch the file again")
