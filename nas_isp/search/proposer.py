"""Which architecture is trained next: asks Optuna, refuses what is too slow, never gives out one twice."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from optuna.trial import Trial, TrialState

from nas_isp.errors import InputError
from nas_isp.generators.architecture import Architecture, PlainArchitecture
from nas_isp.search.journal import open_journal
from nas_isp.search.records import TrialRecord
from nas_isp.search.space import SearchSpace
from nas_isp.search.study import JOURNAL, Study

MOST_ANCHORS = 4
REFUSALS_IN_A_ROW = 500
"""Suggestions in a row that are too slow or known, after which there is nothing left to try."""
REPEATS_BEFORE_RANDOM = 8
"""Suggestions in a row that are too slow or known, after which the sampler is helped with random members."""


class CostModel(Protocol):
    """What is known of an architecture before any training."""

    def latency_ms(self, architecture: Architecture) -> float:
        """Predicted latency; `InputError` if the device's table cannot speak of a kernel."""

    def size(self, architecture: Architecture) -> tuple[int, float]:
        """Parameters, and multiply-accumulates of one picture in 10^9."""


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
        digest, limit = architecture.digest(), self.study.config.max_latency_ms
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
        if limit is not None and latency_ms > limit:
            self.study.reject(record.model_copy(update={"state": "rejected"}))
            self._tell_rejected(trial, latency_ms - limit)
            return None
        params, gmacs = self.cost_model.size(architecture)
        record = record.model_copy(update={"params": params, "gmacs": gmacs})
        self._file.sync()
        self.study.begin_trial(record, architecture)
        return record

    def _tell_again(self, trial: Trial, digest: str) -> None:
        """End a suggestion that is known already, with the known values where there are some."""
        rejected, limit = self.study.rejected.get(digest), self.study.config.max_latency_ms
        if rejected is not None and rejected.latency_ms is not None and limit is not None:
            self._tell_rejected(trial, rejected.latency_ms - limit)
            return
        record = self.study.records[self._known[digest]]
        if record.state in ("complete", "stopped"):
            self.journal.tell(trial, values=record.point)
        else:
            self.journal.tell(trial, state=TrialState.FAIL)

    def _tell_rejected(self, trial: Trial, excess_ms: float) -> None:
        trial.set_constraint("latency_ms", excess_ms)
        self.journal.tell(trial, state=TrialState.PRUNED)


def spread_anchors(
    anchors: Iterable[PlainArchitecture], cost_model: CostModel, max_latency_ms: float | None
) -> list[PlainArchitecture]:
    """At most four anchors within the budget, evenly spread over the order of their latencies."""
    rated = sorted(((cost_model.latency_ms(anchor), index, anchor) for index, anchor in enumerate(anchors)))
    allowed = [anchor for latency_ms, _, anchor in rated if max_latency_ms is None or latency_ms <= max_latency_ms]
    if len(allowed) <= MOST_ANCHORS:
        return allowed
    return [allowed[round(at)] for at in np.linspace(0, len(allowed) - 1, MOST_ANCHORS)]


def refuse_impossible_limit(
    space: SearchSpace, cost_model: CostModel, max_latency_ms: float | None, device: str, seed: int
) -> None:
    """Check before any work that some member is fast enough.

    Raises:
        InputError: every anchor and 500 random members are slower; the message says the smallest latency seen.
    """
    if max_latency_ms is None:
        return
    rng, least_ms = np.random.default_rng(seed), float("inf")
    for index in range(len(space.anchors) + REFUSALS_IN_A_ROW):
        member = space.anchors[index] if index < len(space.anchors) else space.sample(rng)
        least_ms = min(least_ms, cost_model.latency_ms(member))
        if least_ms <= max_latency_ms:
            return
    raise InputError(
        f"max_latency_ms {max_latency_ms:g}: every network tried is slower on {device}, the fastest of "
        f"{len(space.anchors) + REFUSALS_IN_A_ROW} takes {least_ms:.3g} ms; allow at least that, or give another space",
        "max_latency_ms",
        "space",
    )
