"""Programs that run exported files in other Pythons than that of the tests."""

import json
import subprocess
import sys
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

ROOT = Path(__file__).resolve().parents[2]
BOARD_PROGRAM = ROOT / "examples" / "linux_board" / "develop.py"
FLOATS_PROGRAM = Path(__file__).with_name("run_on_floats.py")
SIZE = (64, 96)
"""Packed rows and columns."""

RUN_EACH = """
import json, runpy, sys
for sys.argv in json.loads(sys.argv[1]):
    runpy.run_path(sys.argv[0], run_name="__main__")
"""


@cache
def set_up(script: str, folder: str) -> Path:
    """The folder in which a script of tools/ has set up other Pythons; skips where it cannot."""
    made = subprocess.run(
        [ROOT / "tools" / script, ROOT / folder, sys.executable],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    if made.returncode:
        reason = (made.stderr.strip().splitlines() or ["no reason given"])[-1]
        pytest.skip(f"tools/{script} did not succeed here: {reason}")
    return ROOT / folder


def run_programs(python: Path | str, *calls: list[Path | str]) -> None:
    """Run programs with their arguments, one after another in one process: an emulated one takes seconds to start."""
    arguments = json.dumps([[str(part) for part in call] for call in calls])
    subprocess.run([python, "-c", RUN_EACH, arguments], check=True, timeout=120)


def grbg_mosaic() -> NDArray[np.uint16]:
    """A smooth scene of GRBG sensor values, as a board's camera gives it; red and even sides leave SIZE."""
    y, x = np.mgrid[0 : 2 * SIZE[0], 0 : 2 * SIZE[1] + 2]
    scene = 300 + 200 * np.sin(x / 17) + 150 * np.cos(y / 11) + np.random.default_rng(0).normal(0, 5, x.shape)
    return np.clip(scene, 64, 1023).astype(np.uint16)
