"""What several tests of the search share: studies on a simulated device with simulated training."""

import json
from pathlib import Path

from nas_isp.recipe import load_recipe
from nas_isp.search.budget import Budget, Stopwatch
from nas_isp.search.config import StudyConfig
from nas_isp.search.driver import Driver
from nas_isp.search.proposer import Proposer
from nas_isp.search.records import TrialRecord
from nas_isp.search.simulated import SimulatedCostModel, SimulatedEvaluator
from nas_isp.search.space import load_space
from nas_isp.search.study import Study
from nas_isp.search.workers import InlinePool, TrialEvaluator, WorkerPool

STEPS = [4, 12]


def config(**changes: object) -> StudyConfig:
    """Settings of a small simulated study."""
    given = {"program": "test", "device": "simulated", "recipe": load_recipe("default"), "space": load_space("tiny")}
    return StudyConfig.model_validate(given | changes)


class Notes:
    """A callback that remembers."""

    def __init__(self) -> None:
        self.notes: list[str] = []
        self.ended: list[TrialRecord] = []

    def note(self, text: str) -> None:
        self.notes.append(text)

    def finished(self, record: TrialRecord, study: Study) -> None:
        self.ended.append(record)

    def tick(self, study: Study, running: int, stopwatch: Stopwatch) -> None:
        return None


def proposer_of(study: Study, cost_model: SimulatedCostModel | None = None) -> Proposer:
    """The proposer of an opened study."""
    return Proposer(study, cost_model or SimulatedCostModel())


def search(
    folder: Path,
    budget: Budget,
    settings: StudyConfig | None = None,
    evaluator: TrialEvaluator | None = None,
    pool: WorkerPool | None = None,
    stopwatch: Stopwatch | None = None,
    callback: Notes | None = None,
) -> Study:
    """Begin or go on with a study until the budget is used up."""
    study = Study.begin(folder, settings or config())
    try:
        driver = Driver(
            study,
            proposer_of(study),
            pool or InlinePool(evaluator or SimulatedEvaluator()),
            STEPS,
            stopwatch or Stopwatch(budget),
            callback or Notes(),
        )
        driver.run()
    finally:
        study.close()
    return study


def steps_trained(study: Study, trial: int) -> list[int]:
    """The steps that were trained for a trial, in order, over all runs."""
    lines = (study.trial_folder(trial) / "history.jsonl").read_text().splitlines()
    return [json.loads(line)["step"] for line in lines]
