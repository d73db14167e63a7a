"""All that a package has to write to test what it adds."""

from nas_isp.testing.blocks import BlockConformance
from nas_isp.testing.losses import LossConformance
from nas_isp.testing.samplers import SamplerConformance
from nas_isp.testing.targets import TargetConformance


class TestInverted(BlockConformance):
    name = "inverted"


class TestCharbonnier(LossConformance):
    name = "charbonnier"


class TestQuasi(SamplerConformance):
    name = "quasi"


class TestChild(TargetConformance):
    target = "child"
