"""The Optuna study in a study folder: one journal file with one writer."""

import json
import math
import os
from pathlib import Path
from typing import Any

import optuna
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend, JournalFileOpenLock

from nas_isp.errors import InputError, UnwritableError
from nas_isp.files import append_text
from nas_isp.search.samplers import SAMPLERS

NAME = "nas-isp"


def open_journal(path: Path, sampler: str, seed: int) -> tuple[optuna.Study, "Journal"]:
    """Open or make the Optuna study, and give it with its file: maximize quality, minimize latency_ms.

    The caller must be the only writer; the study folder's lock sees to that, so that the journal needs none.

    Raises:
        InputError: the file is damaged, or there is no such sampler.
        UnwritableError: it cannot be written or has no room.
    """
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    try:
        journal = Journal(path)
        study = optuna.create_study(
            storage=JournalStorage(journal),
            study_name=NAME,
            directions=["maximize", "minimize"],
            load_if_exists=True,
        )
        for trial in study.get_trials(deepcopy=False):
            if not all(isinstance(value, float) and math.isfinite(value) for value in trial.values or ()):
                raise ValueError(f"trial {trial.number} has values {str(trial.values)[:80]}")
    except UnwritableError:
        raise
    except Exception as error:
        # Optuna replays the lines and runs into damaged ones in too many ways to list.
        raise InputError(f"{path}: damaged ({repr(error)[:200]}); restore it or give another study", "study") from error
    # A sampler with the first run's seed would suggest the first run's architectures again.
    study.sampler = SAMPLERS[sampler](seed + len(study.get_trials(deepcopy=False)))
    return study, journal


class Journal(JournalFileBackend):
    """A journal file with one writer, which is forced to the disk when `sync` says so and not at every parameter.

    What was appended survives a kill of the process in any case.
    """

    def __init__(self, path: Path) -> None:
        super().__init__(str(path), lock_obj=_NoLock(str(path)))
        self.path = path

    def append_logs(self, logs: list[dict[str, Any]]) -> None:
        """Append whole lines."""
        append_text(self.path, "".join(json.dumps(log, separators=(",", ":")) + "\n" for log in logs))

    def sync(self) -> None:
        """Force everything to the disk."""
        with self.path.open("ab") as file:
            os.fsync(file.fileno())


class _NoLock(JournalFileOpenLock):
    """For a file with one writer; unlike Optuna's lock files it cannot outlive a killed process."""

    def acquire(self) -> bool:
        return True

    def release(self) -> None:
        return None
