"""Running an exported file and comparing it with PyTorch."""

import copy
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from nas_isp.errors import InputError
from nas_isp.export.metadata import Precision
from nas_isp.export.runners import Floats, Runner, load_runner

TOLERANCE = 1e-5
"""Largest error allowed, relative to the largest output value where that is above 1.

For "fp16" the file is compared with PyTorch computing with the weights rounded to half precision, which it must
equal as closely; the error that the rounding itself makes is reported, not judged.
"""

TIMED_SIZE = (544, 960)
"""Packed size at which a file of any input size is timed."""

TIMED_THREADS = 1


@dataclass(frozen=True)
class ExportReport:
    """What an export wrote and how it compares with PyTorch.

    Attributes:
        file: where it is.
        bytes: its size.
        runtime: "tflite" or "onnx".
        precision: how weights are stored.
        packed_size: rows and columns of the packed input, or None for any.
        ops: how often each operator occurs.
        max_abs_error: largest difference to PyTorch in fp32, unclipped output.
        max_error_in_precision: the same against PyTorch with weights rounded as the file stores them.
        psnr_vs_torch_db: of the output clipped to 0..1 against PyTorch in fp32; None if equal.
        checked_on: pictures compared, and what they were.
        host_ms: median time of one run on this machine at `host_size`, on `host_threads` threads.
        host_ms_min: the least of the times, nearer the truth on a busy machine.
        host_size: packed size that was timed.
        host_threads: threads that were used.
        opset: version of the operators of an ONNX file, else None.
    """

    file: str
    bytes: int
    runtime: str
    precision: Precision
    packed_size: tuple[int, int] | None
    ops: dict[str, int]
    max_abs_error: float
    max_error_in_precision: float
    psnr_vs_torch_db: float | None
    checked_on: str
    host_ms: float
    host_ms_min: float
    host_size: tuple[int, int]
    host_threads: int
    opset: int | None = None

    def to_json(self) -> dict[str, Any]:
        """As plain data."""
        return asdict(self)


@dataclass(frozen=True)
class Comparison:
    """How far a file's output is from PyTorch's; see `ExportReport`."""

    max_abs_error: float
    max_error_in_precision: float
    psnr_vs_torch_db: float | None


def compare(runner: Runner, net: nn.Module, precision: Precision, pictures: Sequence[Floats]) -> Comparison:
    """Run a file and the fused network it was made from on packed pictures `(4, h, w)`.

    Raises:
        InputError: the file is further from PyTorch than `TOLERANCE`.
    """
    rounded = _rounded(net, precision)
    error, error_in_precision, squares, count = 0.0, 0.0, 0.0, 0
    for packed in pictures:
        output, expected, exact = runner.run(packed), _torch_run(net, packed), _torch_run(rounded, packed)
        _check(runner.name, output, exact)
        error = max(error, float(np.abs(output - expected).max()))
        error_in_precision = max(error_in_precision, float(np.abs(output - exact).max()))
        squares += float(np.square(output.clip(0, 1) - expected.clip(0, 1), dtype=np.float64).sum())
        count += output.size
    psnr = 10 * math.log10(count / squares) if squares else None
    return Comparison(error, error_in_precision, psnr)


def verify(
    path: Path, net: nn.Module, precision: Precision, pictures: Sequence[Floats], timed: Floats, name: str
) -> tuple[Comparison, tuple[float, float]]:
    """Load a file, compare it with the fused network it was made from, and time it.

    Args:
        path: the exported file.
        net: the fused network.
        precision: how the file stores weights.
        pictures: packed `(4, h, w)`, of the file's size.
        timed: picture to time on.
        name: what messages call the file.

    Returns:
        The comparison, and the median and least milliseconds of one run on one thread.

    Raises:
        InputError: the file cannot be run, or is further from PyTorch than `TOLERANCE`.
    """
    runner = load_runner(path, threads=TIMED_THREADS)
    runner.name = name
    return compare(runner, net, precision, pictures), runner.measure_ms(timed)


def _check(name: str, output: Floats, exact: Floats) -> None:
    if output.shape != exact.shape:
        raise InputError(f"{name}: gives {output.shape}, PyTorch {exact.shape}; the file was not kept")
    error, allowed = float(np.abs(output - exact).max()), TOLERANCE * max(1.0, float(np.abs(exact).max()))
    if not error <= allowed:
        raise InputError(
            f"{name}: differs from PyTorch by {error:.2g}, allowed is {allowed:.2g}; the file was not kept, "
            "try the other format or --precision fp32"
        )


def _torch_run(net: nn.Module, packed: Floats) -> Floats:
    with torch.inference_mode():
        rgb: Floats = net(torch.from_numpy(packed)[None])[0].numpy()
    return rgb


def _rounded(net: nn.Module, precision: Precision) -> nn.Module:
    """The network with its convolutions' weights as the file stores them."""
    if precision == "fp32":
        return net
    net = copy.deepcopy(net)
    for module in net.modules():
        if isinstance(module, nn.Conv2d):
            module.weight.data = module.weight.data.half().float()
    return net
