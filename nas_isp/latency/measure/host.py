"""This machine as a target: TFLite models timed in LiteRT (XNNPACK) within this process."""

import platform
import time
from collections.abc import Callable, Iterator, Sequence
from importlib.metadata import version
from pathlib import Path

import numpy as np

from nas_isp.errors import InputError
from nas_isp.latency.measure.measuring_target import Failure, Timing
from nas_isp.latency.measure.reference_network import REFERENCE_NETWORK
from nas_isp.latency.predict.provenance import Health, Setup
from nas_isp.latency.predict.table import DeviceRecord
from nas_isp.precision import Precision

HOST = "host"
HOST_INT8 = "host-int8"
HOST_PRECISIONS: dict[str, Precision] = {HOST: "fp32", HOST_INT8: "int8"}
"""What a device option calls this machine, and the arithmetic meant by it."""

FEWEST_RUNS, MOST_RUNS = 11, 60
"""Of a model: percentiles need some, and a quick model shall not take its whole time."""

SECONDS_PER_MODEL = 0.5
"""That all runs of a model shall take; a slow one gets fewer of them."""

COOL_DOWN_S = 2.0
"""Rest before a batch is repeated, in which a short disturbance passes."""

CODES = 128
"""Non-negative codes of an 8-bit input."""


class HostTarget:
    """Times models in this process, in turns run by run.

    With one thread a run's time is the processor time of that thread: on a machine at rest the same as the time that
    passes, and not disturbed by whatever else wants the core on a busy one. With more it is the time that passes.
    """

    def __init__(
        self, threads: int = 1, precision: Precision = "fp32", seconds_per_model: float = SECONDS_PER_MODEL
    ) -> None:
        self.device = host_device(threads, precision)
        self.setup = Setup(target=HOST, system=f"{platform.system()} {platform.machine()}", anchor=REFERENCE_NETWORK)
        self.cool_down_s = COOL_DOWN_S
        self._threads, self._seconds = threads, seconds_per_model
        self._clock = time.thread_time if threads == 1 else time.perf_counter

    def time(self, models: Sequence[bytes]) -> list[Timing | Failure]:
        """See `MeasuringTarget.time`. The runs of each model are spread evenly over the whole time."""
        runs: dict[int, Callable[[], object]] = {}
        wanted: dict[int, int] = {}
        failures: dict[int, Failure] = {}
        for index, model in enumerate(models):
            try:
                runs[index] = _prepared(model, self._threads)
                wanted[index] = self._run_count(min(self._timed_ms(runs[index]) for _ in range(2)))
            except (ValueError, RuntimeError) as error:
                failures[index] = Failure(" ".join(str(error).split()) or type(error).__name__)
        times: list[list[float]] = [[] for _ in models]
        for index in spread_evenly(wanted):
            times[index].append(self._timed_ms(runs[index]))
        return [failures.get(index) or _timing(of_model) for index, of_model in enumerate(times)]

    def health(self) -> Health:
        """See `MeasuringTarget.health`."""
        return Health(governor=_governor())

    def _timed_ms(self, run: Callable[[], object]) -> float:
        start = self._clock()
        run()
        return (self._clock() - start) * 1e3

    def _run_count(self, first_ms: float) -> int:
        return int(np.clip(self._seconds * 1e3 / max(first_ms, 1e-6), FEWEST_RUNS, MOST_RUNS))


def host_device(threads: int, precision: Precision = "fp32") -> DeviceRecord:
    """This machine as a device."""
    model = _processor_name()
    return DeviceRecord(
        id=next(name for name, of_host in HOST_PRECISIONS.items() if of_host == precision),
        name=f"this machine ({model})",
        soc=model,
        processor="cpu",
        processor_name=model,
        runtime="LiteRT",
        runtime_version=version("ai-edge-litert"),
        delegate="XNNPACK",
        precision=precision,
        threads=threads,
    )


def check_same_host(path: Path, device: DeviceRecord) -> None:
    """Refuse measurements that say nothing about this machine as it is now.

    Raises:
        InputError: they were made on another machine or runtime.
    """
    here = host_device(device.threads or 1, HOST_PRECISIONS.get(device.id, "fp32"))
    if device != here:
        raise InputError(
            f"{path}: measured on {device.name} with {device.runtime} {device.runtime_version}, but this is "
            f"{here.name} with {here.runtime} {here.runtime_version}: move this file away and measure anew"
        )


def _prepared(model: bytes, threads: int) -> Callable[[], object]:
    from nas_isp.runtimes.litert import allocate, open_interpreter

    interpreter = open_interpreter(model, threads)
    allocate(interpreter)
    rng = np.random.default_rng(0)
    for entry in interpreter.get_input_details():
        values = rng.random(entry["shape"], dtype=np.float32)
        codes = rng.integers(0, CODES, entry["shape"])
        interpreter.set_tensor(entry["index"], values if entry["dtype"] == np.float32 else codes.astype(entry["dtype"]))
    run: Callable[[], object] = interpreter.invoke
    return run


def spread_evenly(counts: dict[int, int]) -> Iterator[int]:
    """Each key as often as its count says, all of them in turns and at even distances."""
    most = max(counts.values(), default=0)
    for turn in range(most):
        for key, count in counts.items():
            if (turn + 1) * count // most > turn * count // most:
                yield key


def _timing(times_ms: Sequence[float]) -> Timing:
    low, median, high = (float(value) for value in np.percentile(times_ms, [10, 50, 90]))
    return Timing(median_ms=median, min_ms=min(times_ms), runs=len(times_ms), p10_ms=low, p90_ms=high)


def _governor() -> str | None:
    files = sorted(Path("/sys/devices/system/cpu").glob("cpu*/cpufreq/scaling_governor"))
    try:
        return " ".join(sorted({file.read_text(encoding="ascii").strip() for file in files})) or None
    except (OSError, UnicodeDecodeError):
        return None


def _processor_name() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        lines = []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else (platform.processor() or platform.machine())
