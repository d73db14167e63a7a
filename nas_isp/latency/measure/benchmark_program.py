"""The two programs that time a TFLite file on a device, told apart by their own text, and what each is asked for.

TensorFlow Lite's `benchmark_model` (tensorflow/lite/tools/benchmark) and LiteRT 2.x's of the same name
(litert/tools/benchmark_litert_model.cc) run the same models, but share few options. Each warns of an option that it
does not know and goes on without it.
"""

import re
from typing import Literal

from nas_isp.errors import InputError
from nas_isp.latency.measure.benchmark_output import Delegate
from nas_isp.precision import Precision

Program = Literal["tflite", "litert"]

LITERT_TEXTS = (b"BENCHMARK RESULTS", b"benchmark_litert_model", b"compiler_plugin_library_path")
"""What LiteRT's program prints, is called, and takes; TensorFlow Lite's has none of it."""


def program_of(content: bytes) -> Program:
    """Which of the two a program is; TensorFlow Lite's unless it says otherwise."""
    return "litert" if any(text in content for text in LITERT_TEXTS) else "tflite"


def flags_for(program: Program, delegate: Delegate, precision: Precision, threads: int) -> tuple[str, ...]:
    """Its command line, apart from the model and the number of runs.

    Args:
        program: which of the two.
        delegate: a GPU's, or XNNPACK, the CPU's.
        precision: arithmetic; 8-bit networks are computed by a GPU in half precision.
        threads: of a CPU.

    Raises:
        InputError: half precision on a CPU with LiteRT's program, which has no option for that.
    """
    half = "false" if precision == "fp32" else "true"
    if program == "tflite":
        if delegate == "gpu":
            return ("--use_gpu=true", f"--gpu_precision_loss_allowed={half}")
        force = ("--xnnpack_force_fp16=true",) if precision == "fp16" else ()
        return (f"--num_threads={threads}", "--use_xnnpack=true", *force)
    if delegate == "gpu":
        # Without the CPU it refuses what the GPU does not take: it may not tell how much of a model that was.
        return ("--use_gpu=true", "--use_cpu=false", "--require_full_delegation=true", f"--allow_fp16={half}")
    if precision == "fp16":
        raise InputError(
            "LiteRT's benchmark_model has no fp16 on a CPU; give fp32, or TensorFlow Lite's benchmark_model",
            *("precision", "benchmark_binary"),
        )
    return (f"--num_threads={threads}", "--use_cpu=true")


def ignored_options(text: str) -> str | None:
    """The options that a program said it does not know, or None: without them its times are of something else."""
    found = re.search(r"Unconsumed cmdline flags:\s*(\S.*)", text)
    return None if found is None else found[1].strip()
