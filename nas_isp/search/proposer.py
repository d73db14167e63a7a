"""Which architecture is trained next: asks Optuna, refuses what is too slow, never gives out one twice."""

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
from optuna.trial import Trial, TrialState

from nas_isp.errors import InputError
from nas_isp.generators.architecture import PlainArchitecture
from nas_isp.search.cost_model import CostModel
from nas_isp.search.journal import open_journal
from nas_isp.search.latency_limit import LatencyLimit
from nas_isp.search.records import TrialRecord
from nas_isp.search.space import SearchSpace
from nas_isp.search.study import JOURNAL, Study

MOST_ANCHORS = 4
REFUSALS_IN_A_ROW = 500
"""Suggestions in a row that are too slow or known, after which there is nothing left to try."""
REPEATS_BEFORE_RANDOM = 8
"""Suggestions in a row that are too slow or known, after which the sampler is helped with random members."""


@dataclass
class Proposer:
    """The only writer of the study's journal.

    Raises:
        InputError: the journal is damaged or not this study's.
    """

    study: Study
    cost_model: CostModel
    least_latency_ms: float = float("inf")
    _known: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        config = self.study.config
        self.journal, self._file = open_journal(self.study.folder / JOURNAL, config.sampler, config.seed)
        trials = self.journal.get_trials(deepcopy=False)
        if max(self.study.records, default=-1) >= len(trials):
            raise InputError(
                f"{self.study.folder}: journal.log lacks trials that have folders; restore it or give another folder",
                "study",
            )
        self._space: SearchSpace = config.space
        self._limit = LatencyLimit(config.max_latency_ms)
        self._known = {record.digest: record.trial for record in self.study.records.values()}
        self._known |= {record.digest: record.trial for record in self.study.rejected.values()}
        self._size = self._space.size()
        self._rng = np.random.default_rng([config.seed, len(trials)])
        if not trials:
            for anchor in spread_anchors(self._space.anchors, self.cost_model, config.max_latency_ms):
                self.journal.enqueue_trial(self._space.encode(anchor))

    def recover(self) -> list[TrialRecord]:
        """Settle what an earlier run left open; the trials to go on with, in their order.

        A trial that was finished on disk but not yet told is told now; one that never got a folder is dropped.
        """
        unfinished = []
        for trial in self.journal.get_trials(deepcopy=False, states=(TrialState.RUNNING,)):
            record = self.study.records.get(trial.number)
            if record is None:
                self.journal.tell(trial.number, state=TrialState.FAIL)
            elif record.is_finished:
                self.tell(record)
            else:
                unfinished.append(record)
        return unfinished

    def ask(self) -> TrialRecord | None:
        """Begin a trial of a new architecture; None if 500 suggestions in a row were too slow or known."""
        for refused in range(REFUSALS_IN_A_ROW):
            if len(self._known) >= self._size:
                return None
            if refused and refused % REPEATS_BEFORE_RANDOM == 0:
                self.journal.enqueue_trial(self._space.encode(self._space.sample(self._rng)))
            trial = self.journal.ask()
            architecture = self._space.suggest(trial)
            digest = architecture.digest()
            if digest in self._known:
                self._tell_again(trial, digest)
            elif record := self._begin(trial, architecture):
                return record
        return None

    def tell(self, record: TrialRecord) -> None:
        """Tell the sampler how a trial ended; a stopped one counts with the quality at which it was stopped."""
        if record.state == "failed":
            self.journal.tell(record.trial, state=TrialState.FAIL)
        else:
            self.journal.tell(record.trial, values=record.point)
        self._file.sync()

    def _begin(self, trial: Trial, architecture: PlainArchitecture) -> TrialRecord | None:
        """The trial's record, or None if it is too slow to be trained."""
        digest = architecture.digest()
        self._known[digest] = trial.number
        record = TrialRecord(trial=trial.number, state="running", digest=digest)
        try:
            latency_ms = self.cost_model.latency_ms(architecture)
        except InputError as error:
            self.study.begin_trial(record.model_copy(update={"state": "failed", "reason": str(error)}), architecture)
            self.journal.tell(trial, state=TrialState.FAIL)
            return None
        record = record.model_copy(update={"latency_ms": latency_ms})
        self.least_latency_ms = min(self.least_latency_ms, latency_ms)
        if not self._limit.allows(latency_ms):
            self.study.reject(record.model_copy(update={"state": "rejected"}))
            self._tell_rejected(trial, latency_ms)
            return None
        params, gmacs = self.cost_model.size(architecture)
        record = record.model_copy(update={"params": params, "gmacs": gmacs})
        self._file.sync()
        self.study.begin_trial(record, architecture)
        return record

    def _tell_again(self, trial: Trial, digest: str) -> None:
        """End a suggestion that is known already, with the known values where there are some."""
        rejected = self.study.rejected.get(digest)
        if rejected is not None and rejected.latency_ms is not None:
            self._tell_rejected(trial, rejected.latency_ms)
            return
        record = self.study.records[self._known[digest]]
        if record.state in ("complete", "stopped"):
            self.journal.tell(trial, values=record.point)
        else:
            self.journal.tell(trial, state=TrialState.FAIL)

    def _tell_rejected(self, trial: Trial, latency_ms: float) -> None:
        trial.set_constraint("latency_ms", self._limit.excess_ms(latency_ms))
        self.journal.tell(trial, state=TrialState.PRUNED)


def spread_anchors(
    anchors: Iterable[PlainArchitecture], cost_model: CostModel, max_latency_ms: float | None
) -> list[PlainArchitecture]:
    """At most four anchors within the budget, evenly spread over the order of their latencies."""
    rated = sorted(((cost_model.latency_ms(anchor), index, anchor) for index, anchor in enumerate(anchors)))
    limit = LatencyLimit(max_latency_ms)
    allowed = [anchor for latency_ms, _, anchor in rated if limit.allows(latency_ms)]
    if len(allowed) <= MOST_ANCHORS:
        return allowed
    return [allowed[round(at)] for at in np.linspace(0, len(allowed) - 1, MOST_ANCHORS)]
