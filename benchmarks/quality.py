"""Measures what recipes and their levers are worth: trains unpaired on a bench, scores on its true pairs.

Run: python benchmarks/quality.py BENCH [--variants default arhire2025 ...] [--seeds 0 1 2] [--warm-steps N] [--steps N]
     [--architectures efficient-isp ...] [--features lite] [-o FILE.jsonl] [--runs DIR]

BENCH holds `train/raw`, `train/rgb` (other scenes) and `val/raw`, `val/rgb` (pairs); for the paired variants also
`paired_reference/rgb`, the photos of `train/raw`. All variants train the same network for the same number of generator
steps, with the same batch and frozen features; a variant without a regression takes all steps adversarially. Nothing is
chosen by the pairs: weights are those of the last step or, where the recipe says so, of the best reference-free score.

One JSON line a training: means over the validation pairs of PSNR, SSIM and CIEDE2000 on 8-bit pictures, the artefact
verdict, and the seconds taken. Lines of trainings that `--output` already holds are not computed again.
"""

import argparse
import json
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from nas_isp.data.patches import Pairs, load_pairs, load_unpaired
from nas_isp.evaluation.artefacts import artefact_report, artefacts_of
from nas_isp.evaluation.metrics import mean_scores, to_8_bit
from nas_isp.generators.published import PUBLISHED
from nas_isp.preparation.paired import prepare_paired
from nas_isp.preparation.prepare import prepare
from nas_isp.preparation.prepared import Prepared
from nas_isp.preparation.prepared_files import load_prepared, save_prepared
from nas_isp.raw.classical import render_image
from nas_isp.raw.image import RawImage
from nas_isp.raw.network_input import input_of
from nas_isp.raw.packing import pack
from nas_isp.recipe import TrainSettings, load_recipe
from nas_isp.training.trainer import Trainer, TrainingDiverged
from nas_isp.training.training_run import TrainingRun

Change = Callable[[TrainSettings], TrainSettings]
Picture = Callable[[RawImage], Tensor]

NO_JUDGES = {"texture": 0.0, "color": 0.0}


def _with(recipe: str, changes: dict[str, Any] | None = None) -> Change:
    """Settings of a recipe with some of them changed; the argument brings steps, batch, patch and features.

    A recipe without a regression takes all steps adversarially, one without adversarial steps all as regression.
    """

    def change(given: TrainSettings) -> TrainSettings:
        fields = _merged(load_recipe(recipe).train.model_dump(), changes or {})
        fields |= {"patch": given.patch, "batch": given.batch}
        settings = TrainSettings.model_validate(fields).with_features(given.content.features)
        total = given.steps + given.warm_start.steps
        steps = min(given.steps, settings.steps) if settings.warm_start.steps else total
        warm_start = settings.warm_start.model_copy(update={"steps": total - steps})
        return settings.model_copy(update={"steps": steps, "warm_start": warm_start})

    return change


