"""The generators published with arXiv 2505.10420, by name, and how their published weights map onto ours."""

from collections.abc import Mapping

from torch import Tensor

from nas_isp.errors import InputError
from nas_isp.generators.architecture import Architecture, Block, PlainArchitecture, RmfaArchitecture

PUBLISHED: dict[str, Architecture] = {
    "efficient-isp": PlainArchitecture(
        blocks=(
            Block(kind="conv3", channels=12, activation="tanh"),
            Block(kind="conv3", channels=12, activation="relu"),
        ),
        tail_activation="relu",
    ),
    "robust-isp": PlainArchitecture(
        blocks=(
            Block(kind="conv3", channels=16, activation="tanh"),
            Block(kind="conv3", channels=4, activation="relu"),
        ),
        tail_activation="relu",
    ),
    "rmfa-tiny": RmfaArchitecture(width=16, depth=2),
}
"""Name -> description: 3,060, 1,616 and 29,223 parameters."""

PLANE_ORDER = (3, 1, 0, 2)
"""The published plane ``i`` is our canonical plane ``PLANE_ORDER[i]``: sites (1,1), (0,1), (0,0), (1,0)."""

_PLAIN_LAYERS = {"conv1": "blocks.0.conv", "conv2": "blocks.1.conv", "conv3": "tail.conv"}


def map_state_dict(name: str, foreign: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The published weights of a published generator under our names, for canonical packed input.

    For "efficient-isp" and "robust-isp" ``conv1``, ``conv2``, ``conv3`` become ``blocks.0.conv``, ``blocks.1.conv``
    and ``tail.conv``, and the input planes of the first convolution are reordered from the published order (sites
    (1,1), (0,1), (0,0), (1,0)) to R, G1, G2, B. For "rmfa-tiny" the names are equal and nothing changes. Levels are
    not folded in: the plain networks were trained on ``(x - black) / (1023 - black)`` with black 62, 60, 58, 61 in
    their own plane order, "rmfa-tiny" on ``(x - 63) / 1023``.

    Raises:
        InputError: an unknown name, or weights of another network.
    """
    if name not in PUBLISHED:
        raise InputError(f"unknown published generator '{name}': known are {', '.join(PUBLISHED)}")
    if isinstance(PUBLISHED[name], RmfaArchitecture):
        _check_keys(name, foreign, "input_module.0.weight")
        return dict(foreign)
    _check_keys(name, foreign, *(f"{layer}.weight" for layer in _PLAIN_LAYERS))
    mapped = {}
    for key, tensor in foreign.items():
        layer, _, part = key.rpartition(".")
        mapped[f"{_PLAIN_LAYERS.get(layer, layer)}.{part}"] = tensor
    first = mapped["blocks.0.conv.weight"]
    reordered = first.clone()
    reordered[:, list(PLANE_ORDER)] = first
    mapped["blocks.0.conv.weight"] = reordered
    return mapped


def _check_keys(name: str, foreign: Mapping[str, Tensor], *expected: str) -> None:
    missing = [key for key in expected if key not in foreign]
    if missing:
        raise InputError(f"these are no weights of {name}: '{missing[0]}' is missing; give a checkpoint of {name}")
