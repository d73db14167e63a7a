"""A recipe: the settings of a full training, and how trials, teachers and students differ from it."""

from typing import Annotated

from pydantic import Field

from nas_isp import resources
from nas_isp.arguments import PATH, checked_arguments
from nas_isp.generators.architecture import PlainArchitecture
from nas_isp.recipe.loss_registry import Weight
from nas_isp.recipe.train_settings import Positive, TrainSettings, WarmStartSettings
from nas_isp.settings import Settings, load_yaml


class TrialSettings(Settings):
    """How a search scores one candidate."""

    warm_start_steps: Annotated[int, Field(ge=0, description="Regression steps of a trial.")] = 160
    steps: Annotated[int, Field(ge=1, description="Adversarial steps of a full trial.")] = 48
    rungs: Annotated[
        tuple[Annotated[float, Field(gt=0, lt=1)], ...],
        Field(description="Shares of the steps after which weak trials are stopped."),
    ] = (0.34,)


class TeacherSettings(Settings):
    """The larger network that a candidate is distilled from."""

    architecture: Annotated[PlainArchitecture, Field(description="The teacher's network.")]
    steps: Annotated[int, Field(ge=0, description="Adversarial steps of the teacher's training.")] = 300
    warm_start_steps: Annotated[int, Field(ge=0, description="Its regression steps.")] = 1000


class StudentSettings(Settings):
    """Training of the candidate on the teacher's pictures."""

    steps: Annotated[int, Field(ge=1, description="Regression steps of the student.")] = 3000
    learning_rate: Annotated[Positive, Field(description="Peak rate of Adam, decayed by a cosine.")] = 3e-3
    batch: Annotated[int, Field(ge=1, description="Patches a step.")] = 8
    feature_weight: Annotated[Weight, Field(description="Share of the feature distance beside L1.")] = 0.1
    synthetic_share: Annotated[
        float, Field(ge=0, le=1, description="Share of synthetic pairs; the rest is the teacher's pictures.")
    ] = 0.5


class Recipe(Settings):
    """All settings of one way to train."""

    description: Annotated[str, Field(description="One sentence for people.")]
    train: Annotated[TrainSettings, Field(description="A full training.")] = TrainSettings()
    trial: Annotated[TrialSettings, Field(description="A trial of a search.")] = TrialSettings()
    teacher: Annotated[TeacherSettings, Field(description="The teacher.")]
    student: Annotated[StudentSettings, Field(description="The student.")] = StudentSettings()

    def overridden(self, features: str | None = None, patches: int | None = None) -> "Recipe":
        """The same with what a caller says instead; None keeps a setting.

        Raises:
            InputError: a value that is not allowed.
        """
        return self.model_copy(update={"train": self.train.overridden(features=features, patches=patches)})

    def student_train(self) -> TrainSettings:
        """The training settings of the student: a regression onto the teacher's pictures and synthetic pairs."""
        student = self.student
        warm_start = WarmStartSettings(
            steps=student.steps,
            learning_rate=student.learning_rate,
            synthetic_share=student.synthetic_share,
            feature_weight=student.feature_weight,
        )
        return self.train.model_copy(update={"warm_start": warm_start, "steps": 0, "batch": student.batch})

    def trial_train(self) -> TrainSettings:
        """The training settings of a trial: those of `train` with a trial's steps, scored at its rungs only."""
        warm_start = self.train.warm_start.model_copy(update={"steps": self.trial.warm_start_steps})
        changes = {"warm_start": warm_start, "steps": self.trial.steps, "selections": 0}
        return self.train.model_copy(update=changes)

    def teacher_train(self) -> TrainSettings:
        """The training settings of the teacher."""
        warm_start = self.train.warm_start.model_copy(update={"steps": self.teacher.warm_start_steps})
        return self.train.model_copy(update={"warm_start": warm_start, "steps": self.teacher.steps})


@checked_arguments(name_or_path=PATH)
def load_recipe(name_or_path: str) -> Recipe:
    """The recipe of a shipped name or a file.

    Raises:
        InputError: unknown name (the message lists the known ones) or a malformed file.
    """
    return load_yaml(resources.find("distill", str(name_or_path)), Recipe)
