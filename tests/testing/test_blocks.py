"""Every built-in block conforms, and faulty ones do not."""

from collections.abc import Sequence
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from nas_isp.generators.blocks import BLOCKS, Conv
from nas_isp.generators.conv_spec import ConvSpec
from nas_isp.generators.trunk import TrunkBlock
from nas_isp.testing.blocks import BlockConformance


class TestBuiltInBlocks(BlockConformance):
    @pytest.fixture(params=list(BLOCKS), autouse=True)
    def each(self, request: pytest.FixtureRequest) -> None:
        self.name = request.param

    @pytest.mark.slow
    def test_its_exported_files_equal_pytorch(self, tmp_path: Path) -> None:
        super().test_its_exported_files_equal_pytorch(tmp_path)


class _Unused(TrunkBlock):
    def __init__(self, convs: Sequence[ConvSpec]) -> None:
        super().__init__(convs)
        self.gain = nn.Parameter(torch.ones(1))


class _Noisy(TrunkBlock):
    def weight_of(self, spec: ConvSpec) -> Tensor:
        weight = super().weight_of(spec)
        return weight + 0.01 * torch.randn_like(weight)


class _Frozen(TrunkBlock):
    def weight_of(self, spec: ConvSpec) -> Tensor:
        return super().weight_of(spec).detach()


@pytest.mark.parametrize(
    ("form", "test", "message"),
    [
        (_Unused, "test_it_trains", "no step has moved: .*gain"),
        (_Frozen, "test_it_trains", "no step has moved: .*weight"),
        (_Noisy, "test_its_deployed_form_computes_the_same", "the deployed form differs"),
    ],
)
def test_a_faulty_training_form_is_found(
    form: type[TrunkBlock], test: str, message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Faulty(Conv):
        def module(self, convs: Sequence[ConvSpec]) -> TrunkBlock:
            return form(convs)

    monkeypatch.setitem(BLOCKS._registered, "faulty", Faulty(3))
    conformance = BlockConformance()
    conformance.name = "faulty"
    with pytest.raises(AssertionError, match=message):
        getattr(conformance, test)()
