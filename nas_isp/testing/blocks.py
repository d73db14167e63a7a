"""Conformance of blocks: a block must train, fuse, export, be counted, be priced and see as far as is said."""

import math
from pathlib import Path

import torch
from fvcore.nn import FlopCountAnalysis
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from nas_isp.export.export import export_bundle
from nas_isp.export.exporters import Form
from nas_isp.generators.architecture import ARCHITECTURE, Block, PlainArchitecture
from nas_isp.generators.blocks import keeps_every_pixel
from nas_isp.generators.build import build, fuse
from nas_isp.generators.bundle import network_of
from nas_isp.generators.conv_spec import PACKED_CHANNELS
from nas_isp.generators.cost import count, receptive_field
from nas_isp.latency.kernels.from_architecture import kernels_of
from nas_isp.latency.kernels.from_tflite import kernels_of_tflite
from nas_isp.latency.kernels.kernel import CONVOLUTIONS, Kernel
from nas_isp.latency.measure.devices import load_table
from nas_isp.latency.predict.predictor import predict
from nas_isp.testing.material import moved_bundle

FUSED = 1e-5
"""Largest difference between the training form and the deployed one, relative to values above 1."""

SIZE = (32, 48)
"""Packed rows and columns of pictures."""

STEPS = 20
DEVICE = "pixel4-gpu"


class BlockConformance:
    """All that a block promises; it is tested after a first block of its kind, with and without a residual.

    Attributes:
        name: of the block in `BLOCKS`.
        channels: of the networks it is tested in.
    """

    name: str
    channels = 8

    def test_it_trains(self) -> None:
        """Every parameter moves, and a regression comes nearer to its aim."""
        for architecture in self._networks():
            net = build(architecture)
            before = {name: weight.detach().clone() for name, weight in net.named_parameters()}
            losses = _trained(net)
            assert all(map(math.isfinite, losses)), f"losses of {architecture.to_json()}: {losses}"
            assert losses[-1] < losses[0], f"the loss rises from {losses[0]:.4g} to {losses[-1]:.4g}"
            still = [name for name, weight in net.named_parameters() if torch.equal(weight, before[name])]
            assert not still, f"parameters that no step has moved: {', '.join(still)}"

    def test_its_deployed_form_computes_the_same(self) -> None:
        """Freshly initialized, trained, and with every weight moved."""
        packed = _pictures(2)
        for architecture in self._networks():
            fresh, trained = build(architecture), build(architecture)
            _trained(trained)
            for net in (fresh, trained, network_of(moved_bundle(architecture), "moved")):
                with torch.no_grad():
                    wanted, given = net(packed), fuse(net)(packed)
                allowed = FUSED * max(1.0, float(wanted.abs().max()))
                error = float((given - wanted).abs().max())
                assert error <= allowed, f"the deployed form differs by {error:.2g}, allowed is {allowed:.2g}"

    def test_its_exported_files_equal_pytorch(self, tmp_path: Path) -> None:
        """In TFLite, where the file holds the kernels that latency is predicted for, and in ONNX."""
        architecture = self._networks()[-1]
        bundle = moved_bundle(architecture)
        for runtime in ("tflite", "onnx"):
            report = export_bundle(bundle, tmp_path / f"m.{runtime}", Form(runtime, packed_size=SIZE))
            assert report.checked_on, f"the {runtime} file was not checked"
        file = tmp_path / "m.tflite"
        found, expected = kernels_of_tflite(file.read_bytes(), file), kernels_of(architecture, *SIZE)
        assert _convolutions(found) == _convolutions(expected), "the file holds other convolutions than are predicted"

    def test_it_is_counted_as_other_counters_do(self) -> None:
        """Parameters as PyTorch holds them, multiply-accumulates as PyTorch and fvcore count them."""
        packed = _pictures(1)
        for architecture in self._networks():
            deployed, cost = fuse(build(architecture)), count(architecture, *SIZE)
            held = sum(parameter.numel() for parameter in deployed.parameters())
            assert cost.params == held, f"{cost.params} parameters counted, PyTorch holds {held}"
            macs = round(1e9 * cost.gmacs)
            assert macs == _flops_of_pytorch(deployed, packed) // 2, f"{macs} MACs counted, PyTorch counts others"
            assert macs == _macs_of_fvcore(deployed, packed), f"{macs} MACs counted, fvcore counts others"

    def test_every_convolution_of_it_is_priced(self) -> None:
        """By a latency table of a phone; more pixels take longer."""
        table = load_table(DEVICE)
        for architecture in self._networks():
            kernels, of_full_hd = kernels_of(architecture, *SIZE), kernels_of(architecture)
            deployed = [module for module in fuse(build(architecture)).modules() if isinstance(module, nn.Conv2d)]
            priced = len(_convolutions(kernels))
            assert priced == len(deployed), f"{priced} of {len(deployed)} convolutions are priced"
            small, large = predict(table, kernels).latency_ms, predict(table, of_full_hd).latency_ms
            assert 0 < small < large < math.inf, f"{small} ms for {SIZE} packed pixels, {large} ms for full HD"

    def test_it_sees_as_far_as_is_said(self) -> None:
        """Measured by what the output near a middle row and column depends on."""
        for architecture in self._networks():
            said, seen = receptive_field(architecture), _measured_radius(architecture)
            assert seen == said, f"an output pixel sees {seen} packed pixels far, {said} are said"

    def test_its_description_survives_json(self) -> None:
        """As a study, a bundle and a file's record store it."""
        for architecture in self._networks():
            assert ARCHITECTURE.validate_json(architecture.to_json()) == architecture

    def _networks(self) -> list[PlainArchitecture]:
        """Networks of two blocks; the last one begins with a stride if the block may."""
        first = Block(kind=self.name, channels=self.channels)
        second = Block(kind=self.name, channels=self.channels, residual=True, activation="none")
        plain = PlainArchitecture(blocks=(first, second), tail_kernel=1)
        if not keeps_every_pixel(self.name):
            return [plain]
        return [plain, PlainArchitecture(scale=4, blocks=(first, second), tail_kernel=1)]


