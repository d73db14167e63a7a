"""Networks given as lists of kernels in a file."""

from pathlib import Path
from typing import Annotated

from pydantic import Field

from nas_isp.errors import InputError
from nas_isp.latency.kernel import Kernel
from nas_isp.latency.tables import MAX_TABLE_BYTES, read_json
from nas_isp.settings import Settings, parse_json, validated


class NetworkKernels(Settings):
    """A network by its kernels."""

    network: Annotated[str | None, Field(description="Name for the answer.")] = None
    kernels: Annotated[tuple[Kernel, ...], Field(min_length=1, description="What the runtime executes, in order.")]


def read_network(path: Path) -> NetworkKernels:
    """One network from a JSON file: ``{"kernels": [...]}`` or the bare list.

    Raises:
        InputError: unreadable, malformed, or a kernel with a fault; the message names the place.
    """
    content = read_json(path)
    return validated({"kernels": content} if isinstance(content, list) else content, NetworkKernels, path)


def read_networks(path: Path) -> list[NetworkKernels]:
    """The networks of a .jsonl file, one JSON object a line; empty lines are skipped.

    Raises:
        InputError: unreadable, no network, or a line with a fault; the message names the line.
    """
    try:
        if path.stat().st_size > MAX_TABLE_BYTES:
            raise InputError(f"{path}: {path.stat().st_size} bytes; a list of networks has at most {MAX_TABLE_BYTES}")
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: cannot be read as text ({error}); give a readable .jsonl file") from error
    networks = [
        validated(parse_json(line, origin), NetworkKernels, origin)
        for origin, line in ((f"{path}, line {number}", line) for number, line in enumerate(lines, 1))
        if line.strip()
    ]
    if not networks:
        raise InputError(f"{path}: holds no network; give one JSON object with 'kernels' a line")
    return networks
