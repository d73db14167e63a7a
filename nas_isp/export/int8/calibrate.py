"""The ranges that the values of a float TFLite network take on real pictures, which 8 bits have to cover."""

from collections.abc import Sequence

import numpy as np
from ai_edge_litert import schema_py_generated as schema
from ai_edge_litert.interpreter import Interpreter, OpResolverType

from nas_isp.errors import InputError
from nas_isp.formats import tflite_file
from nas_isp.runtimes.base import Floats
from nas_isp.runtimes.litert import allocate

Range = tuple[float, float]
Ranges = dict[str, Range]
"""Least and greatest value that a tensor has to represent, by the tensor's name."""

TANH_SATURATES = 4.0
"""Beyond it tanh is within 7e-4 of its limit, a tenth of a step of its 8-bit output."""

SMALLEST_WIDTH = 2.0**-8
"""Of a range; values that are always 0 (dead channels) would get a scale that no runtime takes."""

PIXEL_RANGE = (0.0, 1.0)
"""The output is clipped to it, so that its 256 codes are the levels of an 8-bit picture."""

SAMPLED = 4000
"""Values kept of a tensor and a picture."""

SHRUNK_BY = np.linspace(1.0, 0.5, 12)
"""Shares of the least and of the greatest value that are tried as a range's ends."""

FEW = 2000
"""A tensor of fewer sampled values, such as a color head's, keeps its whole range."""


def observe_ranges(content: bytes, pictures: Sequence[Floats]) -> Ranges:
    """Run a float TFLite network on packed pictures `(4, h, w)` and choose the range of every tensor.

    A range has the least mean squared error of 256 steps on the values seen: it cuts a few of the largest where that
    makes the steps of all others finer. Three ranges follow from what the values mean instead: the input reaches from
    what was seen, at least from 0 to 1; what enters a TANH ends where that saturates; the RGB output is 0..1.

    Args:
        content: the file. Inputs other than the first, which only a single kernel has, are given noise.
        pictures: `(channels, h, w)` of any size that the network takes, and at least one.

    Raises:
        InputError: the network does not take these pictures, or gives numbers that are not finite.
    """
    graph = tflite_file.parse(content)
    interpreter = Interpreter(
        model_content=content,
        experimental_op_resolver_type=OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES,
        experimental_preserve_all_tensors=True,
    )
    rng = np.random.default_rng(0)
    ends: Ranges = {}
    samples: dict[str, list[Floats]] = {}
    for picture in pictures:
        _run(interpreter, picture)
        for index, name in _computed(graph).items():
            values = interpreter.get_tensor(index).reshape(-1)
            low, high = ends.get(name, (np.inf, -np.inf))
            ends[name] = (min(low, float(values.min())), max(high, float(values.max())))
            samples.setdefault(name, []).append(rng.choice(values, min(SAMPLED, values.size), replace=False))
    if not np.isfinite(list(ends.values())).all():
        raise InputError("calibration: the network gives numbers that are not finite; use another model")
    ranges = {name: least_error_range(np.concatenate(samples[name]), *ends[name]) for name in ends}
    return _corrected(graph, ends, ranges)


def least_error_range(values: Floats, low: float, high: float) -> Range:
    """The range within `low`..`high` in which 256 steps represent the values with the least mean squared error."""
    if values.size < FEW:
        return low, high
    candidates = [
        (low * below if low < 0 else low, high * above)
        for below in (SHRUNK_BY if low < 0 else SHRUNK_BY[:1])
        for above in (SHRUNK_BY if high > 0 else SHRUNK_BY[:1])
    ]
    fitting = [(bottom, top) for bottom, top in candidates if bottom < top] or [(low, high)]

    def error(bottom: float, top: float) -> float:
        rounding = ((top - bottom) / 255) ** 2 / 12
        return float(np.square(values - values.clip(bottom, top)).mean()) + rounding

    return min(fitting, key=lambda ends: error(*ends))


def _run(interpreter: Interpreter, picture: Floats) -> None:
    value = np.ascontiguousarray(picture.transpose(1, 2, 0)[None], np.float32)
    first, *others = interpreter.get_input_details()
    try:
        if tuple(first["shape"]) != value.shape:
            interpreter.resize_tensor_input(first["index"], value.shape)
        allocate(interpreter)
        interpreter.set_tensor(first["index"], value)
        for other in others:
            interpreter.set_tensor(other["index"], np.random.default_rng(0).random(other["shape"], np.float32))
        interpreter.invoke()
    except (ValueError, RuntimeError) as error:
        reason = " ".join(str(error).split())[:200]
        raise InputError(f"calibration: the network does not take pictures {picture.shape} ({reason})") from error


def _computed(graph: schema.ModelT) -> dict[int, str]:
    """Index and name of the float tensors that hold values of a picture, in the order of the graph."""
    subgraph = graph.subgraphs[0]
    indices = [*subgraph.inputs, *(index for operator in subgraph.operators for index in operator.outputs)]
    floats = [int(index) for index in indices if subgraph.tensors[index].type == schema.TensorType.FLOAT32]
    return {index: subgraph.tensors[index].name.decode() for index in floats}


def _corrected(graph: schema.ModelT, ends: Ranges, chosen: Ranges) -> Ranges:
    subgraph = graph.subgraphs[0]
    names = [tensor.name.decode() for tensor in subgraph.tensors]
    ranges = {name: (low, max(high, low + SMALLEST_WIDTH)) for name, (low, high) in chosen.items()}
    for index in subgraph.inputs:
        low, high = ends[names[index]]
        ranges[names[index]] = (min(low, 0.0), max(high, 1.0))
    for operator in subgraph.operators:
        if tflite_file.operator_name(graph, operator) == "TANH":
            low, high = ranges[names[operator.inputs[0]]]
            ranges[names[operator.inputs[0]]] = (max(low, -TANH_SATURATES), min(high, TANH_SATURATES))
    for index in subgraph.outputs:
        ranges[names[index]] = PIXEL_RANGE
        before = _moved_from(graph, int(index))
        if before is not None:
            ranges[names[before]] = PIXEL_RANGE
    return ranges


def _moved_from(graph: schema.ModelT, index: int) -> int | None:
    """The tensor whose values a final DEPTH_TO_SPACE only moves."""
    for operator in graph.subgraphs[0].operators:
        if index in operator.outputs and tflite_file.operator_name(graph, operator) == "DEPTH_TO_SPACE":
            return int(operator.inputs[0])
    return None
