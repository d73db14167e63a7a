"""The check accepts what equals PyTorch and refuses what does not."""

import math

import numpy as np
import pytest
import torch

from nas_isp.errors import InputError
from nas_isp.export.verify import compare
from nas_isp.runtimes.base import Floats
from nas_isp.runtimes.torch_runner import TorchRunner
from tests.export.export_cases import PLAIN_CASES, bundle_of

PICTURES = [np.random.default_rng(0).uniform(-0.1, 1.1, (4, 12, 16)).astype(np.float32)]


class Shifted(TorchRunner):
    """A network whose output is off by a constant."""

    error = 0.0

    def run(self, packed: Floats, pooled: Floats | None = None, factors: Floats | None = None) -> Floats:
        return super().run(packed, pooled, factors) + np.float32(self.error)


@pytest.fixture
def runner() -> Shifted:
    return Shifted(bundle_of(PLAIN_CASES["residual"]), "file.tflite")


def test_an_equal_file_passes_without_a_psnr(runner: Shifted) -> None:
    result = compare(runner, runner.net, "fp32", PICTURES)
    assert (result.max_abs_error, result.psnr_vs_torch_db) == (0.0, None)


def test_error_and_psnr_are_measured(runner: Shifted) -> None:
    with torch.no_grad():
        runner.net.tail.conv.weight.mul_(0.01)
        runner.net.tail.conv.bias.fill_(0.5)
    runner.error = 4e-6
    result = compare(runner, runner.net, "fp32", PICTURES)
    assert result.max_abs_error == pytest.approx(4e-6, rel=0.05)
    assert result.psnr_vs_torch_db == pytest.approx(-20 * math.log10(4e-6), abs=0.5)


@pytest.mark.parametrize("error", [1e-3, math.nan])
def test_a_wrong_file_is_refused(runner: Shifted, error: float) -> None:
    runner.error = error
    with pytest.raises(InputError, match=r"file\.tflite: differs from PyTorch"):
        compare(runner, runner.net, "fp32", PICTURES)


def test_half_weights_are_judged_against_half_weights(runner: Shifted) -> None:
    with pytest.raises(InputError):
        compare(runner, runner.net, "fp16", PICTURES)
    full = TorchRunner(bundle_of(PLAIN_CASES["residual"]), "full").net
    for module in runner.net.modules():
        if isinstance(module, torch.nn.Conv2d):
            module.weight.data = module.weight.data.half().float()
    result = compare(runner, full, "fp16", PICTURES)
    assert result.max_error_in_precision == 0
    assert 0 < result.max_abs_error < 1e-2
