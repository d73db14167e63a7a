"""Trains the feature network `lite` by regressing SqueezeNet's features, and reports how well the two agree.

    python tools/train_lite_features.py --photos RGB_FOLDER --weights-dir WEIGHTS_FOLDER

RGB_FOLDER holds kodak/, gb82/ and clic2025/; WEIGHTS_FOLDER holds SqueezeNet's file. The weights replace those of
the package; the report goes to stdout. With `--evaluate` nothing is trained: 1x1 heads are fitted to the packaged
weights by least squares, and the report follows.
"""

import argparse
import sys
import time
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from lite_agreement import MATCHED, Whitening, measure_whitening, report_distances, report_regression
from lite_distortions import distort
from lite_photos import load_photo, random_crop, split_photos
from safetensors.torch import save_file
from torch import Tensor, nn

from nas_isp.files import whole_file
from nas_isp.perceptual.features import load_features
from nas_isp.perceptual.lite import WEIGHTS_FILE, unfilled_lite
from nas_isp.perceptual.network import FeatureNetwork

PAIRS = 8
PEAK_LEARNING_RATE = 2e-3
CONTEXT_LAYER = "fire9"
SHALLOW_SUBSAMPLING = 2
COSINE_WEIGHT, DISTANCE_WEIGHT, VARIANCE_WEIGHT, CONTEXT_WEIGHT = 0.5, 0.5, 0.02, 0.25


def main() -> None:
    """Train (unless told otherwise), then report."""
    arguments = _arguments()
    torch.manual_seed(arguments.seed)
    torch.set_num_threads(1)
    rng = np.random.default_rng(arguments.seed)
    train_files, held_out_files = split_photos(arguments.photos)
    photos = [load_photo(path) for path in train_files]
    teacher = load_features("squeezenet", arguments.weights_dir)
    whitening = measure_whitening(teacher, _crops(photos, 256, rng))
    if not arguments.evaluate:
        student = _train(photos, teacher, whitening, arguments.steps, rng)
        _scale_to_unit_variance(student, _crops(photos, 256, rng))
        _save(
            student, arguments.output, f"tools/train_lite_features.py --steps {arguments.steps} --seed {arguments.seed}"
        )
    student = load_features("lite") if arguments.evaluate else student
    student.requires_grad_(False)
    heads = _fitted_heads(student, teacher, whitening, _batch(photos, 128, rng))
    held_out = [load_photo(path) for path in held_out_files]
    print(
        f"{len(train_files)} photos to train on, {len(held_out)} held out: {' '.join(p.stem for p in held_out_files)}\n"
    )
    print("\n".join(report_regression(student, teacher, heads, whitening, held_out)), "\n")
    print("\n".join(report_distances(student, teacher, held_out)))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--photos", type=Path, required=True, help="folder with kodak/, gb82/ and clic2025/")
    parser.add_argument("--weights-dir", type=Path, required=True, help="folder with SqueezeNet's weights")
    parser.add_argument("--steps", type=int, default=1600)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--output", type=Path, default=WEIGHTS_FILE)
    parser.add_argument("--evaluate", action="store_true", help="report on the packaged weights, train nothing")
    return parser.parse_args()


def _train(
    photos: list[Tensor], teacher: FeatureNetwork, whitening: Whitening, steps: int, rng: np.random.Generator
) -> FeatureNetwork:
    student = unfilled_lite().requires_grad_(True)
    heads = _new_heads(student, teacher)
    weights = [*student.parameters(), *heads.parameters()]
    optimizer = torch.optim.AdamW(weights, lr=PEAK_LEARNING_RATE, weight_decay=1e-4)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, PEAK_LEARNING_RATE, total_steps=steps, pct_start=0.05)
    start = time.monotonic()
    for step in range(1, steps + 1):
        loss, parts = _loss(student, teacher, heads, whitening, _batch(photos, PAIRS, rng))
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(weights, 2.0)
        optimizer.step()
        schedule.step()
        if step % 50 == 0 or step == steps:
            shown = " ".join(f"{name} {value:.3f}" for name, value in parts.items())
            print(f"step {step}/{steps} {time.monotonic() - start:.0f} s: {shown}", file=sys.stderr, flush=True)
    return student


