"""Which TFLite operators run on a phone's accelerators, and which of a file's would fall back to the CPU."""

from collections.abc import Iterator
from dataclasses import dataclass

from ai_edge_litert import schema_py_generated as schema

from nas_isp.formats import tflite_file

FLOAT, QUANTIZED = frozenset({"FLOAT32", "FLOAT16"}), frozenset({"INT8", "UINT8"})
BOTH = FLOAT | QUANTIZED

CODES_TO_PIXELS = "QUANTIZE to UINT8"
"""What a QUANTIZE of INT8 is called here where its result has the other 8-bit type; few take both alike."""


@dataclass(frozen=True)
class Accelerator:
    """An accelerator and what it takes.

    Attributes:
        source: where that is written.
        takes: operator -> types of its first input.
        any_size: whether sides may be left to run time.
    """

    source: str
    takes: dict[str, frozenset[str]]
    any_size: bool = False


def _all(types: frozenset[str], *operators: str) -> dict[str, frozenset[str]]:
    return dict.fromkeys(operators, types)


ACCELERATORS: dict[str, Accelerator] = {
    "xnnpack": Accelerator(
        source="what XNNPACK takes in ai-edge-litert 2.3.0, tried operator by operator (tests/export)",
        takes={
            **_all(BOTH, "CONV_2D", "DEPTHWISE_CONV_2D", "TRANSPOSE_CONV", "ADD", "SUB", "MUL", "MEAN", "TANH"),
            **_all(BOTH, "LOGISTIC", "DEPTH_TO_SPACE", "RESIZE_BILINEAR", "CONCATENATION", "PAD", "QUANTIZE"),
            **_all(BOTH, "DEQUANTIZE", "MAX_POOL_2D", "FULLY_CONNECTED", "REDUCE_MAX"),
            **_all(FLOAT, "RELU", "RELU6", "AVERAGE_POOL_2D", "HARD_SWISH", "PRELU", "MAXIMUM", "MINIMUM", "DIV"),
        },
        any_size=True,
    ),
    "android-gpu": Accelerator(
        source="CheckGpuDelegateCompatibility in tensorflow/lite/tools/versioning/gpu_compatibility.cc, TensorFlow "
        "commit 03a5e4e; 8-bit operators are computed in float (its default experimental flag ENABLE_QUANT)",
        takes={
            **_all(BOTH, "CONV_2D", "DEPTHWISE_CONV_2D", "TRANSPOSE_CONV", "ADD", "SUB", "MUL", "MEAN", "TANH"),
            **_all(BOTH, "LOGISTIC", "DEPTH_TO_SPACE", "SPACE_TO_DEPTH", "RESIZE_BILINEAR", "CONCATENATION", "PAD"),
            **_all(BOTH, "QUANTIZE", "DEQUANTIZE", "RELU", "RELU6", "AVERAGE_POOL_2D", "MAX_POOL_2D", "REDUCE_MAX"),
            **_all(BOTH, "FULLY_CONNECTED", "HARD_SWISH", "PRELU", "MAXIMUM", "MINIMUM", "DIV", "RESHAPE", "TRANSPOSE"),
            "CAST": frozenset({"FLOAT32", "INT32", "BOOL"}),
            CODES_TO_PIXELS: QUANTIZED,
        },
    ),
    "qualcomm-npu": Accelerator(
        source="builders in litert/vendors/qualcomm/core/builders, LiteRT commit b057fa3",
        takes={
            **_all(BOTH, "CONV_2D", "DEPTHWISE_CONV_2D", "TRANSPOSE_CONV", "ADD", "SUB", "MUL", "MEAN", "TANH"),
            **_all(BOTH, "LOGISTIC", "DEPTH_TO_SPACE", "SPACE_TO_DEPTH", "RESIZE_BILINEAR", "CONCATENATION", "PAD"),
            **_all(BOTH, "QUANTIZE", "DEQUANTIZE", "RELU", "RELU6", "AVERAGE_POOL_2D", "MAX_POOL_2D", "REDUCE_MAX"),
            **_all(BOTH, "FULLY_CONNECTED", "HARD_SWISH", "PRELU", "MAXIMUM", "MINIMUM", "DIV", "RESHAPE", "TRANSPOSE"),
            "CAST": BOTH | {"INT32"},
            CODES_TO_PIXELS: QUANTIZED,
        },
    ),
    "mediatek-npu": Accelerator(
        source="kSupportedOps in litert/vendors/mediatek/compiler/compiler_plugin.cc, LiteRT commit 07d751e",
        takes={
            **_all(BOTH, "CONV_2D", "DEPTHWISE_CONV_2D", "TRANSPOSE_CONV", "ADD", "SUB", "MUL", "MEAN", "TANH"),
            **_all(BOTH, "LOGISTIC", "RESIZE_BILINEAR", "CONCATENATION", "PAD", "QUANTIZE", "DEQUANTIZE", "RELU"),
            **_all(BOTH, "AVERAGE_POOL_2D", "MAX_POOL_2D", "REDUCE_MAX", "FULLY_CONNECTED", "HARD_SWISH", "PRELU"),
            **_all(BOTH, "MAXIMUM", "MINIMUM", "DIV", "RESHAPE", "TRANSPOSE"),
            "CAST": BOTH | {"INT32"},
            CODES_TO_PIXELS: QUANTIZED,
        },
    ),
}
"""Targets by the name that a report uses."""

_TYPE_NAMES = {value: name for name, value in vars(schema.TensorType).items() if isinstance(value, int)}


def left_to_cpu(graph: schema.ModelT) -> dict[str, list[str]]:
    """For each target, the operators of a file that it does not take, each once: ``CAST of INT32``."""
    used = list(dict.fromkeys(_operators(graph)))
    free = any(
        -1 in tensor.shapeSignature for tensor in graph.subgraphs[0].tensors if tensor.shapeSignature is not None
    )
    return {
        name: ["everything: its sides are left to run time"]
        if free and not target.any_size
        else [f"{operator} of {kind}" for operator, kind in used if kind not in target.takes.get(operator, ())]
        for name, target in ACCELERATORS.items()
    }


def _operators(graph: schema.ModelT) -> Iterator[tuple[str, str]]:
    subgraph = graph.subgraphs[0]
    for operator in subgraph.operators:
        name = tflite_file.operator_name(graph, operator)
        given, made = (_TYPE_NAMES[subgraph.tensors[ends[0]].type] for ends in (operator.inputs, operator.outputs))
        yield (CODES_TO_PIXELS if (name, given, made) == ("QUANTIZE", "INT8", "UINT8") else name), given
