"""A `benchmark_model`, TensorFlow Lite's or LiteRT's, on a device over a transport, as a target."""

import hashlib
import re
import shlex
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from nas_isp.errors import InputError
from nas_isp.latency.measure.benchmark_output import (
    BenchmarkRun,
    Delegate,
    Delegation,
    OperatorTime,
    benchmark_run,
    delegation,
    fault,
    operator_times,
)
from nas_isp.latency.measure.benchmark_program import flags_for, ignored_options, program_of
from nas_isp.latency.measure.measuring_target import Failure, Timing
from nas_isp.latency.measure.reference_network import REFERENCE_NETWORK
from nas_isp.latency.measure.remote.identity import Identity
from nas_isp.latency.measure.remote.transport import CommandTimeoutError, Transport, run_remote
from nas_isp.latency.predict.provenance import Health, Setup
from nas_isp.latency.predict.table import DeviceRecord
from nas_isp.precision import Precision

WANTED = "give TensorFlow Lite's or LiteRT's benchmark_model built for the device"

ROUNDS = 3
"""Times that a batch is gone through, so that a disturbance hits all of its models alike."""

WARM_UP_RUNS = 10
MAX_SECONDS = 60
"""Longest regular phase of one run of the program, which ends it after that."""

COOL_DOWN_S = 20.0
"""Rest in which a warm phone gets back to its usual clock."""

RUN_TIMEOUT_S = 240.0
"""Longest run of the program: a GPU may compile its kernels for minutes before the regular phase."""

MODELS, PROGRAM, PROCESS, PROFILE = "models", "benchmark_model", "benchmark.pid", "profile.csv"
"""Names in the program's folder on the device."""


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
    """Least number of runs of a model, over all rounds."""
    core_mask: str | None = None
    """Hexadecimal, as `taskset` takes it everywhere: without 0x."""

    def __post_init__(self) -> None:
        self.flags  # noqa: B018 - refuses what the program cannot do
        mask = self.core_mask
        if mask is not None and (not re.fullmatch(r"[0-9a-f]{1,16}", mask) or int(mask, 16) == 0):
            raise InputError(f"CPU mask '{mask}': give a hexadecimal mask, such as f0 for cores 4 to 7", "cpu_mask")

    def content(self) -> bytes:
        """The program."""
        try:
            content = self.binary.read_bytes()
        except OSError as error:
            raise InputError(
                f"{self.binary}: cannot be read ({error.strerror}); {WANTED}", "benchmark_binary"
            ) from error
        if not content:
            raise InputError(f"{self.binary}: is empty; {WANTED}", "benchmark_binary")
        return content

    @property
    def flags(self) -> tuple[str, ...]:
        """On the program's command line, apart from the model and the number of runs."""
        return flags_for(program_of(self.content()), self.delegate, self.precision, self.threads)


class BenchmarkModelTarget:
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
            anchor=REFERENCE_NETWORK,
        )
        self._install(digest)

    def time(self, models: Sequence[bytes]) -> list[Timing | Failure]:
        """See `MeasuringTarget.time`. Each model runs in a process of its own, all of them in turns, `ROUNDS` times."""
        paths = self._pushed(models)
        runs: list[list[_Run]] = [[] for _ in models]
        failures: dict[int, Failure] = {}
        for _ in range(ROUNDS):
            for index, path in enumerate(paths):
                if index in failures:
                    continue
                run = self._run(path)
                if isinstance(run, Failure):
                    failures[index] = run
                else:
                    runs[index].append(run)
        return [failures.get(index) or self._timing(of_model) for index, of_model in enumerate(runs)]

    def health(self) -> Health:
        """See `MeasuringTarget.health`."""
        return self._health(self._transport)

    def profile(self, model: bytes) -> list[OperatorTime]:
        """Times of a model's operators, from a run of its own, which profiling slows down; empty if not offered.

        LiteRT's program offers none that can be read.

        Raises:
            InputError: the device cannot be used, or does not run the model.
        """
        if program_of(self._options.content()) == "litert":
            return []
        profile = f"{self._transport.folder}/{PROFILE}"
        run_remote(self._transport, ["rm", "-f", profile])
        output = self._output(
            self._pushed([model])[0], "--enable_op_profiling=true", f"--profiling_output_csv_file={PROFILE}"
        )
        if isinstance(output, Failure):
            raise InputError(f"the model cannot be profiled ({output.reason}); do not profile", "profile")
        csv = run_remote(self._transport, ["cat", profile])
        return operator_times(csv.text) if csv.status == 0 else []

    def _run(self, model: str) -> "_Run | Failure":
        output = self._output(model)
        if isinstance(output, Failure):
            return output
        times = benchmark_run(output)
        return Failure(fault(output)) if times is None else _Run(times, delegation(output, self._options.delegate))

    def _timing(self, runs: "Sequence[_Run]") -> Timing:
        times, taken = [run.times for run in runs], runs[-1].taken
        return Timing(
            median_ms=median(of_run.typical_ms for of_run in times),
            min_ms=min(of_run.min_ms for of_run in times),
            runs=sum(of_run.runs for of_run in times),
            averaged=any(of_run.averaged for of_run in times),
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
        if answer.status:
            return Failure(f"exit status {answer.status}: {fault(answer.text)}")
        ignored = ignored_options(answer.text)
        return answer.text if ignored is None else Failure(f"the program does not know {ignored}; give a newer one")

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
        # A device's loader may warn before the line, and terminals send carriage returns.
        found = re.search(r"(?:^|[\r\n])\W*([0-9a-f]{64})\b", answer.text)
        return found[1] if found and answer.status == 0 else None

    def _runs_a_round(self) -> int:
        return -(-self._options.runs // ROUNDS)


@dataclass(frozen=True)
class _Run:
    """What one process told."""

    times: BenchmarkRun
    taken: Delegation


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
