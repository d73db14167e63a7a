"""Writing a fused generator as a TFLite model of the operators that phone GPUs and NPUs take."""

import copy

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from nas_isp.errors import InputError
from nas_isp.export.tflite.rmfa import NhwcRmfa
from nas_isp.formats import tflite_file
from nas_isp.generators.conv_spec import PACKED_CHANNELS, RGB_CHANNELS, strided_padding
from nas_isp.generators.deployed import ColorHead, DeployedConv, DeployedPlain, SameConv2d
from nas_isp.generators.rmfa import RmfaNet
from nas_isp.picture_size import FULL_HD_TEXT
from nas_isp.precision import FloatPrecision
from nas_isp.quiet import quiet_converters

NOMINAL_SIZE = (64, 96)
"""Rows and columns that a model of any size is written with; run time replaces them."""

HALF_BITS = 16


def export_tflite(
    net: nn.Module, packed_height: int | None, packed_width: int | None, precision: FloatPrecision = "fp32"
) -> bytes:
    """A TFLite model: packed float32 ``(1, h, w, 4)`` -> RGB float32 ``(1, 2h, 2w, 3)``, not clipped.

    Args:
        net: fused generator.
        packed_height: rows of the packed input; None (with `packed_width` None) leaves both to run time.
        packed_width: columns of the packed input.
        precision: "fp32", or "fp16" for weights stored in half precision; biases and activations stay fp32.

    Raises:
        InputError: a network that cannot be written, or not with sides left to run time.
    """
    free = packed_height is None or packed_width is None
    size = NOMINAL_SIZE if packed_height is None or packed_width is None else (packed_height, packed_width)
    with quiet_converters():
        content = _convert(_channels_last(net, free), size)
    if precision == "fp16":
        content = _half_weights(content)
    if free:
        model = tflite_file.parse(content)
        tflite_file.free_sides(model)
        content = tflite_file.serialize(model)
    return content


def _channels_last(net: nn.Module, free: bool) -> nn.Module:
    if isinstance(net, DeployedPlain):
        return _NhwcPlain(net)
    if isinstance(net, RmfaNet):
        if free:
            raise InputError(
                f"TFLite: RMFA is written for one size only; give one such as {FULL_HD_TEXT}, or exporter onnx",
                *("input_size", "to"),
            )
        return NhwcRmfa(net)
    raise InputError(f"TFLite: cannot write a network of kind {type(net).__name__}; give exporter onnx", "to")


class _NhwcPlain(nn.Module):
    """A `DeployedPlain` with channels last at both ends and DEPTH_TO_SPACE instead of PixelShuffle."""

    def __init__(self, net: DeployedPlain) -> None:
        super().__init__()
        self.net = copy.deepcopy(net)
        self._permute_tail()
        for layer in self.net.layers:
            assert isinstance(layer, DeployedConv)
            if layer.conv.stride != (1, 1):
                layer.conv = _PadsChannelsLast.of(layer.conv)
        if self.net.head is not None:
            self.net.head = _FoldedHead.of(self.net.head)
        self.eval()

    def _permute_tail(self) -> None:
        from nas_isp.export.tflite.depth_to_space import tensorflow_order

        order, conv = tensorflow_order(self.net.shuffle, RGB_CHANNELS), self.net.tail.conv
        conv.weight = nn.Parameter(conv.weight.detach()[order])
        if conv.bias is not None:
            conv.bias = nn.Parameter(conv.bias.detach()[order])

    def forward(self, packed: Tensor) -> Tensor:
        from nas_isp.export.tflite.depth_to_space import depth_to_space

        output = self.net.before_shuffle(packed.permute(0, 3, 1, 2))
        rgb: Tensor = depth_to_space(output.permute(0, 2, 3, 1).contiguous(), self.net.shuffle)
        return rgb


class _PadsChannelsLast(SameConv2d):
    """A strided convolution that adds its padding with channels last.

    The converter then folds it into the convolution's SAME padding; added with channels first it can leave
    transposes.
    """

    @classmethod
    def of(cls, conv: SameConv2d) -> "_PadsChannelsLast":
        kernel, stride = conv.kernel_size[0], conv.stride[0]
        new = cls(conv.in_channels, conv.out_channels, kernel, stride, conv.groups, conv.bias is not None)
        new.load_state_dict(conv.state_dict())
        return new

    def padded(self, x: Tensor) -> Tensor:
        before, after = strided_padding(self.kernel_size[0], self.stride[0])
        return F.pad(x.permute(0, 2, 3, 1), (0, 0, before, after, before, after)).permute(0, 3, 1, 2)


class _FoldedHead(ColorHead):
    """A color head whose ``1 + scale`` is part of the scale's bias, and whose mean is taken side by side.

    LiteRT sums a whole picture in one float32 number; at 544x960 that loses two digits.
    """

    @classmethod
    def of(cls, head: ColorHead) -> "_FoldedHead":
        new = cls(head.layers)
        new.load_state_dict(head.state_dict())
        assert new.scale.bias is not None
        new.scale.bias.data += 1
        return new

    def pooled(self, packed: Tensor) -> Tensor:
        return F.relu(self.features(packed)).mean(3, keepdim=True).mean(2, keepdim=True)

    def forward(self, x: Tensor, pooled: Tensor) -> Tensor:
        y: Tensor = x * self.scale(pooled) + self.shift(pooled)
        return y


def _convert(wrapped: nn.Module, size: tuple[int, int]) -> bytes:
    import litert_torch

    with torch.no_grad():
        return bytes(litert_torch.convert(wrapped, (torch.zeros(1, *size, PACKED_CHANNELS),)).model_content())


def _half_weights(content: bytes) -> bytes:
    with quiet_converters():
        from ai_edge_quantizer import qtyping, quantizer

        tool = quantizer.Quantizer(bytearray(content))
        half = qtyping.TensorQuantizationConfig(num_bits=HALF_BITS, dtype=qtyping.TensorDataType.FLOAT)
        for operation in (qtyping.TFLOperationName.CONV_2D, qtyping.TFLOperationName.DEPTHWISE_CONV_2D):
            tool.update_quantization_recipe(
                regex=".*",
                operation_name=operation,
                algorithm_key=quantizer.AlgorithmName.FLOAT_CASTING,
                op_config=qtyping.OpQuantizationConfig(
                    weight_tensor_config=half,
                    compute_precision=qtyping.ComputePrecision.FLOAT,
                    explicit_dequantize=True,
                ),
            )
        return bytes(tool.quantize().quantized_model)
