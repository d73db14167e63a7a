"""Measures trainings on real captures against the pictures that the camera stored in them, and on charts.

Run: python benchmarks/previews.py CAPTURES --rgb PHOTOS [--charts FILE ...] [--seeds 0 1 2]
     [--warm-steps N] [--steps N] [--architecture efficient-isp] [--recipe default] [--classical-only]
     [-o FILE.jsonl] [--runs DIR]

CAPTURES holds RAW files with the camera's own JPEG in them. Two folds: every second capture is trained on, as
`nas-isp train --raw FOLD --rgb PHOTOS` does, the others are developed as `nas-isp develop` does; then the other way
round. So every capture is measured once, by a network that has not seen it. Beside it our classical rendering and
LibRaw's, both with the gains of the file; on charts LibRaw's with the curve of sRGB. Charts are developed by the
network of the first fold.

One JSON line a capture and way: PSNR in dB, SSIM and CIEDE2000 at the resolution of the camera's picture, registered;
one a chart and way: CIEDE2000 of the patches. Lines that `--output` already holds are not computed again.
"""

import argparse
import json
import os
import statistics
import tempfile
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch

from nas_isp import TrainingFolders, load_recipe, load_runner, train_model
from nas_isp.data.photos import is_photo_candidate, read_photo
from nas_isp.develop.evaluate import Developer
from nas_isp.develop.pipeline import develop
from nas_isp.develop.preview_check import LIBRAW, measure_previews, renderings
from nas_isp.evaluation.chart_detector import find_chart
from nas_isp.evaluation.color_chart import Corners, measure_chart
from nas_isp.raw.camera_files import CAMERA_SUFFIXES
from nas_isp.raw.classical import render_image
from nas_isp.raw.libraw_rendering import SRGB_GAMMA
from nas_isp.raw.readers import is_raw_candidate, list_raw_files, read_raw
from nas_isp.runtimes.base import Runner

Row = dict[str, Any]

FOLDS = 2


def main() -> None:
    arguments = _arguments()
    torch.set_num_threads(arguments.threads)
    files = list_raw_files(arguments.captures)
    done = _lines(arguments.output)

    def add(rows: list[Row]) -> None:
        for row in rows:
            done.append(row)
            _emit(row, arguments.output)

    names = [name for name in renderings() if not _holds(done, {"way": name, "captures": str(arguments.captures)})]
    if names:
        add(_captures(files, {name: renderings()[name] for name in names}, {"captures": str(arguments.captures)}))
    for chart in arguments.charts:
        if not _holds(done, {"chart": chart.name, "seed": None}):
            add(list(_chart(chart, None)))
    if not arguments.classical_only:
        with tempfile.TemporaryDirectory(prefix="nas-isp-previews-") as temporary:
            runs = arguments.runs or Path(temporary)
            for seed in arguments.seeds:
                for fold in range(FOLDS):
                    key = _key(arguments, seed, fold)
                    charts = [chart for chart in arguments.charts if _is_raw(chart) and fold == 0]
                    left = [chart for chart in charts if not _holds(done, {"chart": chart.name, **key})]
                    measured = any("capture" in row and _holds([row], key) for row in done)
                    if measured and not left:
                        continue
                    runner = _trained(key, files, runs, arguments)
                    way: dict[str, Developer] = {"model": lambda raw, runner=runner: develop(runner, raw)}
                    if not measured:
                        add(_captures(files[fold::FOLDS], way, key))
                    for chart in left:
                        add([row | key for row in _chart(chart, runner)])
    _print_means(done)


def _key(arguments: argparse.Namespace, seed: int, fold: int) -> Row:
    return {
        "captures": str(arguments.captures),
        "rgb": str(arguments.rgb),
        "recipe": arguments.recipe,
        "architecture": arguments.architecture,
        "steps": arguments.warm_steps + arguments.steps,
        "seed": seed,
        "fold": fold,
    }


def _trained(key: Row, files: list[Path], runs: Path, arguments: argparse.Namespace) -> Runner:
    """The network of a fold, trained on the captures of the others."""
    folder = runs / "-".join(Path(str(part)).name for part in key.values())
    raw, model = folder / "raw", folder / "model.safetensors"
    raw.mkdir(parents=True, exist_ok=True)
    for at, file in enumerate(files):
        if at % FOLDS != key["fold"] and not (raw / file.name).exists():
            os.symlink(file.resolve(), raw / file.name)
    if not model.is_file():
        settings = load_recipe(arguments.recipe).train.overridden(
            steps=arguments.steps, warm_steps=arguments.warm_steps
        )
        folders = TrainingFolders(raw=raw, rgb=arguments.rgb)
        train_model(
            arguments.architecture, model, folders, settings=settings, seed=key["seed"], previews="off", note=print
        )
    return load_runner(model)


