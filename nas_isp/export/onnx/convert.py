"""Writing a fused generator as an ONNX model."""

import torch
from torch import Tensor, nn

from nas_isp.errors import InputError
from nas_isp.formats import onnx_file
from nas_isp.generators.conv_spec import PACKED_CHANNELS
from nas_isp.generators.deployed import DeployedPlain
from nas_isp.precision import FloatPrecision
from nas_isp.quiet import quiet_converters

OPSET = 18
"""Version of ONNX's operators; the lowest that PyTorch's exporter writes without converting back."""

TRACED_SIZE = (64, 96)


def export_onnx(
    net: nn.Module, packed_height: int | None, packed_width: int | None, precision: FloatPrecision = "fp32"
) -> bytes:
    """An ONNX model: ``packed`` float32 ``(1, 4, h, w)`` -> ``rgb`` float32 ``(1, 3, 2h, 2w)``, not clipped.

    Args:
        net: fused generator.
        packed_height: rows of the packed input; None (with `packed_width` None) leaves both to run time.
        packed_width: columns of the packed input.
        precision: "fp32", or "fp16" for weights stored in half precision; biases and activations stay fp32.

    Raises:
        InputError: a network that PyTorch's exporter does not take.
    """
    free = packed_height is None or packed_width is None
    size = TRACED_SIZE if packed_height is None or packed_width is None else (packed_height, packed_width)
    with quiet_converters():
        try:
            program = torch.onnx.export(
                _PackedOnly(net).eval(),
                (torch.zeros(1, PACKED_CHANNELS, *size),),
                dynamo=True,
                opset_version=OPSET,
                input_names=[onnx_file.INPUT_NAME],
                output_names=[onnx_file.OUTPUT_NAME],
                dynamic_shapes=(_free_sides(net),) if free else None,
                verbose=False,
            )
        except torch.onnx.errors.OnnxExporterError as error:
            sizes = "of any size" if free else f"of size {size[0]}x{size[1]}"
            reason = str(error).strip().splitlines()[0]
            raise InputError(
                f"ONNX: PyTorch cannot write this {type(net).__name__} for input {sizes} ({reason}); try another size",
                "input_size",
            ) from error
    assert program is not None
    model = program.model_proto
    if precision == "fp16":
        onnx_file.halve_weights(model)
    content: bytes = model.SerializeToString()
    return content


class _PackedOnly(nn.Module):
    """A generator as a function of the packed picture alone."""

    def __init__(self, net: nn.Module) -> None:
        super().__init__()
        self.net = net

    def forward(self, packed: Tensor) -> Tensor:
        rgb: Tensor = self.net(packed)
        return rgb


def _free_sides(net: nn.Module) -> dict[int, object]:
    """Sides that run time chooses; even ones for a trunk at half resolution."""
    names = {2: "height", 3: "width"}
    if isinstance(net, DeployedPlain) and net.shuffle == 4:
        return {axis: 2 * torch.export.Dim(f"half_{name}") for axis, name in names.items()}
    return {axis: torch.export.Dim(name) for axis, name in names.items()}
