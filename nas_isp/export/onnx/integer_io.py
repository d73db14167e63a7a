"""The ends of an ONNX network as an app has them: sensor values and gains in, 8-bit RGB out."""

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from nas_isp.formats import onnx_file
from nas_isp.formats.record import GAINS_NAME, PIXEL_SCALE
from nas_isp.generators.conv_spec import PACKED_CHANNELS
from nas_isp.raw.levels import Levels


def take_sensor_values(model: onnx.ModelProto, black: Levels, white: float) -> None:
    """Let the network take packed int32 sensor values instead of ``(x - black) / (white - black)``.

    They are scaled before the first convolution, whose zero padding then still means black.
    """
    levels = np.array(black, np.float32)[:, None, None]
    scaled = "packed_scaled"
    for node in model.graph.node:
        node.input[:] = [scaled if name == onnx_file.INPUT_NAME else name for name in node.input]
    steps = [
        helper.make_node("Cast", [onnx_file.INPUT_NAME], ["packed_numbers"], to=TensorProto.FLOAT),
        helper.make_node("Sub", ["packed_numbers", "black"], ["packed_less_black"]),
        helper.make_node("Mul", ["packed_less_black", "gain"], [scaled]),
    ]
    constants = {"black": levels, "gain": np.float32(1) / (np.float32(white) - levels)}
    model.graph.initializer.extend(numpy_helper.from_array(values, name) for name, values in constants.items())
    nodes = [*steps, *model.graph.node]
    del model.graph.node[:]
    model.graph.node.extend(nodes)
    _value(model.graph.input, onnx_file.INPUT_NAME).type.tensor_type.elem_type = TensorProto.INT32


def take_gains(model: onnx.ModelProto) -> None:
    """Let the network take a second input, `gains` float32 `(1, 4, 1, 1)`, and multiply its scaled planes by it.

    To be called before `take_sensor_values`.
    """
    balanced = "packed_balanced"
    for node in model.graph.node:
        node.input[:] = [balanced if name == onnx_file.INPUT_NAME else name for name in node.input]
    nodes = [helper.make_node("Mul", [onnx_file.INPUT_NAME, GAINS_NAME], [balanced]), *model.graph.node]
    del model.graph.node[:]
    model.graph.node.extend(nodes)
    shape = (1, PACKED_CHANNELS, 1, 1)
    model.graph.input.append(helper.make_tensor_value_info(GAINS_NAME, TensorProto.FLOAT, shape))


def give_pixels(model: onnx.ModelProto) -> None:
    """Let the network give uint8 RGB, rounded and clipped, instead of float32."""
    numbers = "rgb_numbers"
    for node in model.graph.node:
        node.output[:] = [numbers if name == onnx_file.OUTPUT_NAME else name for name in node.output]
        node.input[:] = [numbers if name == onnx_file.OUTPUT_NAME else name for name in node.input]
    model.graph.initializer.append(numpy_helper.from_array(np.array(PIXEL_SCALE, np.float32), "pixel_scale"))
    model.graph.initializer.append(numpy_helper.from_array(np.array(0, np.uint8), "pixel_zero"))
    inputs = [numbers, "pixel_scale", "pixel_zero"]
    model.graph.node.append(helper.make_node("QuantizeLinear", inputs, [onnx_file.OUTPUT_NAME]))
    _value(model.graph.output, onnx_file.OUTPUT_NAME).type.tensor_type.elem_type = TensorProto.UINT8


def _value(values: "list[onnx.ValueInfoProto]", name: str) -> onnx.ValueInfoProto:
    return next(value for value in values if value.name == name)
