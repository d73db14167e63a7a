"""Fixtures that several parts share."""

import os
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Folder of the real data that is not part of the project; the test is skipped where it is absent."""
    root = Path(os.environ.get("NAS_ISP_SHARED", Path(__file__).resolve().parents[2] / "shared")) / "data"
    if not root.is_dir():
        pytest.skip(f"no real data at {root}; set NAS_ISP_SHARED to the folder that holds data/")
    return root
