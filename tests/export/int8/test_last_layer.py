"""The last convolution of an 8-bit network: what its weights are rounded to, and that no lattice is left."""

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema

from nas_isp.export.int8.bias_correction import with_corrected_bias
from nas_isp.export.int8.calibrate import observe_ranges
from nas_isp.export.int8.gptq import HELD, Moments, fitted, rounded_together, with_fitted_tail
from nas_isp.export.int8.last_layer import cells_of, find_tail
from nas_isp.export.int8.quantize import quantize_with
from nas_isp.formats import tflite_file
from nas_isp.latency.kernels.kernel import convolution, shuffle
from nas_isp.latency.measure.probe_models import kernel_chain_model
from nas_isp.runtimes.base import Floats
from nas_isp.runtimes.tflite_runner import LiteRtSession

SIZE = (24, 32)


def test_cells_are_in_the_order_of_the_shuffle() -> None:
    picture = np.arange(4 * 6 * 3, dtype=np.float32).reshape(4, 6, 3)
    cells = cells_of(picture, 2)
    assert cells.shape == (2, 3, 12)
    assert cells[1, 2].tolist() == [*picture[2, 4], *picture[2, 5], *picture[3, 4], *picture[3, 5]]


def test_errors_of_weights_whose_values_go_together_cancel_out() -> None:
    rows = np.full((1, 10), 10.4)
    assert np.rint(rows).sum() == 100
    assert rounded_together(rows, np.ones((10, 10))).sum() == pytest.approx(104, abs=0.5)


def test_weights_of_values_that_have_nothing_to_do_with_each_other_go_to_the_nearest_code() -> None:
    rows = np.random.default_rng(0).uniform(-130, 130, (5, 8))
    codes = rounded_together(rows, np.diag(np.arange(1.0, 9)))
    assert np.array_equal(codes, np.clip(np.rint(rows), -127, 127))


def test_errors_of_rounding_are_smaller_where_the_values_lie_than_those_of_the_nearest_codes() -> None:
    rng = np.random.default_rng(0)
    values = rng.normal(size=(4000, 3)) @ rng.normal(size=(3, 12)) + rng.normal(scale=0.1, size=(4000, 12))
    rows = rng.uniform(-100, 100, (6, 12))
    together, nearest = rounded_together(rows, values.T @ values / len(values)), np.rint(rows)
    errors = [np.square(values @ (codes - rows).T).mean() for codes in (together, nearest)]
    assert errors[0] < 0.3 * errors[1]
    assert np.array_equal(together, np.rint(together))


def test_weights_are_fitted_to_values_that_8_bits_have_bent() -> None:
    rows, exact = np.array([[3.0, -1.0]]), np.random.default_rng(0).normal(size=(5000, 2))
    bent = exact * [0.8, 1.25]
    moments = Moments(bent.T @ bent / 5000, exact.T @ bent / 5000)
    assert fitted(rows, moments) == pytest.approx(np.array([[3 / 0.8, -1 / 1.25]]), rel=5 * HELD)


def test_what_no_picture_shows_stays_as_it_is() -> None:
    rows = np.array([[3.0, -1.0]])
    assert fitted(rows, Moments(np.zeros((2, 2)), np.zeros((2, 2)))) == pytest.approx(rows)
    seen = np.diag([1.0, 0.0])
    assert fitted(rows, Moments(seen, 0.5 * seen))[0, 1] == pytest.approx(-1)


def network(changed: dict[str, np.ndarray] | None = None) -> bytes:
    """Two convolutions and a shuffle; between them are large values with small weights and small ones with large."""
    chain = [convolution(4, 16, 3, SIZE, activation="relu"), convolution(16, 12, 3, SIZE), shuffle(3, 2, SIZE)]
    graph = tflite_file.parse(kernel_chain_model(chain))
    tail, gains = find_tail(graph), np.geomspace(0.05, 5, 16)
    assert tail is not None
    first = graph.subgraphs[0].operators[0].inputs[1]
    put(graph, first, tflite_file.constant(graph, first, np.float32) * gains[:, None, None, None])
    put(graph, tail.weights, tflite_file.constant(graph, tail.weights, np.float32) * 0.1 / gains)
    put(graph, tail.bias, np.full(12, 0.4, np.float32))
    for name, numbers in (changed or {}).items():
        put(graph, getattr(tail, name), numbers)
    return tflite_file.serialize(graph)


def put(graph: schema.ModelT, index: int, numbers: np.ndarray) -> None:
    tflite_file.set_constant(graph, index, numbers.astype(np.float32))


def pictures() -> list[Floats]:
    """Of light from dark to bright with some noise."""
    rng = np.random.default_rng(1)
    light = np.linspace(0.02, 0.4, SIZE[1])
    return [(light + rng.normal(0, 0.01, (4, *SIZE))).astype(np.float32) for _ in range(4)]


def lattice(content: bytes, quantized: bytes, picture: Floats) -> float:
    """Largest mean error of a pixel position and color, in levels."""
    given = np.ascontiguousarray(picture.transpose(1, 2, 0)[None])
    exact, rounded = (
        cells_of(LiteRtSession(file, tflite_file.NEW_FILE, 1).run(given)[0], 2)[2:-2, 2:-2]
        for file in (content, quantized)
    )
    return float(255 * np.abs((rounded - exact.clip(0, 1)).mean(axis=(0, 1))).max())


def test_no_lattice_is_left_in_a_flat_dark_part() -> None:
    content = network()
    nearest = quantize_with(content, observe_ranges(content, pictures()))
    fitting = with_fitted_tail(content, nearest, pictures())
    dark = np.full((4, *SIZE), 0.05, np.float32)
    before, after = (
        lattice(content, with_corrected_bias(content, file, pictures()), dark) for file in (nearest, fitting)
    )
    assert after < 0.6 * before


def test_biases_take_the_mean_error_out() -> None:
    content, seen = network(), pictures()
    nearest = quantize_with(content, observe_ranges(content, seen))
    corrected = with_corrected_bias(content, nearest, seen)
    assert lattice(content, corrected, np.concatenate(seen, axis=1)) < 0.3
    assert lattice(content, nearest, np.concatenate(seen, axis=1)) > 1


def test_a_channel_without_weights_keeps_its_bias() -> None:
    content = network({"weights": np.zeros((12, 3, 3, 16))})
    seen = pictures()
    fitting = with_fitted_tail(content, quantize_with(content, observe_ranges(content, seen)), seen)
    given = np.ascontiguousarray(seen[0].transpose(1, 2, 0)[None])
    assert LiteRtSession(fitting, tflite_file.NEW_FILE, 1).run(given) == pytest.approx(0.4, abs=0.003)


def test_pictures_that_are_white_everywhere_change_no_weight() -> None:
    content = network({"bias": np.full(12, 5.0)})
    nearest = quantize_with(content, observe_ranges(content, pictures()))
    before, after = (
        tflite_file.constant(graph, found.weights, np.int8)
        for graph in map(tflite_file.parse, (nearest, with_fitted_tail(content, nearest, pictures())))
        if (found := find_tail(graph)) is not None
    )
    assert np.abs(before.astype(int) - after).max() <= 1


def test_a_network_with_another_end_is_left_alone() -> None:
    content = kernel_chain_model([convolution(4, 8, 3, SIZE)])
    nearest = quantize_with(content, observe_ranges(content, pictures()))
    assert with_fitted_tail(content, nearest, pictures()) == nearest
    assert with_corrected_bias(content, nearest, pictures()) == nearest
