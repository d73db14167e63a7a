"""The weights of an 8-bit network's last convolution, fitted to real pictures and rounded so that errors cancel out.

Rounded one by one to the nearest code, the errors of a channel's weights add up to an error that is nearly the same
wherever the values before the convolution are alike. The last convolution has one channel for each color of each pixel
of a shuffled cell, so this error is a lattice in the picture. Here the weights are first fitted to what the network is
to give, from the values that it has in 8 bits. Then the error of each rounded weight goes into those that are not
rounded yet, as far as their values go together with its own. (Frantar et al., "GPTQ: Accurate Post-Training
Quantization for Generative Pre-trained Transformers", ICLR 2023, section 3.)
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from nas_isp.export.int8.last_layer import Tail, cells_of, find_tail
from nas_isp.formats import tflite_file
from nas_isp.runtimes.base import Floats
from nas_isp.runtimes.tflite_runner import LiteRtSession

Doubles = NDArray[np.float64]

LARGEST_CODE = 127
SMALLEST_SCALE = 1e-6
"""Of weights that are all 0; the bias beside them has a scale of its own, and 32 bits, from this one."""

SMALLEST_SQUARE = 1e-12
"""Of values that are all 0, as in pictures that come out white or black everywhere."""

HELD = 0.01
"""Share of the mean square of the values that is added to each of them: what pictures hardly show stays as it is."""

SAMPLED = 4096
"""Places of a picture whose values are looked at."""


class Moments(NamedTuple):
    """Mean products of the n values that the last convolution takes in at a place, `(n, n)` each.

    Attributes:
        rounded: of those in 8 bits with each other.
        mixed: of the exact ones (rows) with those in 8 bits.
    """

    rounded: Doubles
    mixed: Doubles


def with_fitted_tail(content: bytes, quantized: bytes, pictures: Sequence[Floats]) -> bytes:
    """The quantized file with other weights in its last convolution; as it was if it ends in anything else.

    Args:
        content: the float network.
        quantized: its int8 form.
        pictures: packed `(4, h, w)`, on which both are run; places that are white or black in all colors are left out.
    """
    exact, graph = tflite_file.parse(content), tflite_file.parse(quantized)
    exact_tail, tail = find_tail(exact), find_tail(graph)
    if exact_tail is None or tail is None:
        return quantized
    weights = tflite_file.constant(exact, exact_tail.weights, np.float32)
    moments = _moments((content, exact_tail), (quantized, tail), weights.shape[1], pictures)
    rows = fitted(weights.reshape(len(weights), -1).astype(np.float64), moments)
    scales = np.maximum(np.abs(rows).max(axis=1) / LARGEST_CODE, SMALLEST_SCALE)
    codes = rounded_together(rows / scales[:, None], moments.rounded).astype(np.int8)
    tensors = graph.subgraphs[0].tensors
    bias_scales = scales * tensors[tail.values].quantization.scale[0]
    bias_codes = np.rint(tflite_file.constant(exact, exact_tail.bias, np.float32) / bias_scales).astype(np.int32)
    for index, numbers, scale in ((tail.weights, codes, scales), (tail.bias, bias_codes, bias_scales)):
        tensors[index].quantization.scale = scale.astype(np.float32)
        tflite_file.set_constant(graph, index, numbers)
    return tflite_file.serialize(graph)


def fitted(rows: Doubles, moments: Moments) -> Doubles:
    """The weights `(m, n)` of values in 8 bits that give most nearly what `rows` give of the exact ones."""
    held = _held(moments.rounded)
    return np.linalg.solve(moments.rounded + held, (rows @ (moments.mixed + held)).T).T.astype(np.float64)


def rounded_together(rows: Doubles, products: Doubles) -> Doubles:
    """Whole numbers within -127..127 for rows of numbers `(m, n)`, of which the weighted sums are most nearly right.

    Args:
        rows: what is rounded; each row weights n values.
        products: mean products of those values, `(n, n)`.
    """
    order = np.argsort(-np.diag(products), kind="stable")
    left = rows[:, order]
    # Row j says how an error in j is best shared out among those after it.
    shares = np.linalg.cholesky(np.linalg.inv((products + _held(products))[np.ix_(order, order)])).T
    codes = np.empty_like(left)
    for column in range(len(order)):
        codes[:, column] = np.clip(np.rint(left[:, column]), -LARGEST_CODE, LARGEST_CODE)
        error = (left[:, column] - codes[:, column]) / shares[column, column]
        left[:, column + 1 :] -= error[:, None] * shares[column, column + 1 :]
    result = np.empty_like(codes)
    result[:, order] = codes
    return result


def _held(products: Doubles) -> Doubles:
    mean_square = float(np.diag(products).mean())
    return HELD * max(mean_square, SMALLEST_SQUARE) * np.eye(len(products))


def _moments(exact: tuple[bytes, Tail], rounded: tuple[bytes, Tail], side: int, pictures: Sequence[Floats]) -> Moments:
    """What the last convolution's windows of `side` x `side` hold in both networks."""
    whole = LiteRtSession(exact[0], tflite_file.NEW_FILE, threads=1)
    before = [LiteRtSession(_before(*network), tflite_file.NEW_FILE, threads=1) for network in (exact, rounded)]
    rng, count = np.random.default_rng(0), 0
    sums: Doubles = np.zeros(())
    for picture in pictures:
        given = np.ascontiguousarray(picture.transpose(1, 2, 0)[None])
        cells = cells_of(whole.run(given)[0], exact[1].block)
        cut = side // 2
        inner = cells[cut : len(cells) - cut, cut : cells.shape[1] - cut]
        places = np.flatnonzero(((inner > 0) & (inner < 1)).any(axis=2))
        places = rng.choice(places, min(SAMPLED, len(places)), replace=False)
        exact_rows, rounded_rows = (_windows(session.run(given)[0], side)[places] for session in before)
        sums = sums + np.stack([rounded_rows.T @ rounded_rows, exact_rows.T @ rounded_rows]).astype(np.float64)
        count += len(places)
    return Moments(*(sums / max(count, 1)))


def _before(content: bytes, tail: Tail) -> bytes:
    """The network up to what its last convolution is applied to."""
    graph = tflite_file.parse(content)
    tflite_file.keep_between(graph, [int(graph.subgraphs[0].inputs[0])], [tail.values])
    return tflite_file.serialize(graph)


def _windows(values: Floats, side: int) -> Floats:
    """All windows of `(h, w, c)` that lie within, as rows in the order of a convolution's weights."""
    windows = np.lib.stride_tricks.sliding_window_view(values, (side, side), axis=(0, 1)).transpose(0, 1, 3, 4, 2)
    return windows.reshape(-1, side * side * values.shape[-1])
