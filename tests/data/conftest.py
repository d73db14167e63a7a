"""Small folders of RAW and photos to cut from."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

Writer = Callable[..., Path]


@pytest.fixture
def write_mosaic() -> Writer:
    """Writes a mosaic PNG and the `sensor.json` beside it."""

    def write(path: Path, mosaic: np.ndarray, cfa: str = "RGGB", black: object = 64, white: int = 1023) -> Path:
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(mosaic.astype(np.uint16)).save(path)
        (path.parent / "sensor.json").write_text(json.dumps({"cfa": cfa, "black": black, "white": white}))
        return path

    return write


@pytest.fixture
def write_photo() -> Writer:
    """Writes a photo PNG."""

    def write(path: Path, pixels: np.ndarray) -> Path:
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels.astype(np.uint8)).save(path)
        return path

    return write


@pytest.fixture
def noise() -> Callable[..., np.ndarray]:
    """Random whole numbers of a shape, the same every time."""

    def draw(*shape: int, low: int = 64, high: int = 1024, seed: int = 0) -> np.ndarray:
        return np.random.default_rng(seed).integers(low, high, shape)

    return draw
