"""TensorFlow Lite's `benchmark_model` on a device over a transport, as a target."""

import hashlib
import re
import shlex
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from nas_isp.errors import InputError
from nas_isp.latency.anchor import ANCHOR
from nas_isp.latency.benchmark_output import (
    BenchmarkRun,
    Delegate,
    Delegation,
    OperatorTime,
    benchmark_run,
    delegation,
    fault,
    operator_times,
)
from nas_isp.latency.kernel import Precision
from nas_isp.latency.provenance import Health, Setup
from nas_isp.latency.remote_device import Identity
from nas_isp.latency.runner import Failure, Timing
from nas_isp.latency.tables import DeviceRecord
from nas_isp.latency.transport import CommandTimeoutError, Transport, run_remote

ROUNDS = 3
"""Times that a batch is gone through, so that a disturbance hits all of its models alike."""

WARM_UP_RUNS = 10
MAX_SECONDS = 60
"""Longest regular phase of one run of the program, which ends it after that."""

COOL_DOWN_S = 20.0
RUN_TIMEOUT_S = 240.0
MODELS = "models"
PROGRAM = "benchmark_model"
PROCESS = "benchmark.pid"
PROFILE = "profile.csv"


@dataclass(frozen=True)
class BenchmarkOptions:
    """What the program is asked for.

    Raises:
        InputError: no such program, or a mask that is no mask.
    """

    binary: Path
    delegate: Delegate = "xnnpack"
    precision: Precision = "fp32"
    threads: int = 1
    runs: int = 50
    core_mask: str | None = None
    """Hexadecimal, as `taskset` takes it everywhere: without 0x."""

    def __post_init__(self) -> None:
        self.content()
        mask = self.core_mask
        if mask is not None and (not re.fullmatch(r"[0-9a-f]{1,16}", mask) or int(mask, 16) == 0):
            raise InputError(f"--cpu-mask '{mask}': give the cores as a hexadecimal mask, such as f0 for cores 4 to 7")

    def content(self) -> bytes:
        """The program."""
        try:
            content = self.binary.read_bytes()
        except OSError as error:
            raise InputError(f"--benchmark-binary {self.binary}: cannot be read ({error.strerror})") from error
        if not content:
            raise InputError(f"--benchmark-binary {self.binary}: is empty")
        return content

    @property
    def flags(self) -> tuple[str, ...]:
        """On the program's command line, apart from the model and the number of runs."""
        if self.delegate == "gpu":
            # A GPU computes 8-bit networks in floating point, in half precision if it may.
            half = "false" if self.precision == "fp32" else "true"
            return ("--use_gpu=true", f"--gpu_precision_loss_allowed={half}")
        force = ("--xnnpack_force_fp16=true",) if self.precision == "fp16" else ()
        return (f"--num_threads={self.threads}", "--use_xnnpack=true", *force)


