"""Conformance of samplers: what they suggest are members of the space, by the seed, and a search goes on with them."""

from pathlib import Path

import optuna

from nas_isp.generators.architecture import PlainArchitecture
from nas_isp.recipe import load_recipe
from nas_isp.search.budget import Budget, Stopwatch
from nas_isp.search.config import StudyConfig
from nas_isp.search.driver import Driver, SearchCallback
from nas_isp.search.proposer import Proposer
from nas_isp.search.records import TrialRecord
from nas_isp.search.samplers import SAMPLERS
from nas_isp.search.simulated import SIMULATED, SimulatedCostModel, SimulatedEvaluator, simulated_quality
from nas_isp.search.space import load_space
from nas_isp.search.study import Study
from nas_isp.search.workers import InlinePool

SPACE = "mobile"
TRIALS = 30
STEPS = [4, 12]


class SamplerConformance:
    """All that a sampler promises; Optuna's own conformance tests are in `optuna.testing.pytest_samplers`.

    Attributes:
        name: of the sampler in `SAMPLERS`.
    """

    name: str

    def test_it_suggests_members_of_a_space(self) -> None:
        """Also after some have failed, or were too slow to be trained."""
        space = load_space(SPACE)
        for architecture in self._suggested(seed=0):
            space.encode(architecture)  # refuses what is no member

    def test_its_seed_decides_what_it_suggests(self) -> None:
        """Given the same answers, so that a search can be repeated."""
        assert self._suggested(seed=3) == self._suggested(seed=3), "two runs of one seed differ"

    def test_it_does_not_keep_to_one_suggestion(self) -> None:
        """A search needs new members."""
        found = {architecture.digest() for architecture in self._suggested(seed=0)}
        assert len(found) > TRIALS // 3, f"{len(found)} different members in {TRIALS} suggestions"

    def test_a_search_goes_on_after_an_interruption(self, tmp_path: Path) -> None:
        """A second command adds trials, repeats none, and keeps the finished ones."""
        first = self._searched(tmp_path / "study", trials=8)
        second = self._searched(tmp_path / "study", trials=16)
        for trials, study in ((8, first), (16, second)):
            ended = study.counts()["complete"] + study.counts()["stopped"]
            assert ended == trials, f"{ended} of {trials} trials have ended"
        kept = {trial: second.records[trial] for trial in first.records}
        assert kept == first.records, "finished trials have changed"
        digests = [record.digest for record in second.records.values()]
        assert len(set(digests)) == len(digests), "a member was trained twice"

    def _suggested(self, seed: int) -> list[PlainArchitecture]:
        """What it suggests one after the other, told a simulated quality and latency of most of it."""
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        study = optuna.create_study(directions=["maximize", "minimize"], sampler=SAMPLERS[self.name](seed))
        space, cost_model, suggested = load_space(SPACE), SimulatedCostModel(), []
        for number in range(TRIALS):
            trial = study.ask()
            architecture = space.suggest(trial)
            suggested.append(architecture)
            if number % 7 == 3:
                study.tell(trial, state=optuna.trial.TrialState.FAIL)
            elif number % 7 == 5:
                trial.set_constraint("latency_ms", 1.0)
                study.tell(trial, state=optuna.trial.TrialState.PRUNED)
            else:
                latency_ms = cost_model.latency_ms(architecture)
                study.tell(trial, [simulated_quality(architecture, STEPS[-1]), latency_ms])
        return suggested

    def _searched(self, folder: Path, trials: int) -> Study:
        """A simulated search of so many trials in all; goes on where there is one."""
        config = StudyConfig(
            program="conformance",
            device=SIMULATED,
            sampler=self.name,
            recipe=load_recipe("default"),
            space=load_space("tiny"),
        )
        study, callback = Study.begin(folder, config), _Silent()
        try:
            proposer, pool = Proposer(study, SimulatedCostModel()), InlinePool(SimulatedEvaluator())
            Driver(study, proposer, pool, STEPS, Stopwatch(Budget(trials=trials)), callback).run()
        finally:
            study.close()
        return study


class _Silent(SearchCallback):
    def note(self, text: str) -> None:
        return None

    def finished(self, record: TrialRecord, study: Study) -> None:
        return None

    def tick(self, study: Study, running: int, stopwatch: Stopwatch) -> None:
        return None
