"""The reference network: a fixed one, timed in every batch, to see whether the device still is as fast as before.

Files call it the anchor.

Its shape is that of EfficientISP (three 3x3 convolutions with 12 channels, then a pixel shuffle) for a full-HD picture:
a quarter of the sides fits into caches and follows the speed of full-HD networks half as well. Another shape needs
another name, which is part of a session's set-up.
"""

from functools import cache

from nas_isp.latency.kernels.kernel import Kernel, convolution, shuffle
from nas_isp.picture_size import FULL_HD_PACKED, FULL_HD_TEXT
from nas_isp.precision import Precision

REFERENCE_NETWORK = f"efficient-isp-{FULL_HD_TEXT}"

MAX_DRIFT = 0.05
"""Share by which the reference network may be off its usual time: half of the 10 % that predictions shall meet."""


def reference_kernels() -> list[Kernel]:
    """What the reference network computes."""
    return [
        convolution(4, 12, 3, FULL_HD_PACKED, activation="tanh"),
        convolution(12, 12, 3, FULL_HD_PACKED, activation="relu"),
        convolution(12, 12, 3, FULL_HD_PACKED),
        shuffle(3, 2, FULL_HD_PACKED),
    ]


@cache
def reference_model(precision: Precision = "fp32") -> bytes:
    """The reference network as a TFLite model."""
    from nas_isp.latency.measure.probe_models import kernel_chain_model

    return kernel_chain_model(reference_kernels(), precision)
