"""Times exported models beside other people's mobile networks and other runtimes, on this machine in one run.

Run: python benchmarks/runtime.py [MODEL.safetensors ...] [--peers DIR] [--size 544x960] [--threads 1 2] [--seconds 4]
     [-o FILE.json]

For EfficientISP (random weights unless a bundle of it is given) and every bundle: PyTorch and ONNX Runtime in fp32,
LiteRT in fp32, fp16 and int8. `--peers` holds .tflite files of others, timed at their own input size (half of `--size`
where they take any); where that differs, ms per megapixel of output is the column to compare. Each entry runs in a
process of its own, for its peak memory (of the whole process, Python and its libraries included). They take turns, so
that a disturbance does not hit one alone; `ms` is the least median of the rounds, `least ms` the fastest single run,
which is nearer the truth on a busy machine.

Newer Intel processors have matrix tiles (AMX), which XNNPACK would use for all 8-bit convolutions and from which this
program keeps it. There, our 8-bit files are timed with the tiles too, as other programs run them.
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from nas_isp.runtimes.amx import has_matrix_tiles, take_matrix_tiles

LEAST_RUNS = 5
INT8 = "tflite int8"


def main() -> None:
    options = _options()
    if options.measure:
        if options.amx:
            take_matrix_tiles()
        print(json.dumps(_measure(Path(options.measure), options.size, options.threads[0], options.seconds)))
        return
    with tempfile.TemporaryDirectory() as scratch:
        entries = _entries(Path(scratch), options)
        rows = [
            {"name": name, "threads": threads, "amx": amx, "bytes": path.stat().st_size, "runs": []}
            for name, path in entries.items()
            for amx in ((False, True) if name.endswith(INT8) and has_matrix_tiles() else (False,))
            for threads in options.threads
        ]
        for _ in range(options.rounds):
            for row in rows:
                row["runs"].append(_in_own_process(entries[row["name"]], row, options))
            _report([_summary(row) for row in rows], options.output)


def _summary(row: dict[str, Any]) -> dict[str, Any]:
    """What the rounds so far say of one entry."""
    runs = row["runs"]
    least_ms = min(run["least_ms"] for run in runs)
    return {
        **{name: row[name] for name in ("threads", "bytes")},
        "name": f"{row['name']}, with AMX" if row["amx"] else row["name"],
        "ms": min(run["ms"] for run in runs),
        "least_ms": least_ms,
        "least_ms_per_output_mp": least_ms / runs[0]["output_mp"],
        "peak_mib": statistics.median(run["peak_mib"] for run in runs),
        "rounds": len(runs),
    }


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("bundles", nargs="*", type=Path)
    parser.add_argument("--peers", type=Path)
    parser.add_argument("--size", type=lambda text: tuple(map(int, text.split("x"))), default=(544, 960))
    parser.add_argument("--threads", nargs="+", type=int, default=[1, 2])
    parser.add_argument("--seconds", type=float, default=1.5, help="a round and entry")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--amx", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("-o", "--output", type=Path)
    parser.add_argument("--measure", help=argparse.SUPPRESS)
    return parser.parse_args()


def _entries(scratch: Path, options: argparse.Namespace) -> dict[str, Path]:
    """Name -> file of everything that is timed."""
    entries: dict[str, Path] = {}
    bundles = {path.stem: path for path in options.bundles}
    if "efficient-isp" not in bundles:
        bundles = {"efficient-isp": _random_bundle(scratch), **bundles}
    for name, bundle in bundles.items():
        entries[f"{name}, PyTorch fp32"] = bundle
        for runtime, precision in (("onnx", "fp32"), ("tflite", "fp32"), ("tflite", "fp16"), ("tflite", "int8")):
            entries[f"{name}, {runtime} {precision}"] = _exported(bundle, scratch, runtime, precision, options.size)
    for path in sorted(options.peers.glob("*.tflite")) if options.peers else ():
        entries[path.name] = path
    return entries


def _random_bundle(scratch: Path) -> Path:
    from nas_isp.generators.build import build
    from nas_isp.generators.bundle import Bundle, BundleRecord, save_bundle
    from nas_isp.generators.published import PUBLISHED
    from nas_isp.raw.sensor import SensorDescription

    architecture = PUBLISHED["efficient-isp"]
    record = BundleRecord(architecture=architecture, sensor=SensorDescription(cfa="RGGB", black=64, white=1023))
    path = scratch / "efficient-isp.safetensors"
    save_bundle(path, Bundle(record, build(architecture).state_dict()))
    return path


def _exported(bundle: Path, scratch: Path, runtime: Any, precision: Any, size: tuple[int, int]) -> Path:
    from nas_isp.export.export import export_bundle
    from nas_isp.export.exporters import Form
    from nas_isp.generators.bundle import load_bundle

    path = scratch / f"{bundle.stem} {precision}.{runtime}"
    export_bundle(load_bundle(bundle), path, Form(runtime, precision, size))
    return path


def _in_own_process(path: Path, row: dict[str, Any], options: argparse.Namespace) -> dict[str, float]:
    size = "x".join(map(str, options.size))
    command = [sys.executable, __file__, "--measure", path, "--size", size, "--threads", row["threads"]]
    command += ["--seconds", options.seconds, *(["--amx"] if row["amx"] else [])]
    done = subprocess.run(list(map(str, command)), check=True, capture_output=True, text=True)
    result: dict[str, float] = json.loads(done.stdout.strip().splitlines()[-1])
    return result


def _measure(path: Path, size: tuple[int, int], threads: int, seconds: float) -> dict[str, float]:
    """Median and least ms of one run, peak memory of the process, megapixels of the output."""
    run_once = _ours(path, size, threads)
    if run_once is None:
        run_once, output_mp = _foreign(path, size, threads)
    else:
        output_mp = 4 * size[0] * size[1] / 1e6
    run_once()
    run_once()
    times: list[float] = []
    until = time.perf_counter() + seconds
    while len(times) < LEAST_RUNS or time.perf_counter() < until:
        start = time.perf_counter()
        run_once()
        times.append(1000 * (time.perf_counter() - start))
    return {"ms": statistics.median(times), "least_ms": min(times), "peak_mib": _peak_mib(), "output_mp": output_mp}


def _peak_mib() -> float:
    """Most memory that this process has held; getrusage would count the parent that it was forked from."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM:"))


