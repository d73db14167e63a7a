"""LiteRT is quiet but for its complaints, and computes 8-bit networks in the kernels that suit them."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from nas_isp.latency.kernels.kernel import Kernel
from nas_isp.latency.measure.probe_models import single_kernel_model
from nas_isp.runtimes.amx import has_matrix_tiles
from nas_isp.runtimes.litert import allocate, open_interpreter

IN_NEW_PROCESS = """
import ctypes, hashlib, sys
import numpy as np
from nas_isp.runtimes.litert import allocate, open_interpreter
from nas_isp.runtimes.amx import ARCH_PRCTL, TILES, take_matrix_tiles

GET_PERMISSIONS = 0x1022

def has_tiles():
    given = ctypes.c_uint64()
    ctypes.CDLL(None).syscall(ARCH_PRCTL, GET_PERMISSIONS, ctypes.byref(given))
    return given.value >> TILES & 1

model, *before = sys.argv[1:]
if before:
    take_matrix_tiles()
interpreter = open_interpreter(open(model, "rb").read(), 1)
allocate(interpreter)
given, result = interpreter.get_input_details()[0], interpreter.get_output_details()[0]
codes = np.random.default_rng(0).integers(-128, 128, given["shape"]).astype(np.int8)
interpreter.set_tensor(given["index"], codes)
interpreter.invoke()
digest = hashlib.sha256(interpreter.get_tensor(result["index"]).tobytes()).hexdigest()
taken = has_tiles()
take_matrix_tiles()
print(taken, has_tiles(), digest)
"""


def convolution(precision: str) -> bytes:
    fields = {"op": "conv2d", "in_channels": 12, "out_channels": 12, "kernel": 3, "height": 20, "width": 24}
    return single_kernel_model(Kernel.model_validate(fields), precision)


@pytest.mark.skipif(not has_matrix_tiles(), reason="this processor has no matrix tiles")
def test_eight_bit_kernels_leave_the_matrix_tiles_to_others_and_compute_the_same(tmp_path: Path) -> None:
    model = tmp_path / "m.tflite"
    model.write_bytes(convolution("int8"))

    def run(*arguments: str) -> list[str]:
        command = [sys.executable, "-c", IN_NEW_PROCESS, str(model), *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()

    taken, taken_later, digest = run()
    assert (taken, taken_later) == ("0", "1")
    assert run("tiles asked for before") == ["1", "1", digest]


def test_a_network_computes_with_as_many_threads_as_asked(capfd: pytest.CaptureFixture[str]) -> None:
    results = []
    for threads in (1, 2):
        interpreter = open_interpreter(convolution("fp32"), threads)
        allocate(interpreter)
        given, result = interpreter.get_input_details()[0], interpreter.get_output_details()[0]
        interpreter.set_tensor(given["index"], np.random.default_rng(0).random(given["shape"], np.float32))
        interpreter.invoke()
        results.append(interpreter.get_tensor(result["index"]).copy())
    assert np.array_equal(*results)
    assert capfd.readouterr().err == ""
