"""Reading and editing ONNX files: properties, operator list, free sides, half weights, splitting at the mean."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import onnx
from google.protobuf.message import DecodeError, Message
from onnx import TensorProto, helper, numpy_helper

from nas_isp.errors import InputError
from nas_isp.formats.record import GAINS_NAME, RECORD_NAME

NEW_FILE = Path("model.onnx")
"""What messages call a file that has just been made and has no name yet."""

INPUT_NAME = "packed"
OUTPUT_NAME = "rgb"
MEAN = "ReduceMean"


def parse(content: bytes, path: Path = NEW_FILE) -> onnx.ModelProto:
    """The file's contents as an editable object.

    Args:
        content: the file.
        path: its name for messages.

    Raises:
        InputError: not an ONNX file.
    """
    try:
        model = onnx.load_from_string(content)
    except (DecodeError, ValueError) as error:
        raise InputError(f"{path}: not an ONNX file; give one written by an export") from error
    if len(model.graph.output) == 0:
        raise InputError(f"{path}: holds no ONNX network; give a file written by an export")
    graphs = [model.graph, *model.functions]
    if any(tensor.data_location == TensorProto.EXTERNAL for graph in graphs for tensor in _tensors(graph)):
        raise InputError(f"{path}: keeps weights in other files; give one file as an export writes it")
    return model


def operators(model: onnx.ModelProto) -> dict[str, int]:
    """How often each operator occurs, most frequent first."""
    return dict(Counter(node.op_type for node in model.graph.node).most_common())


def drop_notes(model: onnx.ModelProto) -> None:
    """Drop the properties of all that is within the model, where PyTorch notes lines of the program and their files."""
    for part in (model.graph, *model.functions):
        _drop_properties(part)


def add_record(model: onnx.ModelProto, text: str) -> None:
    """Put the record into the file's properties."""
    helper.set_model_props(model, {RECORD_NAME: text})


def find_record(model: onnx.ModelProto) -> str | None:
    """The text that `add_record` put in, or None."""
    return next((entry.value for entry in model.metadata_props if entry.key == RECORD_NAME), None)


def free_sides(model: onnx.ModelProto) -> None:
    """Let a network of convolutions take pictures of any height and width."""
    for value in [*model.graph.input, *model.graph.output]:
        if value.name == GAINS_NAME:
            continue
        sides = value.type.tensor_type.shape.dim[2:4]
        for side, name in zip(sides, ("height", "width"), strict=True):
            side.dim_param = f"{value.name}_{name}"
    del model.graph.value_info[:]


def halve_weights(model: onnx.ModelProto) -> None:
    """Store the weights of convolutions in half precision, with a Cast back that the runtime does once, on loading."""
    weights = {node.input[1] for node in model.graph.node if node.op_type == "Conv"}
    casts = []
    for tensor in model.graph.initializer:
        if tensor.name in weights and tensor.data_type == TensorProto.FLOAT:
            full, half = tensor.name, f"{tensor.name}_half"
            tensor.CopyFrom(numpy_helper.from_array(numpy_helper.to_array(tensor).astype(np.float16), half))
            casts.append(helper.make_node("Cast", [half], [full], name=f"{full}_cast", to=TensorProto.FLOAT))
    nodes = [*casts, *model.graph.node]
    del model.graph.node[:]
    model.graph.node.extend(nodes)


def split_at_mean(content: bytes, path: Path) -> tuple[bytes, bytes]:
    """Two models out of one with a color head, so that the tiles of a picture can share one mean.

    Returns:
        The model from the picture to the mean of the head's features ``(1, 8, 1, 1)``, and the model from the
        picture and that mean to the RGB picture; both take any height and width, and the gains where the file does.

    Raises:
        InputError: the file has no ReduceMean operator.
    """
    means = [node.output[0] for node in parse(content, path).graph.node if node.op_type == MEAN]
    if not means:
        raise InputError(f"{path}: says it has a color head but has no {MEAN} operator; export it again")
    to_mean, from_mean = parse(content, path), parse(content, path)
    for model in (to_mean, from_mean):
        free_sides(model)
    mean = helper.make_tensor_value_info(means[-1], TensorProto.FLOAT, None)
    del to_mean.graph.output[:]
    to_mean.graph.output.append(mean)
    from_mean.graph.input.append(mean)
    _drop_unneeded(to_mean)
    _drop_unneeded(from_mean)
    return to_mean.SerializeToString(), from_mean.SerializeToString()


def _drop_properties(message: Message) -> None:
    for field, value in message.ListFields():
        if field.name == "metadata_props":
            message.ClearField(field.name)
        elif field.message_type is not None:
            for inner in (value,) if isinstance(value, Message) else value:
                _drop_properties(inner)


def _tensors(graph: onnx.GraphProto | onnx.FunctionProto) -> Iterator[onnx.TensorProto]:
    """Every constant of a graph or function and of the graphs within."""
    if isinstance(graph, onnx.GraphProto):
        yield from graph.initializer
        for sparse in graph.sparse_initializer:
            yield from (sparse.values, sparse.indices)
    for attribute in (attribute for node in graph.node for attribute in node.attribute):
        yield from (attribute.t, *attribute.tensors)
        for sparse in (attribute.sparse_tensor, *attribute.sparse_tensors):
            yield from (sparse.values, sparse.indices)
        for inner in (attribute.g, *attribute.graphs):
            yield from _tensors(inner) if inner.node or inner.initializer else ()


def _drop_unneeded(model: onnx.ModelProto) -> None:
    """Reduce the graph to the nodes and weights that its outputs need when its inputs are given."""
    given = {value.name for value in model.graph.input}
    needed, kept = {value.name for value in model.graph.output}, []
    for node in reversed(list(model.graph.node)):
        if needed & set(node.output) and not given & set(node.output):
            kept.append(node)
            needed |= set(node.input)
    weights = [tensor for tensor in model.graph.initializer if tensor.name in needed]
    for field, values in ((model.graph.node, kept[::-1]), (model.graph.initializer, weights)):
        copies = [type(value).FromString(value.SerializeToString()) for value in values]
        del field[:]
        field.extend(copies)
