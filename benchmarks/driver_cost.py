"""Measures what a search costs beyond its training: seconds of the driver a trial, with trainings that take no time.

Run: python benchmarks/driver_cost.py [--trials 60] [--device pixel4-gpu] [--sampler tpe]
Prints one JSON object: `ms_per_trial`, to stay under 50, is all time of the driver, `cpu_ms_per_trial` its processor
time (the one to trust on a busy machine), and `idle_ms_per_trial` the part for which a worker waits.
"""

import argparse
import json
import tempfile
import time
from pathlib import Path

from nas_isp.recipe import load_recipe
from nas_isp.search.budget import Budget, Stopwatch
from nas_isp.search.config import StudyConfig
from nas_isp.search.cost_model import CostModel, TableCostModel
from nas_isp.search.driver import Driver
from nas_isp.search.journal import SAMPLERS
from nas_isp.search.progress import LineProgress
from nas_isp.search.proposer import Proposer
from nas_isp.search.records import TrialRecord
from nas_isp.search.simulated import SIMULATED, SimulatedCostModel, SimulatedEvaluator
from nas_isp.search.space import load_space
from nas_isp.search.study import Study
from nas_isp.search.workers import InlinePool, RungResult, RungTask

STEPS = [4, 12]


class TimedPool(InlinePool):
    """Adds up the time of the simulated trainings, and that between the end of a stage and the next submission."""

    trained_s = 0.0
    trained_cpu_s = 0.0
    idle_s = 0.0
    _ended_at: float | None = None

    def submit(self, stage: RungTask) -> None:
        if self._ended_at is not None:
            self.idle_s += time.perf_counter() - self._ended_at
            self._ended_at = None
        super().submit(stage)

    def wait(self, timeout_s: float) -> list[RungResult]:
        began, cpu = time.perf_counter(), time.process_time()
        results = super().wait(timeout_s)
        self._ended_at = time.perf_counter()
        self.trained_s += self._ended_at - began
        self.trained_cpu_s += time.process_time() - cpu
        return results


class Silent(LineProgress):
    """Says nothing."""

    def finished(self, record: TrialRecord, study: Study) -> None:
        return None


def measure(folder: Path, trials: int, device: str, sampler: str) -> dict[str, float | int | str]:
    """Search `trials` trials and give the driver's share of the time."""
    cost_model: CostModel = SimulatedCostModel() if device == SIMULATED else TableCostModel(device)
    settings = StudyConfig.model_validate(
        {
            "program": "benchmark",
            "device": device,
            "sampler": sampler,
            "recipe": load_recipe("default"),
            "space": load_space("mobile"),
        }
    )
    cost_model.size(settings.space.anchors[0])
    study = Study.begin(folder / "study", settings)
    pool = TimedPool(SimulatedEvaluator())
    proposer = Proposer(study, cost_model)
    began, cpu = time.perf_counter(), time.process_time()
    Driver(study, proposer, pool, STEPS, Stopwatch(Budget(trials=trials)), Silent()).run()
    driver_s = time.perf_counter() - began - pool.trained_s
    driver_cpu_s = time.process_time() - cpu - pool.trained_cpu_s
    return {
        "trials": trials,
        "device": device,
        "sampler": sampler,
        "ms_per_trial": round(1000 * driver_s / trials, 1),
        "cpu_ms_per_trial": round(1000 * driver_cpu_s / trials, 1),
        "idle_ms_per_trial": round(1000 * pool.idle_s / trials, 1),
    }


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trials", type=int, default=60)
    parser.add_argument("--device", default="pixel4-gpu")
    parser.add_argument("--sampler", default="tpe", choices=sorted(SAMPLERS))
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        print(json.dumps(measure(Path(folder), given.trials, given.device, given.sampler)))


if __name__ == "__main__":
    main()
