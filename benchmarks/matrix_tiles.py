"""Times 8-bit 3x3 convolutions in LiteRT with and without the matrix tiles (AMX) of newer Intel processors.

Run: python benchmarks/matrix_tiles.py [--channels 4 12 16 24 32 48 64] [--size 272x480] [--runs 21]

XNNPACK decides once a process, so each row is two processes: one asks Linux for the tiles first, the other lets
`nas_isp.runtimes.litert` keep LiteRT from them. The result's digest must be the same.
"""

import argparse
import hashlib
import json
import subprocess
import sys
import time

import numpy as np

from nas_isp.latency.kernels.kernel import Kernel
from nas_isp.latency.measure.probe_models import single_kernel_model
from nas_isp.runtimes.amx import has_matrix_tiles, take_matrix_tiles
from nas_isp.runtimes.litert import allocate, open_interpreter


def main() -> None:
    options = _options()
    if options.measure:
        print(json.dumps(_measure(options.measure, options.size, options.runs, options.tiles)))
        return
    if not has_matrix_tiles():
        sys.exit("this processor has no matrix tiles: there is nothing to compare")
    print("| channels | with tiles, least ms | without, least ms | same result |\n|---|---|---|---|")
    for channels in options.channels:
        with_tiles, without = (_in_own_process(channels, options, flag) for flag in (["--tiles"], []))
        same = "yes" if with_tiles["digest"] == without["digest"] else "NO"
        print(f"| {channels} | {with_tiles['ms']:.1f} | {without['ms']:.1f} | {same} |", flush=True)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--channels", nargs="+", type=int, default=[4, 12, 16, 24, 32, 48, 64])
    parser.add_argument("--size", default="272x480")
    parser.add_argument("--runs", type=int, default=21)
    parser.add_argument("--measure", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--tiles", action="store_true", help=argparse.SUPPRESS)
    return parser.parse_args()


def _in_own_process(channels: int, options: argparse.Namespace, flags: list[str]) -> dict[str, float | str]:
    command = [
        sys.executable,
        __file__,
        "--measure",
        str(channels),
        "--size",
        options.size,
        "--runs",
        str(options.runs),
    ]
    done = subprocess.run([*command, *flags], check=True, capture_output=True, text=True)
    result: dict[str, float | str] = json.loads(done.stdout)
    return result


def _measure(channels: int, size: str, runs: int, tiles: bool) -> dict[str, float | str]:
    """Least ms of one convolution on one thread, and a digest of what it gives."""
    if tiles:
        take_matrix_tiles()
    height, width = map(int, size.split("x"))
    kernel = Kernel(op="conv2d", in_channels=channels, out_channels=channels, kernel=3, height=height, width=width)
    interpreter = open_interpreter(single_kernel_model(kernel, "int8"), threads=1)
    allocate(interpreter)
    given, result = interpreter.get_input_details()[0], interpreter.get_output_details()[0]
    codes = np.random.default_rng(0).integers(-128, 128, given["shape"])
    interpreter.set_tensor(given["index"], codes.astype(np.int8))
    interpreter.invoke()
    times_ms = []
    for _ in range(runs):
        start = time.perf_counter()
        interpreter.invoke()
        times_ms.append(1000 * (time.perf_counter() - start))
    digest = hashlib.sha256(interpreter.get_tensor(result["index"]).tobytes()).hexdigest()
    return {"ms": min(times_ms), "digest": digest}


if __name__ == "__main__":
    main()
