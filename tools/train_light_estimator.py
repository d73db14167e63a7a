"""Trains the estimator of the light on photos run backwards through random cameras and lights; a few minutes.

    python tools/train_light_estimator.py --photos RGB_FOLDER --patches PATCH_FOLDER [-o WEIGHTS.npz]

RGB_FOLDER holds kodak/ (24 Kodak photos, free for any use), gb82/ (21 photos, CC0) and clic2025/ (3 photos, Unsplash
licence); PATCH_FOLDER patches of 53 further photos (CID22, CC BY-SA 4.0): `train/rgb` of the bench synthphone. No photo
of a bench's captures is among them. The weights replace those of the package; 3,000 numbers hold no picture.

It regresses the light's log chroma with a loss that is the angle over its expected size, from statistics that are
shifted and shaken at random: by as much as the prior is wrong, and the guesses apart from each other.
"""

import argparse
import math
import time
from pathlib import Path

import numpy as np
import torch
from light_scenes import draw_scene, load_photos
from PIL import Image
from torch import Tensor, nn

from nas_isp.files import whole_file
from nas_isp.raw.light_estimator import HIDDEN, INPUTS, WEIGHTS_FILE, network_input
from nas_isp.raw.light_statistics import COLORS, light_statistics

BATCH = 256
LEARNING_RATE, WEIGHT_DECAY, DROPOUT = 3e-3, 0.1, 0.3
PRIOR_OFF = (0.03, 0.3)
"""Standard deviation of the prior's error, log-uniform."""

SHAKEN = 0.1
COLOR_SCALE = 0.35
DEVIATION_OF_SCALE = math.sqrt(4.5)
"""Of a radial exponential with scale s in the plane, centerd over three colors, a component's is so many s."""


def main() -> None:
    """Draw scenes, train, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--photos", type=Path, required=True)
    parser.add_argument("--patches", type=Path)
    parser.add_argument("--scenes", type=int, default=8000)
    parser.add_argument("--steps", type=int, default=2500)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("-o", "--output", type=Path, default=WEIGHTS_FILE)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    start = time.monotonic()
    inputs, lights = scenes(load_photos(arguments.photos, arguments.patches), arguments.scenes, arguments.seed)
    print(f"{len(inputs)} scenes in {time.monotonic() - start:.0f} s", flush=True)
    start = time.monotonic()
    weights = trained(inputs, lights, arguments.steps, arguments.seed)
    with whole_file(arguments.output) as target, target.open("wb") as file:
        np.savez_compressed(file, **weights)
    print(f"trained in {time.monotonic() - start:.0f} s; {sum(array.size for array in weights.values())} numbers")


def scenes(photos: list[list[Image.Image]], count: int, seed: int) -> tuple[Tensor, Tensor]:
    """Inputs of the network `(N, INPUTS)`, the camera's daylight being the prior, and the lights `(N, 2)`."""
    rng = np.random.default_rng(seed)
    inputs, lights = [], []
    for _ in range(count):
        scene = draw_scene(photos[rng.integers(len(photos))], rng)
        statistics = light_statistics(scene.packed, 1.0, scene.daylight)
        if statistics is not None:
            inputs.append(network_input(statistics))
            lights.append([-math.log(scene.gains[index] / scene.daylight[index]) for index in (0, 2)])
    return torch.tensor(np.array(inputs), dtype=torch.float32), torch.tensor(lights)


def trained(inputs: Tensor, lights: Tensor, steps: int, seed: int) -> dict[str, np.ndarray]:
    """The weights by name, as the estimator reads them."""
    torch.manual_seed(seed)
    colors = 2 * COLORS
    center, scale = inputs.mean(0), inputs.std(0) + 1e-3
    center[:colors], scale[:colors] = 0, COLOR_SCALE
    network = nn.Sequential(
        *(nn.Linear(INPUTS, HIDDEN), nn.SiLU(), nn.Dropout(DROPOUT)),
        *(nn.Linear(HIDDEN, HIDDEN), nn.SiLU(), nn.Linear(HIDDEN, 3)),
    )
    optimizer = torch.optim.AdamW(network.parameters(), lr=LEARNING_RATE, weight_decay=WEIGHT_DECAY)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
    low, high = (math.log(value) for value in PRIOR_OFF)
    for _ in range(steps):
        chosen = torch.randint(len(inputs), (BATCH,))
        off = torch.randn(BATCH, 1, 2) * torch.exp(low + (high - low) * torch.rand(BATCH, 1, 1))
        batch = inputs[chosen].clone()
        batch[:, :colors] += (off + SHAKEN * torch.randn(BATCH, COLORS, 2)).flatten(1)
        predicted = network((batch - center) / scale)
        loss = _loss(predicted, lights[chosen] + off[:, 0])
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimizer.step()
        schedule.step()
    linear = [layer for layer in network if isinstance(layer, nn.Linear)]
    with torch.no_grad():
        linear[-1].bias[2] += math.log(DEVIATION_OF_SCALE)
    weights = {"center": center, "scale": scale}
    for number, layer in enumerate(linear, 1):
        weights |= {f"weight{number}": layer.weight.detach(), f"bias{number}": layer.bias.detach()}
    return {name: array.numpy().astype(np.float32) for name, array in weights.items()}


def _loss(predicted: Tensor, light: Tensor) -> Tensor:
    """Negative log-likelihood of the error in log color, less its part along brightness: nearly the angle."""
    red, blue = (predicted[:, :2] - light).unbind(1)
    error = torch.stack((red, torch.zeros_like(red), blue), 1)
    squared = (error - error.mean(1, keepdim=True)).square().sum(1)
    return ((squared + 1e-4).sqrt() / predicted[:, 2].exp() + 2 * predicted[:, 2]).mean()


if __name__ == "__main__":
    main()
