"""Times a 12-megapixel photo from RAW file to JPEG: models in each format beside LibRaw's own development (AHD).

Run: python benchmarks/develop.py MODEL... [--photo FILE] [--rounds 3] [--pictures 3] [--foreign]
MODEL is a bundle, a .tflite or an .onnx file. Without --photo an uncompressed 12-megapixel DNG is made from a
procedural scene. Every system develops the photo several times in a process of its own, and the systems take turns, so
that other load on the machine meets them alike. Prints one JSON object: for each system the median over rounds of
`read_s`, `develop_s` and `save_s` of a photo after the first (LibRaw: `read_s` opens the file, `develop_s` unpacks and
renders it), `photo_s`, their sum, `first_photo_s` from the start of the process, imports and loading included, `cores`
kept busy while developing, `cpu_s`, the processor time of a photo, which other load hardly changes, and `peak_mb`, the
most memory the process held. --foreign adds the exchange of colors that a photo of another sensor needs.
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

HEIGHT, WIDTH = 3000, 4000
BLACK, WHITE = 64, 1023
XYZ_TO_CAMERA = (1.0, -0.3, -0.05, -0.4, 1.2, 0.2, -0.05, 0.2, 0.6)
NEUTRAL_PER_CENT = (50, 100, 60)
OTHER_GAINS, OTHER_MATRIX = (1.6, 1.0, 1.9), ((1.6, -0.4, -0.2), (-0.2, 1.5, -0.3), (0.0, -0.5, 1.5))
LIBRAW = "libraw-ahd"


def main() -> None:
    """Run every system in turns, and print their times."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", nargs="*", type=Path)
    parser.add_argument("--photo", type=Path, help="camera RAW file instead of the one that is made")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--pictures", type=int, default=3, help="times a process develops the photo, at least 2")
    parser.add_argument("--foreign", action="store_true", help="as if the models were for another sensor")
    parser.add_argument("--one", help=argparse.SUPPRESS)
    settings = parser.parse_args()
    if settings.one:
        print(json.dumps(_develop_repeatedly(settings)))
        return
    with tempfile.TemporaryDirectory(prefix="develop-") as scratch:
        photo = settings.photo or _make_photo(Path(scratch) / "photo.dng")
        found: dict[str, list[dict[str, float]]] = {}
        for _ in range(settings.rounds):
            for system in (*map(str, settings.models), LIBRAW):
                found.setdefault(system, []).append(_in_own_process(system, photo, settings))
    table = {
        system: {name: round(statistics.median(row[name] for row in rows), 3) for name in rows[0]}
        for system, rows in found.items()
    }
    print(json.dumps({"photo": str(settings.photo or "made, 4000x3000"), "systems": table}, indent=2))


def _in_own_process(system: str, photo: Path, settings: argparse.Namespace) -> dict[str, float]:
    options = ["--one", system, "--photo", str(photo), "--pictures", str(settings.pictures)]
    start = time.time()
    finished = subprocess.run(
        [sys.executable, __file__, *options, *(["--foreign"] if settings.foreign else [])],
        check=True,
        capture_output=True,
        text=True,
    )
    result: dict[str, Any] = json.loads(finished.stdout)
    return {"first_photo_s": result.pop("first_done") - start, **result}


def _develop_repeatedly(settings: argparse.Namespace) -> dict[str, float]:
    develop = _libraw if settings.one == LIBRAW else _model(Path(settings.one), settings.foreign)
    laps, first_done = [], 0.0
    with tempfile.TemporaryDirectory(prefix="develop-") as scratch:
        for _ in range(settings.pictures):
            laps.append(develop(settings.photo, Path(scratch) / "photo.jpg"))
            first_done = first_done or time.time()
    row = {name: statistics.median(lap[name] for lap in laps[1:]) for name in laps[0]}
    photo_s = sum(row[name] for name in ("read_s", "develop_s", "save_s"))
    return {"first_done": first_done, **row, "photo_s": photo_s, "peak_mb": _peak_mb()}


