"""The ends of a TFLite network as an app has them: sensor values and gains in, 8-bit RGB out."""

from typing import Any

import numpy as np
from ai_edge_litert import schema_py_generated as schema
from numpy.typing import NDArray

from nas_isp.formats import tflite_file
from nas_isp.formats.record import GAINS_NAME, PIXEL_SCALE
from nas_isp.generators.conv_spec import PACKED_CHANNELS
from nas_isp.raw.levels import Levels

CONVOLUTIONS = ("CONV_2D", "DEPTHWISE_CONV_2D")
TYPES = schema.TensorType
OPS = schema.BuiltinOperator


def take_sensor_values(graph: schema.ModelT, black: Levels, white: float, gains_input: bool = False) -> None:
    """Let the network take packed int32 sensor values instead of ``(x - black) / (white - black)``.

    int32 and not the sensor's uint16: neither the Java interface of TFLite nor the phone GPUs nor Python's
    tflite-runtime take that type.

    Black is subtracted before the first convolution, whose zero padding then still means black: the result equals
    that of the float input also at the borders. The division goes into the weights of the convolutions that read the
    picture, or is a multiplication where something else reads it too.

    Args:
        graph: a network with a float32 or int8 input.
        black: of the packed planes.
        white: saturation level.
        gains_input: the network also takes gains, as by `take_gains`.
    """
    subgraph = graph.subgraphs[0]
    picture = int(subgraph.inputs[0])
    tensor = subgraph.tensors[picture]
    less = np.array(black, np.float32)
    gain = np.float32(1) / (np.float32(white) - less)
    values = tflite_file.add_tensor_like(graph, "sensor_values", TYPES.INT32, picture)
    numbers = tflite_file.add_tensor_like(graph, "sensor_numbers", TYPES.FLOAT32, picture)
    options = schema.CastOptionsT()
    options.inDataType, options.outDataType = TYPES.INT32, TYPES.FLOAT32
    steps = [_operator(graph, OPS.CAST, [values], numbers, options)]
    folded, quantized = _fold_gain(graph, picture, gain), tensor.type == TYPES.INT8
    for code, constant, name, needed in (
        (OPS.SUB, less, "black", True),
        (OPS.MUL, gain, "gain", not folded),
    ):
        if not needed:
            continue
        last = not quantized and not gains_input and (folded or code == OPS.MUL)
        result = picture if last else tflite_file.add_tensor_like(graph, f"less_{name}", TYPES.FLOAT32, picture)
        level = tflite_file.add_constant(graph, name, constant)
        steps.append(_operator(graph, code, [numbers, level], result))
        numbers = result
    balanced, gains = _balanced(graph, numbers, picture) if gains_input else ([], [])
    if quantized and not gains_input:
        steps.append(_operator(graph, OPS.QUANTIZE, [numbers], picture))
    subgraph.operators = [*steps, *balanced, *subgraph.operators]
    tflite_file.replace_ends(graph, inputs=[values, *gains])


def take_gains(graph: schema.ModelT) -> None:
    """Let the network take a second input, `gains` float32 `(1, 1, 1, 4)`, and multiply its planes by it first.

    A network of 8-bit integers then takes its planes in float32 too: rounding comes after the multiplication.

    Args:
        graph: a network with a float32 or int8 input.
    """
    subgraph = graph.subgraphs[0]
    picture = int(subgraph.inputs[0])
    planes = tflite_file.add_tensor_like(graph, "planes", TYPES.FLOAT32, picture)
    balanced, gains = _balanced(graph, planes, picture)
    subgraph.operators = [*balanced, *subgraph.operators]
    tflite_file.replace_ends(graph, inputs=[planes, *gains])


def _balanced(graph: schema.ModelT, planes: int, picture: int) -> tuple[list[schema.OperatorT], list[int]]:
    """The steps from planes in float32 to the picture that the network takes, and the input that they add."""
    quantized = graph.subgraphs[0].tensors[picture].type == TYPES.INT8
    gains = tflite_file.add_tensor(graph, GAINS_NAME, TYPES.FLOAT32, (1, 1, 1, PACKED_CHANNELS))
    result = tflite_file.add_tensor_like(graph, "balanced", TYPES.FLOAT32, picture) if quantized else picture
    steps = [_operator(graph, OPS.MUL, [planes, gains], result)]
    return [*steps, _operator(graph, OPS.QUANTIZE, [result], picture)] if quantized else steps, [gains]


def give_pixels(graph: schema.ModelT) -> None:
    """Let the network give uint8 RGB, rounded and clipped, instead of float32 or int8."""
    subgraph = graph.subgraphs[0]
    rgb = int(subgraph.outputs[0])
    pixels = tflite_file.add_tensor_like(graph, "pixels", TYPES.UINT8, rgb)
    subgraph.tensors[pixels].quantization = tflite_file.quantization(np.array([PIXEL_SCALE]))
    subgraph.operators = [*subgraph.operators, _operator(graph, OPS.QUANTIZE, [rgb], pixels)]
    tflite_file.replace_ends(graph, outputs=[pixels])


def _fold_gain(graph: schema.ModelT, picture: int, gain: NDArray[np.float32]) -> bool:
    """Multiply the weights that read the picture by `gain`, if nothing else reads it; whether that was possible.

    In 8 bits the codes stay the same: the picture's scale is divided by the gain, which must be one number, and the
    weights' scales are multiplied by it.
    """
    subgraph = graph.subgraphs[0]
    readers = [operator for operator in subgraph.operators if picture in operator.inputs]
    weights = {int(operator.inputs[1]) for operator in readers}
    if any(tflite_file.operator_name(graph, operator) not in CONVOLUTIONS for operator in readers):
        return False
    tensors = [subgraph.tensors[index] for index in weights]
    if subgraph.tensors[picture].type == TYPES.INT8:
        if np.ptp(gain) != 0:
            return False
        for tensor, factor in ((subgraph.tensors[picture], 1 / gain[0]), *((tensor, gain[0]) for tensor in tensors)):
            tensor.quantization.scale = np.asarray(tensor.quantization.scale, np.float32) * factor
        return True
    if any(tensor.type != TYPES.FLOAT32 or graph.buffers[tensor.buffer].data is None for tensor in tensors):
        return False
    for index in weights:
        tflite_file.set_constant(graph, index, tflite_file.constant(graph, index, np.float32) * gain)
    return True


def _operator(
    graph: schema.ModelT, builtin: int, inputs: list[int], output: int, options: Any = None
) -> schema.OperatorT:
    kinds = {
        OPS.CAST: (schema.BuiltinOptions.CastOptions, options),
        OPS.SUB: (schema.BuiltinOptions.SubOptions, schema.SubOptionsT()),
        OPS.MUL: (schema.BuiltinOptions.MulOptions, schema.MulOptionsT()),
        OPS.QUANTIZE: (schema.BuiltinOptions.QuantizeOptions, schema.QuantizeOptionsT()),
    }
    return tflite_file.new_operator(graph, builtin, inputs, output, *kinds[builtin])
