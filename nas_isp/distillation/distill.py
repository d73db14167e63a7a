"""Distils a candidate: a larger teacher is trained, and the candidate regresses onto that teacher's pictures."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from nas_isp.deadlines import deadline_in, seconds_left
from nas_isp.evaluation.beside_classical import CLASSICAL, lines_beside_classical
from nas_isp.evaluation.metrics import to_8_bit
from nas_isp.generators.bundle import RAW_FOLDER, Bundle, network_of, save_bundle
from nas_isp.preparation.prepared import Prepared
from nas_isp.progress import ReportsProgress
from nas_isp.recipe import Recipe, TrainSettings
from nas_isp.training.train_to_bundle import Trained, train_in
from nas_isp.training.training_run import TrainingRun

CHUNK = 16

TEACHER_SHARE = 0.6
"""Of the whole time."""
STUDENT_SHARE = 0.9
"""Of the time that is left when the student begins; scoring takes the rest."""


@dataclass(frozen=True)
class Distilled:
    """The three networks of a distillation; their records hold what each scores on the same test material."""

    candidate: Bundle
    teacher: Bundle
    student: Bundle

    @property
    def best(self) -> Bundle:
        """The student, unless the candidate scored higher by the same score."""
        before, after = self.candidate.record.scores, self.student.record.scores
        if before.get("score_kind") != after["score_kind"] or before["quality"] <= after["quality"]:
            return self.student
        return self.candidate

    @property
    def learned_nothing(self) -> bool:
        """Whether the student's best weights are those that it began with."""
        before, after = self.candidate.weights, self.student.weights
        return all(torch.equal(before[name].cpu(), after[name].cpu()) for name in before)

    def scores(self) -> dict[str, dict[str, Any]]:
        """The scores of candidate, teacher and student, by role, and those of the classical rendering."""
        roles = {"candidate": self.candidate, "teacher": self.teacher, "student": self.student}
        scores = {role: dict(bundle.record.scores) for role, bundle in roles.items()}
        classical = [row.pop(CLASSICAL, None) for row in scores.values()][-1]
        return scores if classical is None else {**scores, CLASSICAL: classical}

    def said(self) -> list[str]:
        """How student and teacher look beside the classical rendering, and warnings where they are worse."""
        scores = self.scores()
        classical = scores.get(CLASSICAL)
        return [
            line
            for role in ("teacher", "student")
            for line in lines_beside_classical(f"the {role}", scores[role], classical)
        ]


def distill(
    candidate: Bundle,
    teacher: Bundle | None,
    recipe: Recipe,
    prepared: Prepared,
    run: TrainingRun,
    origin: dict[str, Any],
) -> Distilled:
    """Train a teacher unpaired, unless one is given, then the candidate on the teacher's pictures.

    Args:
        candidate: the network, and the weights to start from.
        teacher: a trained one, or None to train the recipe's, which is kept as `teacher.safetensors`.
        recipe: how teacher and student are trained.
        prepared: the data.
        run: how the trainings are carried out; they get the folders `teacher` and `student` in its folder. A deadline
            is divided between them.
        origin: what the bundles say about where they come from.

    Raises:
        InputError: a training diverged, or the teacher's weights do not fit its architecture.
    """
    if teacher is None:
        architecture, role = recipe.teacher.architecture, {"role": "teacher"}
        teacher_run, settings = part_of(run, "teacher", TEACHER_SHARE), recipe.teacher_train()
        teacher = train_in(teacher_run, architecture, prepared, settings, {**role, **origin}, "teacher").bundle
        save_bundle(run.folder / "teacher.safetensors", teacher)
    taught = prepared.taught_by(pictures_of(teacher, prepared, run.device, run.progress))
    # One place for the folder, which exports leave out.
    of_teacher = {name: value for name, value in teacher.record.origin.items() if name != RAW_FOLDER}
    student_run = part_of(run, "student", STUDENT_SHARE)
    of_student = {**origin, "teacher": of_teacher}
    student = train_student(candidate, taught, recipe.student_train(), student_run, of_student).bundle
    return Distilled(candidate, teacher, student)


def forget_checkpoints(run: TrainingRun) -> None:
    """Delete the checkpoints of teacher and student, once what was distilled is kept elsewhere."""
    for role in ("teacher", "student"):
        part_of(run, role).forget_checkpoint()


def part_of(run: TrainingRun, role: str, share: float = 1.0) -> TrainingRun:
    """The run of one of the networks: a folder of its own, and a share of the time that is left."""
    left = seconds_left(run.deadline)
    return replace(run, folder=run.folder / role, deadline=deadline_in(None if left is None else share * left))


def train_student(
    candidate: Bundle, taught: Prepared, settings: TrainSettings, run: TrainingRun, origin: dict[str, Any]
) -> Trained:
    """Train the candidate's network, from its own weights, on data that is `taught_by` the `pictures_of` a teacher.

    Raises:
        InputError: the training cannot go on.
    """
    architecture, role = candidate.record.architecture, {"role": "student"}
    from_candidate = replace(run, initial_weights=candidate.weights)
    return train_in(from_candidate, architecture, taught, settings, {**role, **origin}, "student")


def pictures_of(teacher: Bundle, prepared: Prepared, device: str, progress: ReportsProgress) -> NDArray[np.uint8]:
    """The teacher's pictures of all RAW patches, uint8 `(N, 3, S, S)`.

    Raises:
        InputError: the teacher's weights do not fit its architecture.
    """
    net = network_of(teacher, "teacher").to(device)
    data = prepared.training
    count, side = len(data.references), data.references.shape[-1]
    pictures = np.empty((count, 3, side, side), np.uint8)
    with torch.no_grad():
        for start in range(0, count, CHUNK):
            indices = range(start, min(start + CHUNK, count))
            made = to_8_bit(net(data.inputs.tensor(indices, torch.device(device))))
            pictures[start : start + CHUNK] = made.transpose(0, 3, 1, 2)
            progress(start, count, "teacher's pictures")
    return pictures
