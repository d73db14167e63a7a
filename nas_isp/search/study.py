"""`Study`: the folder of a search. It is complete after any kill, and reading it needs neither Optuna nor torch."""

import json
import os
import shutil
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from nas_isp.arguments import PATH, checked_arguments
from nas_isp.errors import InputError
from nas_isp.evaluation.appearance import appearance_of_scores, appearance_words
from nas_isp.evaluation.beside_classical import worse_than_classical
from nas_isp.files import UNFINISHED, AnyPath, append_text, make_folder, write_whole
from nas_isp.generators.architecture import ARCHITECTURE, Architecture
from nas_isp.search.config import StudyConfig, load_config, refuse_other_config
from nas_isp.search.locking import Lock, drop_torn_line, lock_file
from nas_isp.search.owner_lock import OwnerLock
from nas_isp.search.pareto import knee, pareto_front
from nas_isp.search.records import ClassicalRecord, TrialRecord, quality_name
from nas_isp.settings import load_yaml, parse_json, validated

CONFIG, JOURNAL, REJECTED, FRONT, LOCK = "config.yaml", "journal.log", "rejected.jsonl", "pareto.json", "lock"
CLASSICAL_FILE = "classical.json"
OF_A_BEGINNING = {LOCK, f"{LOCK}{OwnerLock.SUFFIX}", "trials"}
COUNTED_STATES = ("complete", "stopped", "rejected", "failed")


class Study:
    """The folder of a study.

    It holds `config.yaml`, Optuna's `journal.log`, `rejected.jsonl`, `trials/0007/`, `data/`, `pareto.json` and, where
    there is one, what the classical rendering scores, `classical.json`.

    A trial's folder holds `arch.json`, `result.json`, `history.jsonl`, `sample.png` and, once it is complete,
    `model.safetensors`.
    """

    def __init__(self, folder: Path, config: StudyConfig, is_new: bool = False) -> None:
        """Use `Study.open` or `Study.begin`."""
        self.folder, self.config, self.is_new = folder, config, is_new
        self._lock: Lock | None = None
        self.records: dict[int, TrialRecord] = {}
        self.rejected: dict[str, TrialRecord] = {}
        self.reload()

    @staticmethod
    @checked_arguments(folder=PATH)
    def open(folder: AnyPath) -> "Study":
        """Open a study for reading.

        Raises:
            InputError: the folder holds no study.
        """
        folder = Path(folder)
        if not (folder / CONFIG).is_file():
            raise InputError(f"{folder}: not a study (no {CONFIG}); give the folder of a search")
        return Study(folder, load_config(folder / CONFIG))

    @staticmethod
    def begin(folder: Path, config: StudyConfig, note: Callable[[str], None] = lambda line: None) -> "Study":
        """Open a study for searching, alone; a new one is made if there is none.

        Args:
            folder: the study's.
            config: its settings.
            note: told where its disk cannot lock as usual.

        Raises:
            InputError: the folder is no study but not empty, cannot be written, is in use, or was begun with other
                settings.
        """
        folder = folder.absolute()
        is_new = not (folder / CONFIG).is_file()
        if is_new and folder.exists() and (not folder.is_dir() or _is_foreign(folder)):
            raise InputError(f"{folder}: neither a study nor an empty folder; give another folder", "study")
        if not is_new:
            refuse_other_config(load_config(folder / CONFIG, to_go_on=True), config, folder)
        message = f"{folder} is being searched by another command; wait for it or stop it"
        try:
            (folder / "trials").mkdir(parents=True, exist_ok=True)
            lock = lock_file(folder / LOCK, message, note)
            if is_new:
                write_whole(folder / CONFIG, config.to_yaml())
        except OSError as error:
            raise InputError(
                f"{folder}: cannot be written ({error.strerror}); give a writable folder", "study"
            ) from error
        drop_torn_line(folder / JOURNAL)
        drop_torn_line(folder / REJECTED)
        study = Study(folder, config, is_new)
        study._lock = lock
        return study

    def close(self) -> None:
        """Let other commands search here."""
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def discard(self) -> None:
        """Remove a study that this command made and in which nothing was trained."""
        self.close()
        if self.is_new and not self.records:
            shutil.rmtree(self.folder, ignore_errors=True)

    def reload(self) -> None:
        """Read all records from the disk."""
        _refuse_links_outside(self.folder)
        paths = sorted(self.folder.glob("trials/*/result.json"))
        self.records = {record.trial: record for record in map(_read_result, paths)}
        self.rejected = {record.digest: record for record in _read_lines(self.folder / REJECTED)}

    @property
    def prepared_folder(self) -> Path:
        """Where the prepared data of all trials lie."""
        return self.folder / "data" / "prepared"

    def trial_folder(self, trial: int) -> Path:
        """Folder of a trial, whether it exists or not."""
        return self.folder / "trials" / f"{trial:04d}"

    def begin_trial(self, record: TrialRecord, architecture: Architecture) -> None:
        """Make a trial's folder with `arch.json` and its first record."""
        folder = self.trial_folder(record.trial)
        make_folder(folder)
        write_whole(folder / "arch.json", architecture.to_json() + "\n")
        self.write(record)

    def write(self, record: TrialRecord) -> None:
        """Store a trial's record."""
        write_whole(self.trial_folder(record.trial) / "result.json", record.model_dump_json(indent=1) + "\n")
        self.records[record.trial] = record

    def reject(self, record: TrialRecord) -> None:
        """Note an architecture that is too slow to be trained."""
        append_text(self.folder / REJECTED, record.model_dump_json() + "\n")
        self.rejected[record.digest] = record

    def architecture(self, trial: int) -> Architecture:
        """The architecture of a trial.

        Raises:
            InputError: no such trial.
        """
        path = self.trial_folder(trial) / "arch.json"
        if not path.is_file():
            known = ", ".join(str(number) for number in sorted(self.records)) or "none"
            raise InputError(f"{self.folder} has no trial {trial}; it has {known}")
        try:
            return ARCHITECTURE.validate_json(path.read_bytes())
        except ValidationError as error:
            raise InputError(f"{path}: damaged architecture ({error.errors()[0]['msg']}); delete its trial") from error

    def front(self) -> list[TrialRecord]:
        """The complete trials that no other complete trial dominates, by rising latency."""
        complete = [record for record in self.records.values() if record.state == "complete"]
        return [complete[index] for index in pareto_front([record.point for record in complete])]

    def knee(self) -> TrialRecord:
        """The front's best compromise.

        Raises:
            InputError: no trial is complete.
        """
        front = self.front()
        if not front:
            raise InputError(f"{self.folder}: no trial is complete yet; go on with its search")
        return front[knee([record.point for record in front])]

    def classical(self) -> ClassicalRecord | None:
        """What the classical rendering scores; None where that was not measured.

        Raises:
            InputError: damaged.
        """
        path = self.folder / CLASSICAL_FILE
        return load_yaml(path, ClassicalRecord) if path.is_file() else None

    def write_classical(self, record: ClassicalRecord) -> None:
        """Store what the classical rendering scores."""
        write_whole(self.folder / CLASSICAL_FILE, record.model_dump_json(indent=1) + "\n")

    def counts(self) -> dict[str, int]:
        """How many trials ended in which state."""
        states: list[str] = [record.state for record in (*self.records.values(), *self.rejected.values())]
        return {state: states.count(state) for state in COUNTED_STATES}

    def summary(self) -> dict[str, Any]:
        """The front and the counts as plain data: the content of `pareto.json`."""
        front, classical = self.front(), self.classical()
        knee_trial = self.knee().trial if front else None
        rows = [_front_row(record, self.trial_folder(record.trial), record.trial == knee_trial) for record in front]
        for row, record in zip(rows, front, strict=True):
            row |= _beside_classical(record, classical)
        kind = front[0].score_kind if front else None
        return {
            "front": rows,
            "classical": None if classical is None else classical.model_dump(),
            "trials": self.counts(),
            "score_kind": kind,
            "quality_name": quality_name(kind),
            "device": self.config.device,
            "knee": knee_trial,
        }

    def write_front(self) -> None:
        """Store the summary as `pareto.json`; bundle paths are relative to the study there."""
        summary = self.summary()
        for row in summary["front"]:
            row["bundle"] = os.path.relpath(row["bundle"], self.folder)
        write_whole(self.folder / FRONT, json.dumps(summary, indent=1) + "\n")