def _ours(path: Path, size: tuple[int, int], threads: int) -> Callable[[], object] | None:
    """One run of a file written by this program; None for a foreign file."""
    from nas_isp.errors import InputError
    from nas_isp.runtimes.load import open_runner

    try:
        runner = open_runner(path, threads)
    except InputError:
        return None
    return runner.prepared(np.random.default_rng(0).random((4, *size), np.float32))


def _foreign(path: Path, size: tuple[int, int], threads: int) -> tuple[Callable[[], object], float]:
    """One run of a file of somebody else at its own size, and megapixels of its output."""
    from nas_isp.runtimes.litert import allocate, open_interpreter

    interpreter = open_interpreter(path.read_bytes(), threads)
    for entry in interpreter.get_input_details():
        if -1 in entry["shape_signature"]:
            batch, _, _, channels = entry["shape"]
            interpreter.resize_tensor_input(entry["index"], (batch, size[0] // 2, size[1] // 2, channels))
    allocate(interpreter)
    for entry in interpreter.get_input_details():
        values = np.random.default_rng(0).random(entry["shape"]) * (1 if entry["dtype"] == np.float32 else 100)
        interpreter.set_tensor(entry["index"], values.astype(entry["dtype"]))
    _, height, width, *_ = interpreter.get_output_details()[0]["shape"]
    return interpreter.invoke, height * width / 1e6


def _report(rows: list[dict[str, Any]], out: Path | None) -> None:
    """A table after every round, and the same as JSON."""
    columns = ("model", "threads", "ms", "least ms", "least ms per output megapixel", "peak MiB", "bytes")
    print(f"\nafter {rows[0]['rounds']} rounds\n\n| {' | '.join(columns)} |\n|{'---|' * len(columns)}")
    for row in rows:
        cells = (row["ms"], row["least_ms"], row["least_ms_per_output_mp"], row["peak_mib"])
        print(f"| {row['name']} | {row['threads']} | " + " | ".join(f"{cell:.1f}" for cell in cells), end="")
        print(f" | {row['bytes']} |", flush=True)
    if out:
        out.write_text(json.dumps(rows, indent=2) + "\n")


if __name__ == "__main__":
    main()