def _loss(
    student: FeatureNetwork, teacher: FeatureNetwork, heads: nn.ModuleDict, whitening: Whitening, images: Tensor
) -> tuple[Tensor, dict[str, float]]:
    """Regression of whitened features, and agreement on how far each photo is from its distorted version.

    The first half of `images` (2 x pairs, 3, H, W) are photos, the second half the same ones distorted.
    """
    with torch.no_grad():
        seen = teacher(images)
    own = student(images)
    total = torch.zeros(())
    parts = {}
    for layer, target in MATCHED.items():
        every = SHALLOW_SUBSAMPLING if layer == "shallow" else 1
        features, others = own[layer][:, :, ::every, ::every], seen[target][:, :, ::every, ::every]
        truth, guess = whitening(target, others), heads[layer](features)
        error = _relative_error(guess, truth)
        angle = 1 - F.cosine_similarity(guess, truth, dim=1).mean()
        spread = (_log_distance(features) - _log_distance(others)).var()
        evenness = (features[: len(images) // 2].var(dim=(0, 2, 3)) + 1e-3).log().square().mean()
        total = total + error + COSINE_WEIGHT * angle + DISTANCE_WEIGHT * spread + VARIANCE_WEIGHT * evenness
        parts |= {f"{layer} error": error.item(), f"{layer} spread": spread.item()}
    context = heads[CONTEXT_LAYER](F.avg_pool2d(own["deep"], 2))
    context_error = _relative_error(context, whitening(CONTEXT_LAYER, seen[CONTEXT_LAYER]))
    return total + CONTEXT_WEIGHT * context_error, parts | {"context error": context_error.item()}


def _relative_error(guess: Tensor, truth: Tensor) -> Tensor:
    """Squared error in units of each image's own energy, so that a few wild distortions do not drown the rest."""
    energy = truth.square().mean(dim=(1, 2, 3)) + 0.3
    return ((guess - truth).square().mean(dim=(1, 2, 3)) / energy).mean()


def _log_distance(features: Tensor) -> Tensor:
    """(pairs,): logarithm of the distance between first and second half of a batch, as `feature_distance` has it."""
    directions = F.normalize(features, dim=1, eps=1e-3)
    photos, distorted = directions.chunk(2)
    return ((photos - distorted).square().sum(dim=1).mean(dim=(1, 2)) + 1e-4).log()


def _new_heads(student: FeatureNetwork, teacher: FeatureNetwork) -> nn.ModuleDict:
    heads = {layer: nn.Conv2d(student.channels[layer], teacher.channels[to], 1) for layer, to in MATCHED.items()}
    heads[CONTEXT_LAYER] = nn.Conv2d(student.channels["deep"], teacher.channels[CONTEXT_LAYER], 1)
    return nn.ModuleDict(heads)


def _fitted_heads(
    student: FeatureNetwork, teacher: FeatureNetwork, whitening: Whitening, images: Tensor
) -> nn.ModuleDict:
    """The best 1x1 heads for a given student, by least squares over images that belong to the training photos."""
    heads = _new_heads(student, teacher).requires_grad_(False)
    own, seen = student(images), teacher(images, tuple(MATCHED.values()))
    for layer, target in MATCHED.items():
        inputs = own[layer].permute(0, 2, 3, 1).reshape(-1, student.channels[layer])
        inputs = torch.cat([inputs, torch.ones(len(inputs), 1)], dim=1).double()
        outputs = whitening(target, seen[target]).permute(0, 2, 3, 1).reshape(len(inputs), -1).double()
        ridge = 1e-6 * len(inputs) * torch.eye(inputs.shape[1], dtype=torch.float64)
        solution = torch.linalg.solve(inputs.T @ inputs + ridge, inputs.T @ outputs).float()
        heads[layer].weight.copy_(solution[:-1].T[:, :, None, None])
        heads[layer].bias.copy_(solution[-1])
    return heads


def _scale_to_unit_variance(student: FeatureNetwork, images: Tensor) -> None:
    """Give every channel of every layer variance 1 over `images`; the next stage takes the factor back."""
    student.requires_grad_(False)
    scales = {layer: 1 / features.std(dim=(0, 2, 3)).clamp(min=1e-2) for layer, features in student(images).items()}
    undo = torch.ones(3)
    for layer in student.layers:
        stage = student.stages[layer]
        convolutions = [part for part in stage.modules() if isinstance(part, nn.Conv2d)]
        convolutions[0].weight.mul_(undo.view(1, -1, 1, 1))
        convolutions[-1].weight.mul_(scales[layer].view(-1, 1, 1, 1))
        convolutions[-1].bias.mul_(scales[layer])
        undo = 1 / scales[layer]


def _crops(photos: list[Tensor], count: int, rng: np.random.Generator) -> Tensor:
    return torch.stack([random_crop(photos, rng) for _ in range(count)])


def _batch(photos: list[Tensor], pairs: int, rng: np.random.Generator) -> Tensor:
    """(2 x pairs, 3, CROP, CROP): photos, then the same ones distorted."""
    clean = _crops(photos, pairs, rng)
    return torch.cat([clean, torch.stack([distort(crop, rng) for crop in clean])])


def _save(student: FeatureNetwork, path: Path, origin: str) -> None:
    weights = {name: weight.contiguous() for name, weight in student.state_dict().items()}
    with whole_file(path) as part:
        save_file(weights, part, metadata={"trained_by": origin, "teacher": "SqueezeNet v1.1, Caffe release"})


if __name__ == "__main__":
    main()