class BenchmarkRunner:
    """Times models with a program that the user built or downloaded for the device."""

    def __init__(
        self,
        transport: Transport,
        target: str,
        identity: Identity,
        health: Callable[[Transport], Health],
        options: BenchmarkOptions,
    ) -> None:
        """Put the program on the device, unless it is there.

        Raises:
            InputError: a device that cannot be used.
        """
        digest = hashlib.sha256(options.content()).hexdigest()
        self._transport, self._health, self._options = transport, health, options
        self.cool_down_s = COOL_DOWN_S
        self.device = _device(identity, options, digest)
        self.setup = Setup(
            target=target,
            system=identity.system,
            unit=identity.unit,
            benchmark_sha256=digest,
            options=(*options.flags, f"--warmup_runs={WARM_UP_RUNS}", f"--num_runs={self._runs_a_round()}"),
            core_mask=options.core_mask,
            anchor=ANCHOR,
        )
        self._install(digest)

    def time(self, models: Sequence[bytes]) -> list[Timing | Failure]:
        """See `Runner.time`. Every model runs in a process of its own, all of them in turns, `ROUNDS` times."""
        paths = self._pushed(models)
        outcomes: list[list[BenchmarkRun]] = [[] for _ in models]
        taken: dict[int, Delegation] = {}
        failures: dict[int, Failure] = {}
        for _ in range(ROUNDS):
            for index, path in enumerate(paths):
                if index in failures:
                    continue
                output = self._output(path)
                run = None if isinstance(output, Failure) else benchmark_run(output)
                if run is None:
                    failures[index] = output if isinstance(output, Failure) else Failure(fault(output))
                else:
                    outcomes[index].append(run)
                    taken[index] = delegation(str(output), self._options.delegate)
        return [
            failures[index] if index in failures else self._timing(outcomes[index], taken[index])
            for index in range(len(models))
        ]

    def health(self) -> Health:
        """See `Runner.health`."""
        return self._health(self._transport)

    def profile(self, model: bytes) -> list[OperatorTime]:
        """Times of a model's operators, from a run of its own, which profiling slows down; empty if not offered.

        Raises:
            InputError: the device cannot be used, or does not run the model.
        """
        output = self._output(
            self._pushed([model])[0], "--enable_op_profiling=true", "--profiling_output_csv_file=profile.csv"
        )
        if isinstance(output, Failure):
            raise InputError(f"the model cannot be profiled: {output.reason}")
        csv = run_remote(self._transport, ["cat", f"{self._transport.folder}/{PROFILE}"])
        return operator_times(csv.text) if csv.status == 0 else []

    def _timing(self, runs: Sequence[BenchmarkRun], taken: Delegation) -> Timing:
        return Timing(
            median_ms=median(run.typical_ms for run in runs),
            min_ms=min(run.min_ms for run in runs),
            runs=sum(run.runs for run in runs),
            averaged=any(run.averaged for run in runs),
            nodes=taken.nodes,
            delegated_nodes=taken.delegated_nodes,
            # What XNNPACK leaves out runs on the same CPU, as it will in an app. What a GPU leaves out does not.
            fell_back=not taken.whole if self._options.delegate == "gpu" else not taken.applied,
        )

    def _output(self, model: str, *flags: str) -> str | Failure:
        """What the program prints about a model."""
        words = [f"./{PROGRAM}", f"--graph={model}", *self.setup.options, f"--max_secs={MAX_SECONDS}", *flags]
        if self._options.core_mask is not None:
            words = ["taskset", self._options.core_mask, *words]
        started = f"cd {self._transport.folder} && echo $$ >{PROCESS} && exec {shlex.join(words)}"
        try:
            answer = run_remote(self._transport, ["sh", "-c", started], RUN_TIMEOUT_S)
        except CommandTimeoutError:
            run_remote(self._transport, ["sh", "-c", f"kill -9 $(cat {self._transport.folder}/{PROCESS})"])
            return Failure(f"it did not end within {RUN_TIMEOUT_S:g} s")
        return answer.text if answer.status == 0 else Failure(f"exit status {answer.status}: {fault(answer.text)}")

    def _pushed(self, models: Sequence[bytes]) -> list[str]:
        """Put models on the device, over those before; their paths from the program's folder."""
        with tempfile.TemporaryDirectory() as scratch:
            files = [Path(scratch) / f"{index}.tflite" for index in range(len(models))]
            for file, model in zip(files, models, strict=True):
                file.write_bytes(model)
            self._transport.push(files, f"{self._transport.folder}/{MODELS}")
        return [f"{MODELS}/{file.name}" for file in files]

    def _install(self, digest: str) -> None:
        folder = self._transport.folder
        run_remote(self._transport, ["mkdir", "-p", f"{folder}/{MODELS}"])
        if self._remote_sha256() == digest:
            return
        with tempfile.TemporaryDirectory() as scratch:
            copy = Path(scratch) / PROGRAM
            copy.write_bytes(self._options.content())
            self._transport.push([copy], folder)
        run_remote(self._transport, ["chmod", "755", f"{folder}/{PROGRAM}"])
        there = self._remote_sha256()
        if there != digest:
            raise InputError(
                f"{self._options.binary}: arrived on the device with SHA-256 {there or 'unknown'} instead of {digest}: "
                f"is there room in {folder}, and a sha256sum program?"
            )

    def _remote_sha256(self) -> str | None:
        answer = run_remote(self._transport, ["sha256sum", f"{self._transport.folder}/{PROGRAM}"])
        found = re.match(r"[0-9a-f]{64}\b", answer.text)
        return found[0] if found and answer.status == 0 else None

    def _runs_a_round(self) -> int:
        return -(-self._options.runs // ROUNDS)


def _device(identity: Identity, options: BenchmarkOptions, digest: str) -> DeviceRecord:
    gpu = options.delegate == "gpu"
    slug = re.sub(r"[^a-z0-9]+", "-", identity.name.lower()).strip("-") or "device"
    return DeviceRecord(
        id=f"{slug}-{'gpu' if gpu else 'cpu'}",
        name=identity.name,
        soc=identity.soc,
        processor="gpu" if gpu else "cpu",
        processor_name=identity.gpu if gpu else identity.soc,
        runtime="LiteRT benchmark_model",
        runtime_version=f"sha256:{digest[:16]}",
        delegate="GPU" if gpu else "XNNPACK",
        precision=options.precision,
        threads=None if gpu else options.threads,
    )
