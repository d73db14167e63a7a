"""Reading and editing TFLite files: metadata, operator list, free sides, splitting at the global mean."""

import math
import struct
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeVar

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema
from numpy.typing import NDArray

from nas_isp.errors import InputError
from nas_isp.formats.record import RECORD_NAME

IDENTIFIER = b"TFL3"
SCHEMA_VERSION = 3
LARGEST_CODE_OF_OLD_FIELD = 127
FREE = -1
NEW_FILE = Path("model.tflite")
"""What messages call a file that has just been made and has no name yet."""

MAX_INPUT_VALUES = 1 << 28
MAX_GROWTH = 1024
"""Values of any tensor for each value of the network's input."""

LEAST_VALUES = 1 << 16
"""So many values are never too many, weights of networks with a small input among them."""

Number = TypeVar("Number", bound=np.number[Any])

_OPERATOR_NAMES = {
    value: name for name, value in vars(schema.BuiltinOperator).items() if isinstance(value, int) and name.isupper()
}


def new_model() -> schema.ModelT:
    """A model without tensors and operators."""
    model, graph = schema.ModelT(), schema.SubGraphT()
    graph.tensors, graph.operators, graph.inputs, graph.outputs = [], [], [], []
    model.version, model.subgraphs, model.buffers, model.operatorCodes = SCHEMA_VERSION, [graph], [schema.BufferT()], []
    return model


