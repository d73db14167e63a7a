"""Whatever a file holds, a reader gives a right result or the one-line error: no traceback, no crash, no hang, no
gigabytes, nothing run, nothing touched outside. The inputs are the same in every run; failing ones are kept.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.hostile.hostile_readers import READERS, REAL_READERS, TRAPS

TESTS = Path(__file__).resolve().parents[1]
FEW, MANY, REAL = 8, 60, 20
FEW_CRAFTED, ALL_CRAFTED = 2, 10_000
SHOWN = 5


class Worker:
    """The process that reads hostile files; see `hostile_worker`."""

    def __init__(self, place: Path) -> None:
        self._log = place / "worker.log"
        self._place = place / "files"
        self._place.mkdir()
        single = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.hostile.hostile_worker", str(self._place)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log.open("w"),
            env={
                **os.environ,
                **single,
                "PYTHONPATH": str(TESTS.parent),
                "PYTHONDONTWRITEBYTECODE": "1",
                "TMPDIR": str(self._place),
                "XDG_CACHE_HOME": str(self._place),
            },
            text=True,
        )

    def attack(self, reader: str, mutants: int, crafted: int) -> dict[str, Any]:
        """Counts of inputs and of refusals, and the faults; of crafted files only so many, spread over all."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        request = {"reader": reader, "mutants": mutants, "crafted": crafted}
        print(json.dumps(request), file=self._process.stdin, flush=True)
        line = self._process.stdout.readline()
        assert line, f"the worker died: {self._log.read_text()[-2000:]}"
        answer: dict[str, Any] = json.loads(line)
        return answer

    def close(self) -> None:
        """End the process."""
        self._process.communicate(timeout=60)


@pytest.fixture(scope="module")
def worker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Worker]:
    worker = Worker(tmp_path_factory.mktemp("hostile"))
    yield worker
    worker.close()


@pytest.mark.parametrize(
    "trap", [pytest.param(trap, marks=[pytest.mark.slow] * (trap in ("hangs", "hoards"))) for trap in TRAPS]
)
def test_a_reader_that_does_wrong_is_found_out(worker: Worker, trap: str) -> None:
    answer = worker.attack(trap, 1, 0)
    assert len(answer["faults"]) == 1
    assert TRAPS[trap] in answer["faults"][0]


def _check(answer: dict[str, Any], reader: str, least: int) -> None:
    faults = answer["faults"]
    assert not faults, f"{reader}: {len(faults)} of {answer['inputs']} inputs:\n" + "\n".join(faults[:SHOWN])
    assert answer["inputs"] >= least
    assert answer["refused"] > 0 or reader == "benchmark output"


@pytest.mark.parametrize("reader", READERS)
def test_a_few_hostile_files_are_refused_or_read_right(worker: Worker, reader: str) -> None:
    _check(worker.attack(reader, FEW, FEW_CRAFTED), reader, FEW)


@pytest.mark.slow
@pytest.mark.parametrize("reader", READERS)
def test_many_hostile_files_are_refused_or_read_right(worker: Worker, reader: str) -> None:
    _check(worker.attack(reader, MANY, ALL_CRAFTED), reader, MANY)


@pytest.mark.slow
@pytest.mark.parametrize("reader", REAL_READERS)
def test_damaged_files_of_real_cameras_are_refused_or_read_right(
    worker: Worker, shared_data: Path, reader: str
) -> None:
    _check(worker.attack(reader, REAL, ALL_CRAFTED), reader, REAL)
