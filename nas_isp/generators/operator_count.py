"""A deployed network's work operator by operator as fvcore counts it, beside our own count."""

from collections import Counter
from dataclasses import dataclass

import torch
from torch import nn

from nas_isp.generators.architecture import Architecture
from nas_isp.generators.build import assemble, fuse
from nas_isp.generators.conv_spec import PACKED_CHANNELS
from nas_isp.generators.cost import Cost, count
from nas_isp.picture_size import FULL_HD_PACKED
from nas_isp.quiet import quiet_converters

CONVOLUTION = "conv"
"""fvcore's name of the only operator that our own count knows."""

PASSED_OVER = ("relu", "clamp", "max", "cat")
"""Operators that compute or move values and that fvcore passes over without a word."""


@dataclass(frozen=True)
class OperatorRow:
    """One operator in one module.

    Attributes:
        module: its name in the deployed network; empty for the network itself.
        operator: fvcore's name, such as "conv".
        macs: multiply-accumulates of one picture.
        share: of all that fvcore counts.
        params: of the module itself, without those of modules within.
    """

    module: str
    operator: str
    macs: int
    share: float
    params: int


@dataclass(frozen=True)
class OperatorCount:
    """What fvcore counts, and what we count.

    Attributes:
        rows: every operator with multiply-accumulates, in the order of the network.
        params: of the whole network, by fvcore.
        uncounted: operators that fvcore gives no multiply-accumulates, and how often each occurs.
        cost: our own count.
    """

    rows: tuple[OperatorRow, ...]
    params: int
    uncounted: dict[str, int]
    cost: Cost

    @property
    def macs(self) -> int:
        """Multiply-accumulates of all rows."""
        return sum(row.macs for row in self.rows)

    def remarks(self) -> list[str]:
        """A line for each point where the two counts differ, and one for what neither counts."""
        convolutions = sum(row.macs for row in self.rows if row.operator == CONVOLUTION)
        others = sorted({row.operator for row in self.rows} - {CONVOLUTION})
        ours = round(1e9 * self.cost.gmacs)
        lines = []
        if others:
            lines.append(f"only fvcore counts {', '.join(others)}: {self.macs - convolutions:,} multiply-accumulates")
        if convolutions != ours:
            lines.append(f"convolutions: fvcore counts {convolutions:,} multiply-accumulates, this program {ours:,}")
        if self.params != self.cost.params:
            lines.append(f"parameters: fvcore counts {self.params:,}, this program {self.cost.params:,}")
        if self.uncounted:
            lines.append(f"not counted: {', '.join(f'{name} x{times}' for name, times in self.uncounted.items())}")
        return lines


def count_operators(architecture: Architecture, size: tuple[int, int] = FULL_HD_PACKED) -> OperatorCount:
    """Count the deployed form for one packed picture of so many rows and columns; it is run once on zeros.

    Raises:
        InputError: a size the network does not take.
    """
    cost = count(architecture, *size)
    with quiet_converters(), torch.no_grad(), torch.random.fork_rng(devices=()):
        from fvcore.nn import FlopCountAnalysis, parameter_count

        net = fuse(assemble(architecture))
        analysis = FlopCountAnalysis(net, torch.zeros(1, PACKED_CHANNELS, *size))
        analysis.set_op_handle(**{f"aten::{name}": _once for name in PASSED_OVER})
        counted, uncounted = analysis.by_module_and_operator(), analysis.unsupported_ops()
        params = parameter_count(net)[""]
    modules = dict(net.named_modules())
    passed_over = {name: int(counted[""][name]) for name in PASSED_OVER if name in counted[""]}
    total = sum(macs for name, macs in counted[""].items() if name not in PASSED_OVER)
    return OperatorCount(
        rows=tuple(
            OperatorRow(module, operator, int(macs), macs / total, _own_params(modules[module]))
            for module in counted
            for operator, macs in _own_counts(counted, module).items()
            if operator not in PASSED_OVER and macs > 0
        ),
        params=int(params),
        uncounted={name.removeprefix("aten::"): times for name, times in uncounted.most_common()} | passed_over,
        cost=cost,
    )


def _once(inputs: object, outputs: object) -> int:
    """A handle with which fvcore counts how often an operator occurs."""
    return 1


def _own_counts(counted: dict[str, Counter[str]], module: str) -> Counter[str]:
    """What a module computes itself: what fvcore gives it less what it gives the modules within."""
    own, prefix = Counter(counted[module]), f"{module}." if module else ""
    for name in counted:
        if name != module and name.startswith(prefix) and "." not in name.removeprefix(prefix):
            own.subtract(counted[name])
    return own


def _own_params(module: nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters(recurse=False))