def _captures(files: list[Path], ways: dict[str, Developer], key: Row) -> list[Row]:
    found = measure_previews(files, ways)
    for line in found.left_out:
        print(line)
    return [
        {**key, "way": way, "capture": capture, **_rounded(asdict(scores))}
        for way, row in found.rows.items()
        for capture, scores in zip(found.captures, row, strict=True)
    ]


def _chart(path: Path, runner: Runner | None) -> Iterator[Row]:
    """Of a photo as it is, of a RAW file by all ways."""
    if not _is_raw(path):
        photo = read_photo(path)
        pictures, where = {"camera": photo}, find_chart(photo)
    else:
        raw = read_raw(path)
        ways = {
            name: way
            for name, way in renderings(SRGB_GAMMA).items()
            if name != LIBRAW or path.suffix.lower() in CAMERA_SUFFIXES
        }
        if runner is not None:
            ways = {"model": lambda raw: develop(runner, raw)}
        pictures = {name: way(raw) for name, way in ways.items()}
        where = find_chart(render_image(raw, auto_exposure=True))
    for way, picture in pictures.items():
        yield {"chart": path.name, "way": way, "seed": None, **_colors(picture, where)}


def _is_raw(path: Path) -> bool:
    return is_raw_candidate(path) and not is_photo_candidate(path)


def _colors(picture: np.ndarray, where: Corners | None) -> Row:
    if where is None:
        return {"found": False}
    report = measure_chart(picture, where)
    return _rounded(
        {
            "mean": report.mean,
            "mean_at_exposure": report.mean_at_exposure,
            "exposure_stops": report.exposure_stops,
            "chroma_ratio": report.chroma_ratio,
        }
    )


def _rounded(values: dict[str, float]) -> Row:
    return {name: round(value, 4) for name, value in values.items()}


def _print_means(rows: list[Row]) -> None:
    """Means over captures, then mean and spread over seeds."""
    ways: dict[tuple[str, Any], dict[Any, list[Row]]] = {}
    for row in rows:
        if "capture" in row:
            key = (row["way"], row.get("steps"))
            ways.setdefault(key, {}).setdefault(row.get("seed"), []).append(row)
    print("way | steps | PSNR dB | SSIM | CIEDE2000 | captures | seeds")
    for (way, steps), seeds in ways.items():
        columns = ("psnr", "ssim", "delta_e00")
        means = [[statistics.mean(row[name] for row in members) for members in seeds.values()] for name in columns]
        counts = sorted({len(members) for members in seeds.values()})
        print(" | ".join([way, str(steps or ""), *map(_mean_and_spread, means), str(counts), str(len(seeds))]))
    print("chart | way | steps | mean CIEDE2000 | at the reference's exposure | exposure, stops | chroma ratio")
    for row in rows:
        if "chart" in row:
            values = [row.get(name, "-") for name in ("mean", "mean_at_exposure", "exposure_stops", "chroma_ratio")]
            print(" | ".join(map(str, [row["chart"], row["way"], row.get("steps", ""), *values])))


def _mean_and_spread(values: list[float]) -> str:
    spread = f" ± {statistics.stdev(values):.2f}" if len(values) > 1 else ""
    return f"{statistics.mean(values):.2f}{spread}"


def _holds(rows: list[Row], key: Row) -> bool:
    return any(all(row.get(name) == value for name, value in key.items()) for row in rows)


def _lines(path: Path | None) -> list[Row]:
    if path is None or not path.is_file():
        return []
    return [json.loads(line) for line in path.read_text().splitlines()]


def _emit(row: Row, path: Path | None) -> None:
    line = json.dumps(row)
    print(line, flush=True)
    if path is not None:
        with path.open("a") as file:
            file.write(line + "\n")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("captures", type=Path)
    parser.add_argument("--rgb", type=Path, help="photos of other scenes")
    parser.add_argument("--charts", nargs="+", type=Path, default=[], help="RAW files or photos of a ColorChecker")
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2])
    parser.add_argument("--warm-steps", type=int, default=load_recipe("default").train.warm_start.steps)
    parser.add_argument("--steps", type=int, default=load_recipe("default").train.steps)
    parser.add_argument("--architecture", default="efficient-isp")
    parser.add_argument("--recipe", default="default")
    parser.add_argument("--classical-only", action="store_true", help="train nothing")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("-o", "--output", type=Path, help="JSON lines; continued")
    parser.add_argument("--runs", type=Path, help="keep models and histories here")
    found = parser.parse_args()
    if found.rgb is None and not found.classical_only:
        parser.error("give --rgb, photos of other scenes, or --classical-only")
    return found


if __name__ == "__main__":
    main()