def _merged(fields: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    """The fields with changes at any depth."""
    deep = {name: _merged(fields[name], part) for name, part in changes.items() if isinstance(part, dict)}
    return fields | changes | deep


VARIANTS: dict[str, Change] = {
    "arhire2025": _with("arhire2025"),
    "arhire2025, live start": _with("arhire2025", {"initialization": "rendering"}),
    "arhire2025, defects mended": _with(
        "arhire2025",
        {
            "initialization": "rendering",
            "texture": {
                "fine": {"normalize": True},
                "coarse": {"normalize": True},
                "dense_layer_trained": True,
            },
            "color": {"normalize": True},
        },
    ),
    "arhire2025, our reference and start": _with(
        "arhire2025",
        {
            "initialization": "rendering",
            "reference": "look",
            "warm_start": {"steps": 1, "synthetic_share": 0.0},
        },
    ),
    "default": _with("default"),
    "default, RAW as it is": _with("default", {"input": "sensor"}),
    "default, regression only": _with("default", {"steps": 0}),
    "default, no discriminators": _with("default", {"weights": NO_JUDGES}),
    "default, no synthetic pairs": _with(
        "default", {"weights": {"synthetic": 0.0, "pixel": 1.0}, "warm_start": {"synthetic_share": 0.0}}
    ),
    "default, synthetic pairs only": _with(
        "default", {"weights": {"pixel": 0.0}, "warm_start": {"synthetic_share": 1.0}}
    ),
    "default, no averaging": _with("default", {"ema": 0.0}),
    "default, last weights": _with("default", {"selections": 0}),
    "default, running balance": _with("default", {"balance": {"every": 16, "decay": 0.9}}),
    "default, sliced Wasserstein": _with("default", {"weights": {"sliced_wasserstein": 0.3}}),
    "default, moments": _with("default", {"weights": {"moments": 0.3}}),
    "default, PyTorch start": _with("default", {"initialization": "pytorch"}),
    "paired": _with("default", {"mode": "paired"}),
    "paired-no-adv": _with("default", {"mode": "paired-no-adv"}),
}


def main() -> None:
    arguments = _arguments()
    torch.set_num_threads(arguments.threads)
    bench: Path = arguments.bench
    validation = load_pairs(bench / "val")
    done = _lines(arguments.output)
    with tempfile.TemporaryDirectory(prefix="nas-isp-quality-") as temporary:
        scratch = arguments.runs / "data" if arguments.runs else Path(temporary)
        scratch.mkdir(parents=True, exist_ok=True)
        if not any("rendering" in line["variant"] for line in done):
            baseline = _prepared(bench, validation, TrainSettings(patch=arguments.patch), 0, scratch).baseline
            for name, render in {"classical": baseline.render, "look": baseline.render_with_look}.items():
                picture = _rendered_by(render)
                done.append({"variant": f"{name} rendering", **_measured(picture, validation)})
                _emit(done[-1], arguments.output)
        for seed in arguments.seeds:
            for variant in arguments.variants:
                for architecture in arguments.architectures:
                    key = {
                        "variant": variant,
                        "architecture": architecture,
                        "seed": seed,
                        "steps": arguments.warm_steps + arguments.steps,
                        "features": arguments.features,
                    }
                    if not any(key.items() <= line.items() for line in done):
                        row = key | _trained(key, bench, validation, scratch, arguments)
                        done.append(row)
                        _emit(row, arguments.output)
    _print_means(done)


def _trained(key: dict[str, Any], bench: Path, validation: Pairs, scratch: Path, arguments: Any) -> dict[str, Any]:
    given = TrainSettings.model_validate(
        {
            "steps": arguments.steps,
            "warm_start": {"steps": arguments.warm_steps},
            "batch": arguments.batch,
            "patch": arguments.patch,
        }
    ).with_features(arguments.features)
    settings = VARIANTS[key["variant"]](given)
    prepared = _prepared(bench, validation, settings, key["seed"], scratch)
    name = "-".join(str(part) for part in key.values()).replace(", ", "-").replace(" ", "_")
    folder = (arguments.runs or scratch / "runs") / name
    began = time.monotonic()
    trainer = Trainer(PUBLISHED[key["architecture"]], prepared, settings, TrainingRun(folder, key["seed"]))
    try:
        outcome = trainer.train()
    except TrainingDiverged as error:
        return {"diverged": str(error), **_measured(_developed_by(trainer.averaged, prepared), validation)}
    measured = _measured(_developed_by(trainer.chosen(), prepared), validation)
    return {**measured, "kept_step": outcome.step, "seconds": round(time.monotonic() - began)}


def _rendered_by(render: Callable[[Tensor, Tensor | None], Tensor]) -> Picture:
    def picture(raw: RawImage) -> Tensor:
        gains = None if raw.white_balance is None else torch.tensor(raw.white_balance)
        return render(torch.from_numpy(pack(raw))[None], gains)

    return picture


def _developed_by(network: torch.nn.Module, prepared: Prepared) -> Picture:
    kind = prepared.training.inputs.kind
    return lambda raw: network(torch.from_numpy(input_of(raw, pack(raw), kind))[None])


def _prepared(bench: Path, validation: Pairs, settings: TrainSettings, seed: int, scratch: Path) -> Prepared:
    """Data of a training; the pairs give the PSNR of the records and choose nothing."""
    if settings.mode != "unpaired":
        both = scratch / "paired"
        both.mkdir(exist_ok=True)
        for name, source in {"raw": bench / "train/raw", "rgb": bench / "paired_reference/rgb"}.items():
            if not (both / name).exists():
                os.symlink(source.resolve(), both / name)
        return prepare_paired(load_pairs(both), settings.patch, seed, settings.input, tested=validation)
    folder = scratch / f"{settings.input}-{settings.reference}-{settings.wants_synthetic_pairs}-{settings.patch}-{seed}"
    if not (folder / "prepared.json").is_file():
        data = load_unpaired(
            bench / "train/raw", bench / "train/rgb", scratch, settings.patch, val_dir=bench / "val", seed=seed
        )
        save_prepared(prepare(data, settings, seed, score_with_pairs=False, folder=folder), folder)
    return load_prepared(folder)


def _measured(picture: Picture, validation: Pairs) -> dict[str, Any]:
    """Mean scores of a rendering over all pairs, and the artefact verdict."""
    results, numbers = [], []
    for at in range(len(validation)):
        pair = validation[at]
        with torch.no_grad():
            rendered = to_8_bit(picture(pair.raw))[0]
        results.append((rendered, pair.photo))
        numbers.append(artefacts_of(rendered, render_image(pair.raw, "bilinear")))
    scores = mean_scores(results)
    means = {name: round(float(getattr(scores, name)), 4) for name in ("psnr", "ssim", "delta_e00")}
    return {**means, "artefacts": artefact_report(numbers)["verdict"]}


def _print_means(rows: list[dict[str, Any]]) -> None:
    groups: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for row in rows:
        groups.setdefault((row["variant"], row.get("architecture", "")), []).append(row)
    print("variant | network | PSNR dB | SSIM | CIEDE2000 | artefacts | trainings")
    for (variant, architecture), members in groups.items():
        cells = [_mean_and_spread([row[name] for row in members]) for name in ("psnr", "ssim", "delta_e00")]
        verdicts = ", ".join(sorted({str(row["artefacts"]) for row in members}))
        print(" | ".join([variant, architecture, *cells, verdicts, str(len(members))]))


def _mean_and_spread(values: list[float]) -> str:
    spread = f" ± {statistics.stdev(values):.3f}" if len(values) > 1 else ""
    return f"{statistics.mean(values):.3f}{spread}"


def _lines(path: Path | None) -> list[dict[str, Any]]:
    if path is None or not path.is_file():
        return []
    return [json.loads(line) for line in path.read_text().splitlines()]


def _emit(row: dict[str, Any], path: Path | None) -> None:
    line = json.dumps(row)
    print(line, flush=True)
    if path is not None:
        with path.open("a") as file:
            file.write(line + "\n")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("bench", type=Path)
    parser.add_argument("--variants", nargs="+", default=["default", "arhire2025"], choices=list(VARIANTS), metavar="V")
    parser.add_argument("--architectures", nargs="+", default=["efficient-isp"], choices=list(PUBLISHED))
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2])
    parser.add_argument("--warm-steps", type=int, default=load_recipe("default").train.warm_start.steps)
    parser.add_argument("--steps", type=int, default=load_recipe("default").train.steps)
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--patch", type=int, default=128)
    parser.add_argument("--features", default="lite")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("-o", "--output", type=Path, help="JSON lines; continued")
    parser.add_argument("--runs", type=Path, help="keep data, histories and scores here")
    return parser.parse_args()


if __name__ == "__main__":
    main()
