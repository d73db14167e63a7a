"""Running a model bundle in PyTorch."""

from collections.abc import Callable

import numpy as np
import torch

from nas_isp.generators.build import fuse
from nas_isp.generators.bundle import Bundle, network_of
from nas_isp.generators.cost import receptive_field
from nas_isp.runtimes.base import Floats, Runner, Sums, plane_factors


class TorchRunner(Runner):
    """The fused network of a bundle.

    Args:
        bundle: weights and record.
        name: for messages.
        threads: for PyTorch, for the whole process; None leaves its setting.

    Raises:
        InputError: the weights do not fit the architecture.
    """

    def __init__(self, bundle: Bundle, name: str, threads: int | None = None) -> None:
        architecture = bundle.record.architecture
        super().__init__(
            name,
            tile=None,
            halo=receptive_field(architecture),
            step=architecture.step,
            has_global_head=architecture.has_color_head,
            whole_picture=architecture.needs_whole_picture,
            border=bundle.record.border,
        )
        self.sensor = bundle.record.sensor
        self.network_input = bundle.record.network_input
        if threads is not None:
            torch.set_num_threads(threads)
        self.net = fused_network(bundle, name)

    def run(self, packed: Floats, pooled: Floats | None = None, factors: Floats | None = None) -> Floats:
        context = None if pooled is None else torch.from_numpy(pooled)[None]
        with torch.inference_mode():
            rgb: Floats = self.net(self._picture(packed, factors), context)[0].numpy()
        return rgb

    def feature_sums(self, packed: Floats, factors: Floats | None = None) -> Sums:
        with torch.inference_mode():
            means: Floats = self.net.context(self._picture(packed, factors))[0].numpy()  # type: ignore[operator]
        return means.astype(np.float64) * packed[0].size

    def prepared(self, packed: Floats) -> Callable[[], object]:
        return lambda: self.run(packed)

    def _picture(self, packed: Floats, factors: Floats | None) -> torch.Tensor:
        """What the network takes."""
        return torch.from_numpy(packed if factors is None else packed * plane_factors(factors, self.name))[None]


def fused_network(bundle: Bundle, name: str) -> torch.nn.Module:
    """The deployed form of a bundle's network, on the CPU in evaluation mode.

    Raises:
        InputError: the weights do not fit the architecture.
    """
    return fuse(network_of(bundle, name))
