"""The error of an 8-bit network that a line can take out, taken out in its last convolution.

Rounded weights shift every output channel by up to several levels, more or less with brightness. The last convolution
has one channel for each colour of each pixel of a shuffled cell, so these shifts are a regular pattern in the picture.
A gain and an offset a channel are scales and biases that the convolution has anyway. (With the offset alone: Nagel et
al., "Data-Free Quantization Through Weight Equalization and Bias Correction", 2019, section 4.2.)
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from ai_edge_litert import schema_py_generated as schema
from numpy.typing import NDArray

from nas_isp.export import tflite_file
from nas_isp.export.runners import Floats
from nas_isp.export.tflite_runner import Session

LEAST_VARIANCE = 1e-4
"""Of a channel's values; from less no gain can be told."""

MOST_GAIN = 1.1
"""A line that is steeper, or as much flatter, is one through noise."""


def with_corrected_tail(content: bytes, quantised: bytes, pictures: Sequence[Floats]) -> bytes:
    """The quantised file with its last convolution corrected; as it was if it does not end in that and a shuffle.

    Args:
        content: the float network.
        quantised: its int8 form.
        pictures: packed `(4, h, w)`, on which both are run.
    """
    graph = tflite_file.parse(quantised)
    tail = _tail(graph)
    if tail is None:
        return quantised
    exact, rounded = (Session(file, tflite_file.NEW_FILE, threads=1) for file in (content, quantised))
    gain, offset = _lines(exact, rounded, pictures, tail.block)
    weights, bias = (graph.subgraphs[0].tensors[index] for index in (tail.weights, tail.bias))
    codes = np.frombuffer(bytes(bytearray(graph.buffers[bias.buffer].data)), np.int32)
    old = np.asarray(bias.quantization.scale, np.float64)
    corrected = np.rint((codes * old * gain + offset) / (old * gain)).astype(np.int32)
    graph.buffers[bias.buffer].data = np.frombuffer(corrected.tobytes(), np.uint8)
    for tensor in (weights, bias):
        tensor.quantization.scale = (np.asarray(tensor.quantization.scale, np.float64) * gain).astype(np.float32)
    return tflite_file.serialise(graph)


class _Tail(NamedTuple):
    """The last convolution's tensors, and the factor of the shuffle after it."""

    weights: int
    bias: int
    block: int


def _tail(graph: schema.ModelT) -> _Tail | None:
    last = graph.subgraphs[0].operators[-2:]
    if [tflite_file.operator_name(graph, operator) for operator in last] != ["CONV_2D", "DEPTH_TO_SPACE"]:
        return None
    convolution, shuffle = last
    return _Tail(int(convolution.inputs[1]), int(convolution.inputs[2]), int(shuffle.builtinOptions.blockSize))


def _lines(
    exact: Session, quantised: Session, pictures: Sequence[Floats], block: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Gain and offset that best map the quantised to the exact values of each channel of the last convolution.

    Values that either network cuts at 0 or 1 are left out; a channel without others keeps gain 1 and offset 0.
    """
    sums = np.zeros((5, 3 * block * block))
    for picture in pictures:
        given = np.ascontiguousarray(picture.transpose(1, 2, 0)[None])
        wanted, got = (_cells(session.run(given)[0], block) for session in (exact, quantised))
        inside = (wanted > 0) & (wanted < 1) & (got > 0) & (got < 1)
        x, y = np.where(inside, got, 0), np.where(inside, wanted, 0)
        sums += [part.sum(axis=0) for part in (inside, x, y, x * x, x * y)]
    count = np.maximum(sums[0], 1)
    mean_x, mean_y = sums[1] / count, sums[2] / count
    variance, covariance = sums[3] / count - mean_x**2, sums[4] / count - mean_x * mean_y
    gain = np.where(variance > LEAST_VARIANCE, covariance / np.maximum(variance, LEAST_VARIANCE), 1.0)
    gain = np.clip(gain, 1 / MOST_GAIN, MOST_GAIN)
    return gain, mean_y - gain * mean_x


def _cells(picture: Floats, block: int) -> NDArray[np.float64]:
    """Pixels `(H, W, 3)` as rows of a cell's ``block * block * 3`` values, in DEPTH_TO_SPACE's order."""
    height, width, colours = picture.shape
    cells = picture.reshape(height // block, block, width // block, block, colours).transpose(0, 2, 1, 3, 4)
    return cells.reshape(-1, block * block * colours).astype(np.float64)
