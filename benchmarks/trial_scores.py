"""Trains networks as a search's trials do and scores them from early to late, for `benchmarks/score_agreement.py`.

Run: python benchmarks/trial_scores.py BENCH -o RUNS [--architectures efficient-isp robust-isp mobile:8] [--seed 0]
     [--recipe default] [--checkpoints 8] [--again]

BENCH holds `train/raw`, `train/rgb` (other scenes) and `val/raw`, `val/rgb` (pairs, which give the PSNR beside each
score and choose nothing). `SPACE:N` stands for N random members of a search space. `--seed` draws the members, the
batches and the fitted camera, as in a search of that seed. Every training is a folder of RUNS with
`architecture.json`, `scores.jsonl`, a line a checkpoint, and the weights of each; those that are complete are not
repeated, a broken one goes on. `--again` scores the kept weights anew, after the score has changed.
"""

import argparse
import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file, save_file

from nas_isp.data.patches import load_unpaired
from nas_isp.files import write_whole
from nas_isp.generators.architecture import ARCHITECTURE, Architecture
from nas_isp.generators.build import assemble
from nas_isp.generators.published import PUBLISHED
from nas_isp.perceptual.features import load_features
from nas_isp.preparation.prepare import prepare
from nas_isp.preparation.prepared import Prepared
from nas_isp.preparation.prepared_files import load_prepared, save_prepared
from nas_isp.recipe import TrainSettings, load_recipe
from nas_isp.search.space import load_space
from nas_isp.training.scoring import score
from nas_isp.training.trainer import Trainer, TrainingDiverged
from nas_isp.training.training_run import TrainingRun

FIRST_SHARE = 0.04
"""Of a training's steps at its first checkpoint; the others follow at equal ratios."""


def main() -> None:
    arguments = _arguments()
    torch.set_num_threads(arguments.threads)
    settings = load_recipe(arguments.recipe).trial_train()
    prepared = _prepared(arguments.bench, settings, arguments.output / "data", arguments.seed)
    if arguments.again:
        _score_again(arguments.output, prepared, settings)
        return
    total = settings.warm_start.steps + settings.steps
    steps = [round(step) for step in np.geomspace(FIRST_SHARE * total, total, arguments.checkpoints)]
    for name, architecture in _named(arguments.architectures, arguments.seed):
        print(
            name, *_scored(architecture, prepared, settings, arguments.output / name, arguments.seed, steps), flush=True
        )


def _scored(
    architecture: Architecture, prepared: Prepared, settings: TrainSettings, folder: Path, seed: int, steps: list[int]
) -> list[str]:
    """Train up to each step and score there; the PSNR of each."""
    file = folder / "scores.jsonl"
    rows = [json.loads(line) for line in file.read_text().splitlines()] if file.is_file() else []
    if len(rows) < len(steps):
        trainer = Trainer(architecture, prepared, settings, TrainingRun(folder, seed))
        rows = [row for row in rows if row["step"] <= trainer.step]
        (folder / "architecture.json").write_text(architecture.to_json())
        try:
            for step in steps[len(rows) :]:
                trainer.advance(step)
                outcome = trainer.score()
                rows.append({"step": outcome.step, **outcome.to_dict()})
                weights = {name: value.contiguous() for name, value in trainer.chosen().state_dict().items()}
                save_file(weights, folder / f"step-{step:06d}.safetensors")
                trainer.scores.append(rows[-1])
                trainer.save()
        except TrainingDiverged as error:
            return [str(error)]
        (folder / "checkpoint.pt").unlink()
    return [f"{row['psnr']:.2f}" for row in rows]


def _score_again(output: Path, prepared: Prepared, settings: TrainSettings) -> None:
    """Write every `scores.jsonl` anew from the kept weights."""
    kind, device = prepared.scoring.chosen_score(settings.score), torch.device("cpu")
    features = load_features(settings.score_features)
    for file in sorted(output.glob("*/architecture.json")):
        network = assemble(ARCHITECTURE.validate_json(file.read_text())).eval()
        rows = []
        for weights in sorted(file.parent.glob("step-*.safetensors")):
            network.load_state_dict(load_file(weights))
            step = int(weights.stem.removeprefix("step-"))
            rows.append({"step": step, **score(network, prepared.scoring, features, step, device, kind).to_dict()})
        write_whole(file.with_name("scores.jsonl"), "".join(json.dumps(row) + "\n" for row in rows))
        print(file.parent.name, *(f"{row['psnr']:.2f}" for row in rows), flush=True)


def _named(wanted: list[str], seed: int) -> Iterator[tuple[str, Architecture]]:
    for name in wanted:
        if name in PUBLISHED:
            yield name, PUBLISHED[name]
        else:
            space, _, members = name.rpartition(":")
            generator = np.random.default_rng(seed)
            for index in range(int(members)):
                yield f"{space}-{seed}-{index}", load_space(space).sample(generator)


def _prepared(bench: Path, settings: TrainSettings, folder: Path, seed: int) -> Prepared:
    if not (folder / "prepared.json").is_file():
        data = load_unpaired(
            bench / "train/raw", bench / "train/rgb", folder, settings.patch, val_dir=bench / "val", seed=seed
        )
        save_prepared(prepare(data, settings, seed, score_with_pairs=False, folder=folder), folder)
    return load_prepared(folder)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("bench", type=Path)
    parser.add_argument("-o", "--output", type=Path, required=True, help="folder of the trainings; continued")
    parser.add_argument(
        "--architectures", nargs="+", default=["efficient-isp", "robust-isp", "mobile:8"], help="names, or SPACE:N"
    )
    parser.add_argument("--recipe", default="default")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--checkpoints", type=int, default=8, help="scored a training")
    parser.add_argument("--again", action="store_true", help="score kept weights anew instead of training")
    parser.add_argument("--threads", type=int, default=1)
    return parser.parse_args()


if __name__ == "__main__":
    main()
