"""Where a network ends: the last convolution, whose channels a shuffle lays out as the pixels of a cell."""

from typing import NamedTuple

import numpy as np
from ai_edge_litert import schema_py_generated as schema
from numpy.typing import NDArray

from nas_isp.formats import tflite_file
from nas_isp.runtimes.base import Floats


class Tail(NamedTuple):
    """The last convolution's tensors, and the factor of the shuffle after it.

    Attributes:
        values: what it is applied to.
        weights: one set a channel.
        bias: one number a channel.
        block: rows and columns of a shuffled cell.
    """

    values: int
    weights: int
    bias: int
    block: int


def find_tail(graph: schema.ModelT) -> Tail | None:
    """The end of a network, or None for one that ends in anything else."""
    last = graph.subgraphs[0].operators[-2:]
    if [tflite_file.operator_name(graph, operator) for operator in last] != ["CONV_2D", "DEPTH_TO_SPACE"]:
        return None
    convolution, shuffle = last
    values, weights, bias = (int(index) for index in convolution.inputs)
    return Tail(values, weights, bias, int(shuffle.builtinOptions.blockSize))


def cells_of(picture: Floats, block: int) -> NDArray[np.float64]:
    """Pixels `(H, W, 3)` as cells `(h, w, block * block * 3)`, each in DEPTH_TO_SPACE's order."""
    height, width, colors = picture.shape
    cells = picture.reshape(height // block, block, width // block, block, colors).transpose(0, 2, 1, 3, 4)
    return cells.reshape(height // block, width // block, -1).astype(np.float64)
