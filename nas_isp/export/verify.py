"""Running an exported file and comparing it with PyTorch."""

import copy
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np
import torch
from torch import nn

from nas_isp.errors import InputError
from nas_isp.export.check_set import synthetic_pictures
from nas_isp.export.exporters import Form
from nas_isp.formats.record import PIXEL_SCALE, OutputForm
from nas_isp.picture_size import FULL_HD_PACKED
from nas_isp.precision import Precision
from nas_isp.raw.network_input import balanced
from nas_isp.runtimes.base import Floats, Runner

TOLERANCE = 1e-5
"""Largest error allowed, relative to the largest output value where that is above 1.

For "fp16" the file is compared with PyTorch computing with the weights rounded to half precision, which it must
equal as closely; the error that the rounding itself makes is reported, not judged. A file that gives the levels of an
8-bit picture may be half a level further away.
"""

LEAST_INT8_PSNR_DB = 30.0
"""An int8 file is judged by its PSNR against PyTorch instead."""

HALF_A_LEVEL = PIXEL_SCALE / 2

TIMED_THREADS = 1


@dataclass(frozen=True)
class TorchDifference:
    """How far a file's output is from PyTorch's; see `ExportReport`."""

    max_abs_error: float
    max_error_in_precision: float
    psnr_vs_torch_db: float | None


@dataclass(frozen=True)
class FileCheck:
    """What came of running a file; see `ExportReport`. All is None if nothing here can run it."""

    max_abs_error: float | None = None
    max_error_in_precision: float | None = None
    psnr_vs_torch_db: float | None = None
    checked_on: str | None = None
    host_ms: float | None = None
    host_ms_min: float | None = None
    host_size: tuple[int, int] | None = None
    host_threads: int | None = None


def compare(
    runner: Runner,
    net: nn.Module,
    precision: Precision,
    pictures: Sequence[Floats],
    output: OutputForm = "float",
    factors: Sequence[Floats | None] | None = None,
) -> TorchDifference:
    """Run a file and the fused network it was made from on packed pictures `(4, h, w)`.

    The file is given the factors of each picture beside it, if there are any; the network sees the product.

    Raises:
        InputError: the file is further from PyTorch than `TOLERANCE`, or than `LEAST_INT8_PSNR_DB` for int8.
    """
    rounded = _rounded(net, precision)
    error, error_in_precision, squares, count = 0.0, 0.0, 0.0, 0
    for packed, gains in zip(pictures, factors or [None] * len(pictures), strict=True):
        seen = balanced(packed, gains)
        given, expected, exact = runner.run(packed, factors=gains), _torch_run(net, seen), _torch_run(rounded, seen)
        if precision == "int8" or output == "uint8":
            expected, exact = expected.clip(0, 1), exact.clip(0, 1)
        if given.shape != exact.shape:
            raise InputError(f"{runner.name}: gives {given.shape}, PyTorch {exact.shape}; the file was not kept")
        if precision != "int8":
            _check(runner.name, given, exact, HALF_A_LEVEL if output == "uint8" else 0.0)
        error = max(error, float(np.abs(given - expected).max()))
        error_in_precision = max(error_in_precision, float(np.abs(given - exact).max()))
        squares += float(np.square(given.clip(0, 1) - expected.clip(0, 1), dtype=np.float64).sum())
        count += given.size
    psnr = 10 * math.log10(count / squares) if squares else None
    if precision == "int8" and psnr is not None and not psnr >= LEAST_INT8_PSNR_DB:
        raise InputError(
            f"{runner.name}: {psnr:.1f} dB PSNR against PyTorch, int8 needs {LEAST_INT8_PSNR_DB:g}; the file was not "
            "kept; calibrate on other RAW, or give precision fp16",
            *("calibration", "precision"),
        )
    return TorchDifference(error, error_in_precision, psnr)


def verify(
    runner: Runner,
    net: nn.Module,
    form: Form,
    pictures: Sequence[Floats],
    name: str,
    factors: Sequence[Floats | None] | None = None,
) -> FileCheck:
    """Compare a file with the fused network it was made from, and time it.

    Args:
        runner: the file, on `TIMED_THREADS` threads.
        net: the fused network.
        form: what the file is to be.
        pictures: packed `(4, h, w)`, of the file's size.
        name: what a report calls the pictures.
        factors: what the planes of each are multiplied by before the network sees them; see `Runner.run`.

    Raises:
        InputError: the file cannot be run, or is too far from PyTorch; see `compare`.
    """
    difference = compare(runner, net, form.precision, pictures, form.output, factors)
    timed_size = form.packed_size or FULL_HD_PACKED
    host_ms, host_ms_min = runner.measure_ms(synthetic_pictures(*timed_size)[0])
    return FileCheck(
        **asdict(difference),
        checked_on=name,
        host_ms=host_ms,
        host_ms_min=host_ms_min,
        host_size=timed_size,
        host_threads=TIMED_THREADS,
    )


def _check(name: str, given: Floats, exact: Floats, rounding: float) -> None:
    error, allowed = float(np.abs(given - exact).max()), TOLERANCE * max(1.0, float(np.abs(exact).max())) + rounding
    if not error <= allowed:
        raise InputError(
            f"{name}: differs from PyTorch by {error:.2g}, allowed is {allowed:.2g}; the file was not kept, "
            "try another exporter, or precision fp32",
            *("to", "precision"),
        )


def _torch_run(net: nn.Module, packed: Floats) -> Floats:
    with torch.inference_mode():
        rgb: Floats = net(torch.from_numpy(packed)[None])[0].numpy()
    return rgb


def _rounded(net: nn.Module, precision: Precision) -> nn.Module:
    """The network with its convolutions' weights as the file stores them."""
    if precision != "fp16":
        return net
    net = copy.deepcopy(net)
    for module in net.modules():
        if isinstance(module, nn.Conv2d):
            module.weight.data = module.weight.data.half().float()
    return net
