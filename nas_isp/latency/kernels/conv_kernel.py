"""The kernel of a described convolution."""

from nas_isp.generators.conv_spec import ConvSpec
from nas_isp.latency.kernels.kernel import Kernel

Size = tuple[int, int]
"""Rows and columns."""


def conv_kernel(spec: ConvSpec, size: Size, activation: str | None = None) -> Kernel:
    """The kernel of a convolution on an input of so many rows and columns.

    Args:
        activation: what is fused into it, where that is more than its description says.
    """
    steps = [step for step in ("add" if spec.residual else "none", spec.activation) if step != "none"]
    return Kernel(
        op=spec.kind,
        in_channels=spec.in_channels,
        out_channels=spec.out_channels,
        kernel=(spec.kernel, spec.kernel),
        stride=(spec.stride, spec.stride),
        groups=spec.groups,
        height=size[0],
        width=size[1],
        activation=activation or "_".join(steps) or "none",
        padding="same",
    )