def _front_row(record: TrialRecord, folder: Path, is_knee: bool) -> dict[str, Any]:
    return {
        "trial": record.trial,
        "quality": record.quality,
        "latency_ms": record.latency_ms,
        "params": record.params,
        "gmacs": record.gmacs,
        "bundle": str(folder / "model.safetensors"),
        "knee": is_knee,
        "psnr": record.scores.get("psnr"),
    }


def _beside_classical(record: TrialRecord, classical: ClassicalRecord | None) -> dict[str, Any]:
    """CIEDE2000 of pairs, the look in words, and by what a trial is worse; each as far as it is known."""
    look = appearance_of_scores(record.scores)
    return {
        "delta_e00": record.scores.get("delta_e00"),
        "look": None if look is None else appearance_words(look),
        "worse": None if classical is None else worse_than_classical(record.scores, classical.scores),
    }


def _read_lines(path: Path) -> Iterable[TrialRecord]:
    """Records of an appended file; a torn last line is passed over."""
    if path.is_file():
        try:
            lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
        except (OSError, UnicodeDecodeError) as error:
            raise InputError(f"{path}: cannot be read as text ({error}); restore it or delete it") from error
        for number, line in enumerate(lines, 1):
            if line.endswith("\n"):
                origin = f"{path}, line {number}"
                yield validated(parse_json(line, origin), TrialRecord, origin)


def _read_result(path: Path) -> TrialRecord:
    record = load_yaml(path, TrialRecord)
    if path.parent.name != f"{record.trial:04d}":
        raise InputError(f"{path}: says it is trial {record.trial}; restore it or delete the folder")
    return record


def _refuse_links_outside(folder: Path) -> None:
    """A study from somebody else must not make this program read or write files elsewhere; `data/` alone may lie there.

    Raises:
        InputError: a link leads out of the study; the message names it.
    """
    home = folder.resolve()
    for place, folders, files in os.walk(home):
        if place == str(home) and "data" in folders:
            folders.remove("data")
        for path in (Path(place, name) for name in [*folders, *files]):
            if path.is_symlink() and not path.resolve().is_relative_to(home):
                raise InputError(f"{folder}: {path.relative_to(home)} is a link that leads out of the study; remove it")


def _is_foreign(folder: Path) -> bool:
    """Whether a folder without a configuration holds anything but the beginnings of a study."""
    return any(path.name not in OF_A_BEGINNING and path.suffix != UNFINISHED for path in folder.iterdir())
