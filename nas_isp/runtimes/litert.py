"""LiteRT interpreters on this machine: without chatter, and with 8-bit kernels that suit networks of few channels."""

from functools import cache
from typing import Any

from ai_edge_litert.interpreter import Interpreter

from nas_isp.formats.tflite_graph import smallest_model
from nas_isp.quiet import without_info_lines
from nas_isp.runtimes.amx import has_matrix_tiles, run_without_matrix_tiles


def open_interpreter(content: bytes, threads: int) -> Any:
    """An interpreter of a TFLite file on the CPU; `allocate` makes it ready.

    Raises:
        ValueError: LiteRT cannot read the file.
    """
    choose_kernels()
    return Interpreter(model_content=content, num_threads=threads)


def allocate(interpreter: Any) -> None:
    """Let an interpreter take its memory for the shapes of its inputs.

    Raises:
        ValueError, RuntimeError: LiteRT does not take the file or these shapes.
    """
    with without_info_lines():
        interpreter.allocate_tensors()


@cache
def choose_kernels() -> None:
    """Let XNNPACK choose its kernels for this process, before anything else asks for the processor's matrix tiles.

    XNNPACK runs every 8-bit convolution on the tiles if it gets them, with one pass for each position of the window
    however few of a tile's 64 places the channels fill. Below 32 channels its other kernels give the same values in
    a fifth to four fifths of the time (docs/export.md). It has no setting for this, but asks once, at its first
    network. PyTorch and ONNX Runtime get the tiles whenever they ask; where they have asked before, it is too late,
    and 8-bit networks are slower.
    """
    if has_matrix_tiles():
        interpreter = Interpreter(model_content=smallest_model())
        with without_info_lines():
            run_without_matrix_tiles(interpreter.allocate_tensors)
