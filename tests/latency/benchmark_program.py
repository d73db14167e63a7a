"""A stand-in for TensorFlow Lite's `benchmark_model`: runs the model in LiteRT and prints what that program prints.

`BenchmarkServer.answer` is the program. It runs in a server, because starting Python with LiteRT for every model would
take most of a test's time; `client_script` is the file that is pushed to a device and executed there.
"""

import socketserver
import statistics
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

GPU_REFUSES = ("MEAN", "REDUCE_MAX")
"""Operators that this program's GPU leaves to the CPU."""

WARM_UP_RUNS = 1
"""At most, whatever is asked for: tests have no time for more."""

APPLIED = "INFO: Explicitly applied {name} delegate, and the model graph will be {how}"
NOT_APPLIED = "INFO: Though GPU delegate is explicitly applied, the model graph will not be executed by the delegate."
REPLACING = "INFO: Replacing {taken} out of {nodes} node(s) with delegate ({name}) node, yielding 1 partitions."


class BenchmarkServer:
    """Answers on a socket file what the program prints. `slowness` is asked once a run, for the factor on its times."""

    def __init__(self, path: Path, prints_median: bool = True) -> None:
        self.path, self.prints_median = path, prints_median
        self.slowness: Callable[[], float] = lambda: 1.0
        self.writes_profiles = True
        self.is_litert = False
        """Whether it is LiteRT 2.x's program of that name, with its options and its list of times."""
        self.unknown: tuple[str, ...] = ()
        """Options that it warns of and ignores."""
        self.fixed_us: int | None = None
        """Time of every run at slowness 1, for tests that a busy machine must not disturb; None takes the real time."""
        self.command_lines: list[list[str]] = []
        outer = self

        class Handler(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                arguments = self.rfile.readline().decode().rstrip("\n").split("\0")
                outer.command_lines.append(arguments)
                text, status = outer.answer(arguments)
                self.wfile.write(f"{status}\n{text}".encode())

        self._server = socketserver.ThreadingUnixStreamServer(str(path), Handler)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def answer(self, arguments: list[str]) -> tuple[str, int]:
        """Output and exit status of one run; the first argument is the folder that it runs in."""
        folder, *flags = arguments
        options = dict(flag.removeprefix("--").split("=", 1) for flag in flags)
        lines = ["INFO: STARTING!", f"INFO: Graph: [{options['graph']}]"]
        try:
            interpreter = _loaded(Path(folder) / options["graph"], int(options.get("num_threads", 1)))
        except (ValueError, RuntimeError, OSError):
            fault = ["ERROR: The model is not a valid Flatbuffer buffer", "ERROR: Benchmarking failed."]
            return "\n".join([*lines, *fault]), 1
        unknown = [flag for flag in flags if flag.removeprefix("--").split("=")[0] in self.unknown]
        lines += [f"WARN: Unconsumed cmdline flags: {' '.join(unknown)}"] if unknown else []
        if self.is_litert:
            assert options["use_cpu"] == "true"
            times_us = [self._run_us(interpreter, self.slowness()) for _ in range(int(options["num_runs"]))]
            return "\n".join([*lines, *_list_of_times(times_us)]), 0
        lines += _delegation(interpreter, options)
        slowness = self.slowness()
        for runs in (min(int(options["warmup_runs"]), WARM_UP_RUNS), int(options["num_runs"])):
            lines.append(f"INFO: Running benchmark for at least {runs} iterations and at least 0.5 seconds")
            times_us = [self._run_us(interpreter, slowness) for _ in range(runs)]
            lines += [f"INFO: {_statistics(times_us, self.prints_median)}", ""]
        average = sum(times_us) / len(times_us)
        lines.append(
            f"INFO: Inference timings in us: Init: 1, First inference: 1, Warmup (avg): 1, Inference (avg): {average}"
        )
        if options.get("enable_op_profiling") == "true" and self.writes_profiles:
            (Path(folder) / options["profiling_output_csv_file"]).write_text(_profile(interpreter, average / 1e3))
        return "\n".join(lines), 0

    def _run_us(self, interpreter: Any, slowness: float) -> int:
        start = time.perf_counter()
        interpreter.invoke()
        us = (time.perf_counter() - start) * 1e6 if self.fixed_us is None else self.fixed_us
        return max(round(slowness * us), 1)

    def close(self) -> None:
        """Stop answering."""
        self._server.shutdown()
        self._server.server_close()


def client_script(server: BenchmarkServer) -> str:
    """The program that a device executes."""
    name = "benchmark_litert_model" if server.is_litert else "benchmark_model"
    return f"""#!{sys.executable} -SE
# {name}
import os, socket, sys
link = socket.socket(socket.AF_UNIX)
link.connect({str(server.path)!r})
link.sendall(chr(0).join([os.getcwd(), *sys.argv[1:]]).encode() + b"\\n")
status, _, text = b"".join(iter(lambda: link.recv(65536), b"")).decode().partition("\\n")
print(text)
sys.exit(int(status))
"""


def _loaded(path: Path, threads: int) -> Any:
    from ai_edge_litert.interpreter import Interpreter

    interpreter: Any = Interpreter(model_path=str(path), num_threads=threads)
    interpreter.allocate_tensors()
    for entry in interpreter.get_input_details():
        interpreter.set_tensor(entry["index"], np.zeros(entry["shape"], dtype=entry["dtype"]))
    return interpreter


def _operators(interpreter: Any) -> list[str]:
    names = [operator["op_name"] for operator in interpreter._get_ops_details()]
    return [name for name in names if name != "DELEGATE"]


def _delegation(interpreter: Any, options: dict[str, str]) -> list[str]:
    if options.get("use_gpu") != "true":
        return [APPLIED.format(name="XNNPACK", how="completely executed by the delegate.")]
    operators = _operators(interpreter)
    refused = [name for name in operators if name in GPU_REFUSES]
    taken = len(operators) - len(refused)
    if not taken:
        return [NOT_APPLIED]
    told = [REPLACING.format(taken=taken, nodes=len(operators), name="TfLiteGpuDelegateV2")]
    if not refused:
        return [*told, APPLIED.format(name="GPU", how="completely executed by the delegate.")]
    part = APPLIED.format(name="GPU", how="partially executed by the delegate w/ 1 delegate kernels.")
    rest = REPLACING.format(taken=len(refused), nodes=len(refused) + 1, name="TfLiteXNNPackDelegate")
    return [*told, part, rest]


def _statistics(times_us: list[int], prints_median: bool) -> str:
    if len(set(times_us)) == 1:
        return f"count={len(times_us)} curr={times_us[0]}" + ("(all same)" if len(times_us) > 1 else "")
    told = (
        f"count={len(times_us)} first={times_us[0]} curr={times_us[-1]} min={min(times_us)} max={max(times_us)} "
        f"avg={sum(times_us) / len(times_us):g} std={round(statistics.pstdev(times_us))}"
    )
    quantiles = f" p5={min(times_us)} median={round(statistics.median(times_us))} p95={max(times_us)}"
    return told + (quantiles if prints_median else "")


def _list_of_times(times_us: list[int]) -> list[str]:
    average_ms, least_ms = max(sum(times_us) / len(times_us) / 1e3, 0.01), min(times_us) / 1e3
    return [
        "INFO: [benchmark_litert_model.h:88]",
        "========== BENCHMARK RESULTS ==========",
        "INFO: [benchmark_litert_model.h:98] Warmup (avg):         77.00 ms (10 runs)",
        f"INFO: [benchmark_litert_model.h:100] Inference (avg):      {average_ms:.2f} ms ({len(times_us)} runs)",
        f"INFO: [benchmark_litert_model.h:104] Inference (min):      {least_ms:.2f} ms",
    ]


def _profile(interpreter: Any, total_ms: float) -> str:
    operators = _operators(interpreter)
    share, percent = total_ms / len(operators), 100 / len(operators)
    rows = [
        f"{name}, {share:g}, {share:g}, {percent:g}%, {percent * (index + 1):g}%, 0, 1, [t{index}]:{index}"
        for index, name in enumerate(operators)
    ]
    header = "node type, first, avg_ms, %, cdf%, mem KB, times called, name"
    start = ["Profiling Info for Benchmark Initialization:", "===== Run Order =====", header]
    start += ["AllocateTensors, 1, 1, 100%, 100%, 0, 1, AllocateTensors/0", ""]
    regular = ["Operator-wise Profiling Info for Regular Benchmark Runs:", "===== Run Order =====", header, *rows, ""]
    return "\n".join([*start, *regular, "===== Top by Computation Time =====", header, *rows, ""])
