"""Fixtures that several parts share, and how the tests are divided among processes."""

import os
from collections import Counter
from pathlib import Path

import pytest

# Tests train tiny networks in one process a core: more threads would only wait for each other.
os.environ.setdefault("OMP_NUM_THREADS", "1")


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Folder of the real data that is not part of the project; the test is skipped where it is absent."""
    root = Path(os.environ.get("NAS_ISP_SHARED", Path(__file__).resolve().parents[2] / "shared")) / "data"
    if not root.is_dir():
        pytest.skip(f"no real data at {root}; set NAS_ISP_SHARED to the folder that holds data/")
    return root


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Divide the tests among processes: a file stays in one piece, for its fixtures; those with slow tests go first."""
    if not config.getoption("loadgroup", default=False):  # what a process of `--dist loadgroup` is told
        return
    slow_tests: Counter[str] = Counter()
    for item in items:
        if item.get_closest_marker("xdist_group") is None:
            item.add_marker(pytest.mark.xdist_group(str(item.path)))
        slow_tests[_group(item)] += item.get_closest_marker("slow") is not None
    items.sort(key=lambda item: -slow_tests[_group(item)])


def _group(item: pytest.Item) -> str:
    marker = item.get_closest_marker("xdist_group")
    assert marker is not None
    return str(marker.args[0])
