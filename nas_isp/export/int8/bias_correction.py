"""The mean error of an 8-bit network, taken out in the biases of its last convolution.

Its channels are the colors of the pixels of a shuffled cell: a mean error of each is a lattice in the picture. (Nagel
et al., "Data-Free Quantization Through Weight Equalization and Bias Correction", 2019, section 4.2.)
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from nas_isp.export.int8.last_layer import cells_of, find_tail
from nas_isp.formats import tflite_file
from nas_isp.runtimes.base import Floats
from nas_isp.runtimes.tflite_runner import LiteRtSession


def with_corrected_bias(content: bytes, quantized: bytes, pictures: Sequence[Floats]) -> bytes:
    """The quantized file with other biases in its last convolution; as it was if it ends in anything else.

    Args:
        content: the float network.
        quantized: its int8 form.
        pictures: packed `(4, h, w)`, on which both are run.
    """
    graph = tflite_file.parse(quantized)
    tail = find_tail(graph)
    if tail is None:
        return quantized
    bias = graph.subgraphs[0].tensors[tail.bias]
    missing = _mean_error(content, quantized, pictures, tail.block) / np.asarray(bias.quantization.scale, np.float64)
    codes = tflite_file.constant(graph, tail.bias, np.int32) + np.rint(missing).astype(np.int32)
    tflite_file.set_constant(graph, tail.bias, codes)
    return tflite_file.serialize(graph)


def _mean_error(content: bytes, quantized: bytes, pictures: Sequence[Floats], block: int) -> NDArray[np.float64]:
    """How much each channel gives too little on the average; values that either network cuts at 0 or 1 are left out."""
    exact, rounded = (LiteRtSession(file, tflite_file.NEW_FILE, threads=1) for file in (content, quantized))
    sums: NDArray[np.float64] = np.zeros(())
    counts: NDArray[np.int64] = np.zeros((), np.int64)
    for picture in pictures:
        given = np.ascontiguousarray(picture.transpose(1, 2, 0)[None])
        wanted, got = (cells_of(session.run(given)[0], block) for session in (exact, rounded))
        inside = (wanted > 0) & (wanted < 1) & (got > 0) & (got < 1)
        sums = sums + np.where(inside, wanted - got, 0).sum(axis=(0, 1))
        counts = counts + inside.sum(axis=(0, 1))
    return sums / np.maximum(counts, 1)