def parse(content: bytes, path: Path = NEW_FILE) -> schema.ModelT:
    """The file's contents as an editable object.

    Args:
        content: the file.
        path: its name for messages.

    Raises:
        InputError: not a TFLite file.
    """
    if len(content) < 8 or content[4:8] != IDENTIFIER:
        raise InputError(f"{path}: not a TFLite file; give one written by an export")
    try:
        model = schema.ModelT.InitFromPackedBuf(content, 0)
        if any(part is None for part in (model.buffers, model.subgraphs, model.operatorCodes)):
            raise InputError(f"{path}: a TFLite file of which parts are missing; export it again")
        _refuse_giants(model, path)
    except (struct.error, IndexError, TypeError, ValueError, OverflowError, MemoryError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: a damaged TFLite file ({type(error).__name__}); export it again") from error
    return model


def _refuse_giants(model: schema.ModelT, path: Path) -> None:
    """LiteRT takes memory for whatever size a tensor claims: no network computes so much more than it is given."""
    for graph in model.subgraphs:
        sizes = [math.prod(map(int, tensor.shape if tensor.shape is not None else ())) for tensor in graph.tensors]
        given = max((sizes[index] for index in graph.inputs), default=0)
        if given > MAX_INPUT_VALUES or max(sizes, default=0) > MAX_GROWTH * max(given, LEAST_VALUES):
            raise InputError(f"{path}: claims tensors of up to {max(sizes)} values; export it again")


def serialize(model: schema.ModelT) -> bytes:
    """The bytes of a TFLite file."""
    builder = flatbuffers.Builder(1024)
    builder.Finish(model.Pack(builder), IDENTIFIER)
    return bytes(builder.Output())


def operators(model: schema.ModelT) -> dict[str, int]:
    """How often each operator occurs, most frequent first."""
    names = (operator_name(model, operator) for graph in model.subgraphs for operator in graph.operators)
    return dict(Counter(names).most_common())


def operator_name(model: schema.ModelT, operator: schema.OperatorT) -> str:
    """The schema's name of an operator, such as ``CONV_2D``."""
    return _OPERATOR_NAMES.get(builtin_code(model.operatorCodes[operator.opcodeIndex]), "UNKNOWN")


def operator_code(model: schema.ModelT, operator: schema.OperatorT, version: int) -> int:
    """Index of an operator code equal to this operator's but for the version; added if there is none."""
    return code_index(model, builtin_code(model.operatorCodes[operator.opcodeIndex]), version)


def code_index(model: schema.ModelT, builtin: int, version: int) -> int:
    """Index of a builtin operator's code; added if there is none."""
    for index, code in enumerate(model.operatorCodes):
        if builtin_code(code) == builtin and code.version == version:
            return index
    new = schema.OperatorCodeT()
    new.version = version
    set_builtin_code(new, builtin)
    model.operatorCodes.append(new)
    return len(model.operatorCodes) - 1


def builtin_code(code: schema.OperatorCodeT) -> int:
    """The builtin operator that a code stands for, whichever field it is written in."""
    return int(max(code.builtinCode, code.deprecatedBuiltinCode))


def set_builtin_code(code: schema.OperatorCodeT, builtin: int) -> None:
    """Write a builtin operator in both fields."""
    code.builtinCode, code.deprecatedBuiltinCode = builtin, min(builtin, LARGEST_CODE_OF_OLD_FIELD)


def new_operator(
    model: schema.ModelT, builtin: int, inputs: Sequence[int], output: int, options_kind: int = 0, options: Any = None
) -> schema.OperatorT:
    """An operator of version 1 with one output, for the caller to put in its place."""
    operator = schema.OperatorT()
    operator.opcodeIndex = code_index(model, builtin, 1)
    operator.inputs, operator.outputs = np.array(inputs, np.int32), np.array([output], np.int32)
    operator.builtinOptionsType, operator.builtinOptions = options_kind, options
    return operator


def add_tensor(model: schema.ModelT, name: str, kind: int, shape: Sequence[int], buffer: int = 0) -> int:
    """Index of a new tensor; of computed values where its buffer is the empty first one."""
    tensor = schema.TensorT()
    tensor.name, tensor.type, tensor.buffer, tensor.shape = name.encode(), kind, buffer, np.array(shape, np.int32)
    model.subgraphs[0].tensors.append(tensor)
    return len(model.subgraphs[0].tensors) - 1


def add_tensor_like(model: schema.ModelT, name: str, kind: int, like: int) -> int:
    """Index of a new tensor of computed values with the shape of tensor `like`, left to run time where that is."""
    tensors = model.subgraphs[0].tensors
    index = add_tensor(model, name, kind, tensors[like].shape)
    tensors[index].shapeSignature = tensors[like].shapeSignature
    return index


def add_constant(model: schema.ModelT, name: str, values: NDArray[Any]) -> int:
    """Index of a new tensor that holds these values, whose type has the same name in TFLite, such as float32."""
    model.buffers.append(schema.BufferT())
    kind = getattr(schema.TensorType, values.dtype.name.upper())
    index = add_tensor(model, name, kind, values.shape, len(model.buffers) - 1)
    set_constant(model, index, values)
    return index


def set_constant(model: schema.ModelT, index: int, values: NDArray[Any]) -> None:
    """Let a constant tensor hold other values of its shape and type."""
    model.buffers[model.subgraphs[0].tensors[index].buffer].data = np.frombuffer(values.tobytes(), np.uint8)


def constant(model: schema.ModelT, index: int, kind: type[Number]) -> NDArray[Number]:
    """The numbers of a constant tensor in its shape."""
    tensor = model.subgraphs[0].tensors[index]
    return np.frombuffer(bytes(bytearray(model.buffers[tensor.buffer].data)), kind).reshape(tensor.shape)


def quantization(scales: NDArray[np.floating], zero: int = 0, axis: int = 0) -> schema.QuantizationParametersT:
    """What 8-bit codes mean: ``scale * (code - zero)``, with a scale for each place along an axis or one for all."""
    parameters = schema.QuantizationParametersT()
    parameters.scale, parameters.zeroPoint = scales.astype(np.float32), np.full(len(scales), zero, np.int64)
    parameters.quantizedDimension = axis
    return parameters


def replace_ends(model: schema.ModelT, inputs: list[int] | None = None, outputs: list[int] | None = None) -> None:
    """Make other tensors the network's inputs or outputs, in its signature too, which names new ones as they are."""
    graph = model.subgraphs[0]
    if inputs is not None:
        graph.inputs = np.array(inputs, np.int32)
    if outputs is not None:
        graph.outputs = np.array(outputs, np.int32)
    for signature in model.signatureDefs or []:
        for added in graph.inputs[len(signature.inputs) :]:
            entry = schema.TensorMapT()
            entry.name, entry.tensorIndex = graph.tensors[added].name, int(added)
            signature.inputs = [*signature.inputs, entry]
        for entries, tensors in ((signature.inputs, graph.inputs), (signature.outputs, graph.outputs)):
            for entry, tensor in zip(entries, tensors, strict=True):
                entry.tensorIndex = int(tensor)


def name_plainly(model: schema.ModelT) -> None:
    """Call every tensor but the inputs and outputs by its place, such as ``t7``.

    Converters name them after the modules of the program that wrote the file.
    """
    for graph in model.subgraphs:
        ends = {int(index) for index in (*graph.inputs, *graph.outputs)}
        for index, tensor in enumerate(graph.tensors):
            if index not in ends:
                tensor.name = f"t{index}".encode()


def add_record(model: schema.ModelT, text: str) -> None:
    """Put the record into the file's metadata."""
    buffer = schema.BufferT()
    buffer.data = np.frombuffer(text.encode(), np.uint8)
    model.buffers.append(buffer)
    entry = schema.MetadataT()
    entry.name = RECORD_NAME
    entry.buffer = len(model.buffers) - 1
    model.metadata = [*(model.metadata or []), entry]


def find_record(model: schema.ModelT) -> str | None:
    """The text that `add_record` put in, or None."""
    for entry in model.metadata or []:
        if entry.name == RECORD_NAME.encode() and 0 <= entry.buffer < len(model.buffers):
            data = model.buffers[entry.buffer].data
            return None if data is None else bytes(bytearray(data)).decode("utf-8", errors="replace")
    return None


def free_sides(model: schema.ModelT) -> None:
    """Declare height and width of every picture in the graph as unknown until run time."""
    for graph in model.subgraphs:
        for tensor in graph.tensors:
            shape = tensor.shape
            computed = model.buffers[tensor.buffer].data is None
            if computed and shape is not None and len(shape) == 4 and tuple(shape[1:3]) != (1, 1):
                tensor.shapeSignature = np.array([shape[0], FREE, FREE, shape[3]], np.int32)


def split_at_mean(content: bytes, path: Path) -> tuple[bytes, bytes]:
    """Two models out of one with a color head, so that the tiles of a picture can share one mean.

    Returns:
        The model from the file's inputs to the head's features ``(1, h, w, 8)``, of which the mean is to be taken, and
        the model from those inputs and that mean ``(1, 1, 1, 8)`` to the RGB picture.

    Raises:
        InputError: the file has no MEAN operator, or a damaged one.
    """
    model = parse(content, path)
    try:
        means = [operator for operator in model.subgraphs[0].operators if operator_name(model, operator) == "MEAN"]
        if not means:
            raise InputError(f"{path}: says it has a color head but has no MEAN operator; export it again")
        features, mean = int(means[0].inputs[0]), int(means[-1].outputs[0])
        to_features, from_mean = model, parse(content, path)
        given, rgb = [int(index) for index in model.subgraphs[0].inputs], int(model.subgraphs[0].outputs[0])
        keep_between(to_features, given, [features])
        keep_between(from_mean, [*given, mean], [rgb])
    except (IndexError, TypeError) as error:
        raise InputError(f"{path}: its color head is damaged; export it again") from error
    return serialize(to_features), serialize(from_mean)


def keep_between(model: schema.ModelT, inputs: list[int], outputs: list[int]) -> None:
    """Reduce the graph to the operators that `outputs` need when `inputs` are given."""
    graph = model.subgraphs[0]
    needed, kept = set(outputs), []
    for operator in reversed(graph.operators):
        produced = {int(tensor) for tensor in operator.outputs}
        if produced & needed and not produced & set(inputs):
            kept.append(operator)
            needed |= {int(tensor) for tensor in operator.inputs}
    graph.operators = kept[::-1]
    graph.inputs, graph.outputs = np.array(inputs, np.int32), np.array(outputs, np.int32)
    model.signatureDefs = []
