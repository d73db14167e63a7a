"""Networks given as lists of kernels in a file."""

from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, model_validator

from nas_isp.errors import InputError
from nas_isp.files import read_text
from nas_isp.latency.kernels.aliases import fields_known
from nas_isp.latency.kernels.kernel import Kernel
from nas_isp.settings import Settings, parse_json, read_json, validated

MOST_BYTES = 64 * 1024 * 1024
"""Of a file of networks: thousands of them."""

_KERNELS = ("ops", "operators", "layers")
_NAMES = ("name", "model")


class NetworkKernels(Settings):
    """A network by its kernels.

    What a foreign list says beyond that, such as output shapes or node names, is skipped and named in `skipped`.
    """

    network: Annotated[str | None, Field(description="Name for the answer.")] = None
    kernels: Annotated[tuple[Kernel, ...], Field(min_length=1, description="What the runtime executes, in order.")]
    skipped: Annotated[tuple[str, ...], Field(description="Fields of the file that say nothing to a table.")] = ()

    @model_validator(mode="before")
    @classmethod
    def _without_unknown_fields(cls, content: Any) -> Any:
        if isinstance(content, list):
            content = {"kernels": content}
        return _known_fields(content) if isinstance(content, dict) else content


def read_network(path: Path) -> NetworkKernels:
    """One network from a JSON file: ``{"kernels": [...]}`` or the bare list.

    Raises:
        InputError: unreadable, malformed, or a kernel with a fault; the message names the place.
    """
    return validated(read_json(path, MOST_BYTES), NetworkKernels, path)


def read_networks(path: Path) -> list[NetworkKernels]:
    """The networks of a .jsonl file, one JSON object a line; empty lines are skipped.

    Raises:
        InputError: unreadable, no network, or a line with a fault; the message names the line.
    """
    lines = read_text(path, MOST_BYTES, ".jsonl file").splitlines()
    networks = [
        validated(parse_json(line, origin), NetworkKernels, origin)
        for origin, line in ((f"{path}, line {number}", line) for number, line in enumerate(lines, 1))
        if line.strip()
    ]
    if not networks:
        raise InputError(f"{path}: holds no network; give one JSON object with 'kernels' a line")
    return networks


def _known_fields(content: dict[str, Any]) -> dict[str, Any]:
    network = {name: content[name] for name in ("network", "kernels") if content.get(name) is not None}
    for field, spellings in (("network", _NAMES), ("kernels", _KERNELS)):
        found = [name for name in spellings if name in content]
        if field not in network and found:
            network[field] = content[found[0]]
    if isinstance(network.get("network"), int | float):
        network["network"] = str(network["network"])
    skipped = set(content) - {"network", "kernels", *_KERNELS, *_NAMES}
    kernels = network.get("kernels")
    if isinstance(kernels, list):
        known = {*Kernel.model_fields, *fields_known()}
        skipped |= {name for kernel in kernels if isinstance(kernel, dict) for name in kernel if name not in known}
        network["kernels"] = [
            {name: value for name, value in kernel.items() if name in known} if isinstance(kernel, dict) else kernel
            for kernel in kernels
        ]
    return network | {"skipped": tuple(sorted(skipped))}