def _peak_mb() -> float:
    """Most memory that this process has held; getrusage would count the parent that it was forked from."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 / 1e6 for line in lines if line.startswith("VmHWM:"))


def _model(path: Path, foreign: bool) -> Any:
    from nas_isp.develop.picture import save_picture
    from nas_isp.develop.pipeline import develop
    from nas_isp.raw.readers import read_raw
    from nas_isp.runtimes.load import load_developer

    runner = load_developer(path)
    if foreign and runner.sensor is not None:
        colors = {"name": "another", "white_balance": OTHER_GAINS, "color_matrix": OTHER_MATRIX}
        runner.sensor = runner.sensor.model_copy(update=colors)

    def one(photo: Path, target: Path) -> dict[str, float]:
        clock = _Clock()
        raw = read_raw(photo)
        read_s, _ = clock.lap()
        if not foreign and runner.sensor is not None:
            raw = replace(raw, capture=replace(raw.capture, make="", model=runner.sensor.name))
        picture = develop(runner, raw)
        develop_s, cores = clock.lap()
        save_picture(target, picture, raw.capture)
        return {
            "read_s": read_s,
            "develop_s": develop_s,
            "save_s": clock.lap()[0],
            "cores": cores,
            "cpu_s": clock.cpu_s(),
        }

    return one


def _libraw(photo: Path, target: Path) -> dict[str, float]:
    import rawpy

    from nas_isp.develop.picture import save_picture

    clock = _Clock()
    with rawpy.imread(str(photo)) as raw:
        read_s, _ = clock.lap()
        picture = raw.postprocess(demosaic_algorithm=rawpy.DemosaicAlgorithm.AHD, use_camera_wb=True)
        develop_s, cores = clock.lap()
    save_picture(target, picture)
    return {"read_s": read_s, "develop_s": develop_s, "save_s": clock.lap()[0], "cores": cores, "cpu_s": clock.cpu_s()}


class _Clock:
    """Wall time since the last lap, and cores busy on the average."""

    def __init__(self) -> None:
        self._wall, self._cpu = time.perf_counter(), time.process_time()
        self._begun = self._cpu

    def cpu_s(self) -> float:
        """Processor time of all cores since the start: other load on the machine hardly changes it."""
        return time.process_time() - self._begun

    def lap(self) -> tuple[float, float]:
        wall, cpu = time.perf_counter() - self._wall, time.process_time() - self._cpu
        self._wall, self._cpu = time.perf_counter(), time.process_time()
        return wall, cpu / max(wall, 1e-9)


def _make_photo(path: Path) -> Path:
    """An uncompressed DNG of a quarter of a procedural scene, mirrored to its full size."""
    import numpy as np
    import tifffile

    from nas_isp.export.check_set import synthetic_scene
    from nas_isp.raw.synthesis import SyntheticCamera, synthesize_raw

    rng = np.random.default_rng(0)
    quarter = synthetic_scene(HEIGHT // 2, WIDTH // 2, rng)
    scene = np.concatenate([quarter, quarter[::-1]])
    scene = np.concatenate([scene, scene[:, ::-1]], axis=1)
    raw = synthesize_raw(scene, rng, SyntheticCamera(cfa="RGGB", black=BLACK, white=WHITE, blur_px=(0, 0)))
    matrix = tuple(number for value in XYZ_TO_CAMERA for number in (round(value * 10000), 10000))
    neutral = tuple(number for value in NEUTRAL_PER_CENT for number in (value, 100))
    tags = [
        (50706, "B", 4, (1, 4, 0, 0), True),
        (50708, "s", 0, "Made camera", True),
        (33421, "H", 2, (2, 2), True),
        (33422, "B", 4, (0, 1, 1, 2), True),
        (50714, "H", 1, BLACK, True),
        (50717, "H", 1, WHITE, True),
        (50721, "2i", 9, matrix, True),
        (50728, "2I", 3, neutral, True),
    ]
    tifffile.imwrite(path, raw.mosaic, photometric=32803, extratags=tags, metadata=None)
    return path


if __name__ == "__main__":
    main()
