"""Recipes: every setting of a training, a trial, a teacher and a student. Stored as YAML in `distill/`."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from nas_isp import resources
from nas_isp.generators.architecture import PlainArchitecture
from nas_isp.settings import Settings, load_yaml, validated

Mode = Literal["unpaired", "paired", "paired-no-adv"]
BalanceName = Literal["output", "parameters"]
Positive = Annotated[float, Field(gt=0)]
Weight = Annotated[float, Field(ge=0)]


class TermWeights(Settings):
    """Share of each generator term after balancing; 0 leaves a term out."""

    content: Annotated[Weight, Field(description="Distance of features to the content reference.")] = 0.5
    pixel: Annotated[Weight, Field(description="L1 distance of 4x4 means to the content reference.")] = 1.0
    texture: Annotated[Weight, Field(description="Both texture discriminators, each.")] = 0.3
    color: Annotated[Weight, Field(description="The colour discriminator.")] = 0.2
    total_variation: Annotated[Weight, Field(description="Squared total variation of the output.")] = 0.05


class WarmStartSettings(Settings):
    """Regression onto the colour-transported classical rendering before any adversarial step."""

    steps: Annotated[int, Field(ge=0, description="Regression steps before the adversarial ones.")] = 300
    learning_rate: Annotated[Positive, Field(description="Peak rate of Adam, decayed by a cosine.")] = 4e-3
    transport: Annotated[bool, Field(description="Transport the reference's colours to the photos.")] = True
    feature_weight: Annotated[Weight, Field(description="Share of the feature distance beside L1.")] = 0.0


class TrainSettings(Settings):
    """One training of one generator."""

    mode: Annotated[Mode, Field(description="Which data and terms are used.")] = "unpaired"
    features: Annotated[str, Field(description="Frozen feature network by name.")] = "lite"
    weights: Annotated[TermWeights, Field(description="Share of each term.")] = TermWeights()
    balance: Annotated[BalanceName, Field(description="Where the norms of the terms' gradients are measured.")] = (
        "output"
    )
    warm_start: Annotated[WarmStartSettings, Field(description="The regression before.")] = WarmStartSettings()
    steps: Annotated[int, Field(ge=0, description="Adversarial steps after the warm start.")] = 600
    batch: Annotated[int, Field(ge=1, description="Patches a step.")] = 8
    patch: Annotated[int, Field(ge=32, multiple_of=16, description="Side of a training patch in RGB pixels.")] = 128
    learning_rate: Annotated[Positive, Field(description="Adam's rate for the generator.")] = 3e-4
    discriminator_learning_rate: Annotated[Positive, Field(description="Adam's rate for discriminators.")] = 2e-4
    discriminator_every: Annotated[int, Field(ge=1, description="Generator steps a discriminator step.")] = 2
    penalty: Annotated[Weight, Field(description="Strength of the R1 and R2 penalties.")] = 1.0
    ema: Annotated[float, Field(ge=0, lt=1, description="Decay of the averaged generator weights.")] = 0.99

    @property
    def active_weights(self) -> TermWeights:
        """The weights of the mode: without adversarial terms in `paired-no-adv`."""
        if self.mode == "paired-no-adv":
            return self.weights.model_copy(update={"texture": 0.0, "color": 0.0})
        return self.weights

    def overridden(
        self, mode: str | None = None, steps: int | None = None, warm_steps: int | None = None
    ) -> "TrainSettings":
        """These settings with what a command line said instead; None keeps a setting.

        Raises:
            InputError: a value that is not allowed.
        """
        fields = self.model_dump()
        fields["warm_start"]["steps"] = fields["warm_start"]["steps"] if warm_steps is None else warm_steps
        given = {"mode": mode, "steps": steps}
        fields |= {name: value for name, value in given.items() if value is not None}
        return validated(fields, TrainSettings, "command line")

    @model_validator(mode="after")
    def _does_something(self) -> "TrainSettings":
        if self.steps + self.warm_start.steps == 0:
            raise ValueError("steps and warm_start.steps are both 0: nothing would be trained")
        return self


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
    steps: Annotated[int, Field(ge=0, description="Adversarial steps of the teacher's training.")] = 1500
    warm_start_steps: Annotated[int, Field(ge=0, description="Its regression steps.")] = 1000


class StudentSettings(Settings):
    """Training of the candidate on the teacher's pictures."""

    steps: Annotated[int, Field(ge=1, description="Regression steps of the student.")] = 3000
    learning_rate: Annotated[Positive, Field(description="Peak rate of Adam, decayed by a cosine.")] = 3e-3
    batch: Annotated[int, Field(ge=1, description="Patches a step.")] = 8
    feature_weight: Annotated[Weight, Field(description="Share of the feature distance beside L1.")] = 0.1


class Recipe(Settings):
    """All settings of one way to train."""

    description: Annotated[str, Field(description="One sentence for people.")]
    train: Annotated[TrainSettings, Field(description="A full training.")] = TrainSettings()
    trial: Annotated[TrialSettings, Field(description="A trial of a search.")] = TrialSettings()
    teacher: Annotated[TeacherSettings, Field(description="The teacher.")]
    student: Annotated[StudentSettings, Field(description="The student.")] = StudentSettings()

    def student_train(self) -> TrainSettings:
        """The training settings of the student: a regression onto the teacher's pictures and nothing else."""
        student = self.student
        warm_start = WarmStartSettings(
            steps=student.steps, learning_rate=student.learning_rate, feature_weight=student.feature_weight
        )
        return self.train.model_copy(update={"warm_start": warm_start, "steps": 0, "batch": student.batch})

    def trial_train(self) -> TrainSettings:
        """The training settings of a trial: those of `train` with a trial's steps."""
        warm_start = self.train.warm_start.model_copy(update={"steps": self.trial.warm_start_steps})
        return self.train.model_copy(update={"warm_start": warm_start, "steps": self.trial.steps})

    def teacher_train(self) -> TrainSettings:
        """The training settings of the teacher."""
        warm_start = self.train.warm_start.model_copy(update={"steps": self.teacher.warm_start_steps})
        return self.train.model_copy(update={"warm_start": warm_start, "steps": self.teacher.steps})


def load_recipe(name_or_path: str) -> Recipe:
    """The recipe of a shipped name or a file.

    Raises:
        InputError: unknown name (the message lists the known ones) or a malformed file.
    """
    return load_yaml(resources.find("distill", name_or_path), Recipe)
