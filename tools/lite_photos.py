"""The photos that `lite` is trained on and those kept apart, and crops of them."""

from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor

FOLDERS = ("kodak", "gb82", "clic2025")
CROP = 96


def split_photos(root: Path) -> tuple[list[Path], list[Path]]:
    """Photos for training and photos kept apart: of every folder, the third of each five in order of name."""
    train: list[Path] = []
    held_out: list[Path] = []
    for folder in FOLDERS:
        for index, path in enumerate(sorted((root / folder).glob("*.png"))):
            (held_out if index % 5 == 2 else train).append(path)
    if not train or not held_out:
        raise SystemExit(f"no photos in {root}/{{{','.join(FOLDERS)}}}: give the folder that holds these")
    return train, held_out


def load_photo(path: Path) -> Tensor:
    """uint8 (3, H, W)."""
    with Image.open(path) as image:
        return torch.from_numpy(np.asarray(image.convert("RGB")).copy()).permute(2, 0, 1).contiguous()


def random_crop(photos: list[Tensor], rng: np.random.Generator) -> Tensor:
    """A crop (3, CROP, CROP), 0..1, of a random photo: shrunk by up to 5, mirrored and turned at random."""
    photo = photos[rng.integers(len(photos))]
    largest = min(photo.shape[1], photo.shape[2], 5 * CROP)
    side = round(CROP * (largest / CROP) ** float(rng.uniform()))
    top, left = (int(rng.integers(length - side + 1)) for length in photo.shape[1:])
    crop = _resized(photo[:, top : top + side, left : left + side])
    if rng.uniform() < 0.5:
        crop = crop.flip(2)
    return crop.rot90(int(rng.integers(4)), dims=(1, 2)).contiguous()


def fixed_crops(photo: Tensor) -> list[Tensor]:
    """Four crops (3, CROP, CROP), 0..1: the middle at three scales, and one corner at the photo's own."""
    shortest = min(photo.shape[1], photo.shape[2])
    crops = []
    for side in (CROP, 2 * CROP, min(5 * CROP, shortest)):
        top, left = ((length - side) // 2 for length in photo.shape[1:])
        crops.append(_resized(photo[:, top : top + side, left : left + side]))
    return [*crops, _resized(photo[:, :CROP, :CROP])]


def _resized(crop: Tensor) -> Tensor:
    image = crop[None].float() / 255
    return F.interpolate(image, size=(CROP, CROP), mode="bilinear", antialias=True, align_corners=False)[0].clamp(0, 1)