def _pictures(count: int) -> torch.Tensor:
    return torch.rand(count, PACKED_CHANNELS, *SIZE, generator=torch.Generator().manual_seed(0))


def _trained(net: nn.Module) -> list[float]:
    """A regression towards a brighter picture of the greens; its losses."""
    packed = _pictures(2)
    wanted = packed[:, 1:2].repeat_interleave(2, 2).repeat_interleave(2, 3).sqrt().expand(-1, 3, -1, -1)
    optimizer = torch.optim.Adam(net.parameters(), 3e-3)
    losses = []
    for _ in range(STEPS):
        loss = (net(packed) - wanted).abs().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(float(loss.detach()))
    return losses


def _convolutions(kernels: list[Kernel]) -> list[tuple[object, ...]]:
    return [
        (kernel.op, kernel.in_channels, kernel.out_channels, kernel.kernel, kernel.stride, kernel.groups, kernel.height)
        for kernel in kernels
        if kernel.op in CONVOLUTIONS
    ]


def _flops_of_pytorch(net: nn.Module, packed: torch.Tensor) -> int:
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        net(packed)
    return int(counter.get_total_flops())


def _macs_of_fvcore(net: nn.Module, packed: torch.Tensor) -> int:
    analysis = FlopCountAnalysis(net, packed).unsupported_ops_warnings(False).uncalled_modules_warnings(False)
    return int(analysis.by_operator().get("conv", 0))


def _measured_radius(architecture: PlainArchitecture) -> int:
    """How many packed pixels far the gradients of four output pixels of the middle reach, with all weights alike."""
    net = fuse(build(architecture))
    with torch.no_grad():
        for parameter in net.parameters():
            parameter.fill_(0.01)
    side = 2 * receptive_field(architecture) + 16
    packed = torch.full((1, PACKED_CHANNELS, side, side), 0.5, requires_grad=True)
    rgb = net(packed)
    reached = 0
    for row in range(side, side + 4):
        (gradient,) = torch.autograd.grad(rgb[0, :, row, side].sum(), packed, retain_graph=True)
        touched = gradient[0].abs().sum((0, 2)).nonzero()[:, 0].tolist()
        reached = max(reached, *(abs(index - row // 2) for index in touched))
    return reached
