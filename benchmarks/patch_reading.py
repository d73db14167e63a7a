"""Measures what reading patches costs against training on them: cutting once, then batches from memory-mapped files.

Run: python benchmarks/patch_reading.py [--patches 10000] [--files 100] [--patch 256] [--compute cpu]
Makes RAW mosaics (16-bit PNG) and photos (JPEG) in a temporary folder, cuts the patches, and prints one JSON object:
seconds to cut, `read_ms` a batch (RAW and photos through the sampler, scaled, on the device), `step_ms` of the cheapest
training step there is (EfficientISP, L1, Adam) on the same batch in the same run, `read_share`, their ratio, and
`decode_ms`, what the batch would cost if each of its patches were decoded from its picture instead.
"""

import argparse
import json
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import numpy as np
import torch
from PIL import Image

from nas_isp.data.patches import UnpairedData, UnpairedSampler, load_unpaired
from nas_isp.data.photos import read_photo
from nas_isp.generators.build import build
from nas_isp.generators.published import PUBLISHED
from nas_isp.raw.mosaic_files import write_mosaic_png
from nas_isp.raw.readers import read_raw
from nas_isp.raw.sensor import SensorDescription

SENSOR = SensorDescription(name="synthetic", cfa="RGGB", bits=10, black=64, white=1023)
BATCHES = (8, 32)
T = TypeVar("T")


def main() -> None:
    """Make, cut, read and train; print the times."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--patches", type=int, default=10_000, help="of each side")
    parser.add_argument("--files", type=int, default=100, help="mosaics, and photos")
    parser.add_argument("--patch", type=int, default=256, help="side in pixels")
    parser.add_argument("--repeats", type=int, default=20, help="batches that are timed")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--compute", default="cpu")
    settings = parser.parse_args()
    torch.set_num_threads(settings.threads)
    device = torch.device(settings.compute)
    with tempfile.TemporaryDirectory(prefix="patch-reading-") as scratch:
        folder = Path(scratch)
        _make_pictures(folder, settings.files, settings.patches // settings.files, settings.patch)
        data, cut_s = _timed(lambda: _load(folder, settings.patch, settings.patches))
        _, open_s = _timed(lambda: _load(folder, settings.patch, settings.patches))
        result = {
            "raw_patches": len(data.raw),
            "photo_patches": len(data.photos),
            "patch": settings.patch,
            "device": str(device),
            "threads": settings.threads,
            "cut_s": round(cut_s, 2),
            "open_again_s": round(open_s, 3),
            "batches": {str(size): _batch_times(data, folder, size, settings.repeats, device) for size in BATCHES},
        }
    print(json.dumps(result, indent=2))


def _make_pictures(folder: Path, count: int, patches_each: int, patch: int) -> None:
    """Smooth shapes with noise, just large enough for their patches at half overlap."""
    across = int(np.ceil(np.sqrt(patches_each)))
    side = patch * (across + 1) // 2 // 2 * 2
    for name in ("raw", "rgb"):
        (folder / name).mkdir()
    (folder / "raw" / "sensor.json").write_text(SENSOR.model_dump_json())
    rng = np.random.default_rng(0)
    for number in range(count):
        small = Image.fromarray(rng.integers(0, 256, (12, 12, 3), dtype=np.uint8))
        picture = np.asarray(small.resize((side, side), Image.Resampling.BICUBIC))
        Image.fromarray(picture).save(folder / "rgb" / f"photo_{number:04d}.jpg", quality=90)
        mosaic = 64 + 3 * picture[..., 1].astype(np.float32) + rng.normal(0, 6, (side, side)).astype(np.float32)
        write_mosaic_png(folder / "raw" / f"shot{number:04d}.png", np.clip(mosaic, 0, 1023).astype(np.uint16))


def _load(folder: Path, patch: int, limit: int) -> UnpairedData:
    return load_unpaired(folder / "raw", folder / "rgb", folder / "cache", patch, limit=limit)


def _batch_times(data: UnpairedData, folder: Path, size: int, repeats: int, device: torch.device) -> dict[str, float]:
    sampler = UnpairedSampler(len(data.raw), len(data.photos), size, seed=0)
    net = build(PUBLISHED["efficient-isp"]).to(device)
    optimizer = torch.optim.Adam(net.parameters(), 5e-4)

    def read(step: int) -> tuple[torch.Tensor, torch.Tensor]:
        raw_indices, photo_indices = sampler.indices(step)
        packed = data.raw.tensor(raw_indices, device)
        return packed, data.photos.tensor(photo_indices, device, sampler.flips(step))

    def train(packed: torch.Tensor, photos: torch.Tensor) -> None:
        optimizer.zero_grad(set_to_none=True)
        torch.nn.functional.l1_loss(net(packed), photos).backward()
        optimizer.step()

    reads, steps = [], []
    for step in range(repeats + 2):
        batch, read_s = _timed(lambda step=step: _finished(read(step), device))
        _, step_s = _timed(lambda batch=batch: _finished(train(*batch), device))
        reads.append(read_s)
        steps.append(step_s)
    _, decode_s = _timed(lambda: _decode(folder, data, sampler))
    read_ms, step_ms = (1000 * statistics.median(times[2:]) for times in (reads, steps))
    return {
        "read_ms": round(read_ms, 2),
        "step_ms": round(step_ms, 2),
        "read_share": round(read_ms / step_ms, 3),
        "decode_ms": round(1000 * decode_s, 1),
    }


def _decode(folder: Path, data: UnpairedData, sampler: UnpairedSampler) -> None:
    raw_indices, photo_indices = sampler.indices(0)
    for index in raw_indices:
        read_raw(folder / "raw" / f"{data.raw.stems[index]}.png")
    for index in photo_indices:
        read_photo(folder / "rgb" / f"{data.photos.stems[index]}.jpg")


def _finished(value: T, device: torch.device) -> T:
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    return value


def _timed(run: Callable[[], T]) -> tuple[T, float]:
    start = time.perf_counter()
    value = run()
    return value, time.perf_counter() - start


if __name__ == "__main__":
    main()
