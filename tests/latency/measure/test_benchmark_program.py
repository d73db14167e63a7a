"""Which of the two benchmark programs a file is, and that each gets its own options."""

from pathlib import Path

import pytest

from nas_isp.errors import InputError
from nas_isp.latency.measure.benchmark_model import BenchmarkOptions
from nas_isp.latency.measure.benchmark_output import Delegate
from nas_isp.latency.measure.benchmark_program import ignored_options, program_of
from nas_isp.precision import Precision

LITERT = b"\x7fELF\0Unknown --gpu_backend\0compiler_plugin_library_path\0Inference (avg):      %.2f ms (%d runs)\0"
TFLITE = b"\x7fELF\0use_xnnpack\0gpu_precision_loss_allowed\0, Inference (avg): \0require_full_delegation\0"

GPU = ("--use_gpu=true", "--use_cpu=false", "--require_full_delegation=true")


def flags(tmp_path: Path, content: bytes, **options: object) -> tuple[str, ...]:
    binary = tmp_path / "benchmark_model"
    binary.write_bytes(content)
    return BenchmarkOptions(binary, **options).flags  # type: ignore[arg-type]


def test_the_programs_are_told_apart(shared_data: Path) -> None:
    assert (program_of(LITERT), program_of(TFLITE)) == ("litert", "tflite")
    cases = shared_data / "cases"
    assert program_of((cases / "14_litert_benchmark_model" / "bm_litert").read_bytes()) == "litert"
    assert program_of((cases / "12_adb_serial_with_space" / "bm_tflite").read_bytes()) == "tflite"


@pytest.mark.parametrize(
    ("content", "delegate", "precision", "expected"),
    [
        (TFLITE, "xnnpack", "fp32", ("--num_threads=2", "--use_xnnpack=true")),
        (TFLITE, "xnnpack", "fp16", ("--num_threads=2", "--use_xnnpack=true", "--xnnpack_force_fp16=true")),
        (TFLITE, "gpu", "fp32", ("--use_gpu=true", "--gpu_precision_loss_allowed=false")),
        (LITERT, "xnnpack", "int8", ("--num_threads=2", "--use_cpu=true")),
        (LITERT, "gpu", "fp32", (*GPU, "--allow_fp16=false")),
        (LITERT, "gpu", "fp16", (*GPU, "--allow_fp16=true")),
    ],
)
def test_each_program_gets_its_own_options(
    tmp_path: Path, content: bytes, delegate: Delegate, precision: Precision, expected: tuple[str, ...]
) -> None:
    assert flags(tmp_path, content, delegate=delegate, precision=precision, threads=2) == expected


def test_what_litert_s_program_cannot_do_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no fp16 on a CPU; give fp32"):
        flags(tmp_path, LITERT, precision="fp16")


def test_options_that_a_program_does_not_know_are_named() -> None:
    text = "INFO: STARTING!\nWARN: Unconsumed cmdline flags: --allow_fp16=false \nINFO: Graph: [m]\n"
    assert ignored_options(text) == "--allow_fp16=false"
    assert ignored_options("INFO: STARTING!\n") is None
