"""Settings of one training of one generator."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from nas_isp.data.sampling import MOST_PATCHES
from nas_isp.errors import InputError, about
from nas_isp.raw.network_input import InputKind
from nas_isp.recipe.loss_registry import DEFAULT_WEIGHTS, LOSSES, TermWeights, Weight
from nas_isp.recipe.score_registry import AUTO, ScoreName
from nas_isp.recipe.term_settings import ColorSettings, ContentSettings, TextureSettings
from nas_isp.settings import Settings, validated

Mode = Literal["unpaired", "paired", "paired-no-adv"]
ReferenceKind = Literal["look", "plain", "published", "published-gray-world"]
FrozenPrecision = Literal["auto", "float32", "bfloat16"]
Positive = Annotated[float, Field(gt=0)]


class BalanceSettings(Settings):
    """How terms are brought to one scale: each is divided by the norm of its own gradient."""

    norms: Annotated[Literal["output", "parameters"], Field(description="Where gradients are measured.")] = "output"
    every: Annotated[int, Field(ge=1, description="Steps from one measuring of the norms to the next.")] = 1
    decay: Annotated[float, Field(ge=0, lt=1, description="Of the running average of norms; 0 takes the last.")] = 0.0


class WarmStartSettings(Settings):
    """Regression before any adversarial step."""

    steps: Annotated[int, Field(ge=0, description="Regression steps before the adversarial ones.")] = 1000
    learning_rate: Annotated[Positive, Field(description="Peak rate of Adam, decayed by a cosine.")] = 4e-3
    feature_weight: Annotated[Weight, Field(description="Share of the feature distance beside L1.")] = 0.0
    synthetic_share: Annotated[
        float,
        Field(
            ge=0,
            le=1,
            description="Share of photos, from RAW that a camera fitted to the captures could have taken of them; the "
            "rest of the loss is on content references of real RAW. Paired trainings have content references only.",
        ),
    ] = 0.8


class TrainSettings(Settings):
    """One training of one generator."""

    mode: Annotated[Mode, Field(description="Which data and terms are used.")] = "unpaired"
    input: Annotated[
        InputKind,
        Field(
            description="What networks are given: balanced is RAW in neutral light, by the gains of its capture, and "
            "exposed by its brightness where that fits the photos; sensor is RAW as it is."
        ),
    ] = "balanced"
    reference: Annotated[
        ReferenceKind,
        Field(
            description="Content reference of unpaired training: the classical rendering with the look of the photos, "
            "without it, or as published (with fixed or gray-world gains)."
        ),
    ] = "look"
    content: Annotated[ContentSettings, Field(description="What the content term sees.")] = ContentSettings()
    texture: Annotated[TextureSettings, Field(description="The texture discriminators.")] = TextureSettings()
    color: Annotated[ColorSettings, Field(description="The color discriminator.")] = ColorSettings()
    score: Annotated[
        ScoreName,
        Field(
            description="What quality is: auto is psnr where there are true pairs to score with, else reference-free."
        ),
    ] = AUTO
    score_features: Annotated[str, Field(description="Frozen network of the scores.")] = "lite"
    weights: Annotated[
        TermWeights,
        Field(description="Share of each loss term after balancing; one that is not named has none."),
    ] = DEFAULT_WEIGHTS
    balance: Annotated[BalanceSettings, Field(description="How terms are brought to one scale.")] = BalanceSettings()
    initialization: Annotated[
        Literal["rendering", "pytorch"], Field(description="Start as a crude rendering, or as PyTorch draws weights.")
    ] = "rendering"
    warm_start: Annotated[WarmStartSettings, Field(description="The regression before.")] = WarmStartSettings()
    steps: Annotated[int, Field(ge=0, description="Adversarial steps after the warm start.")] = 200
    batch: Annotated[int, Field(ge=1, description="Patches a step.")] = 8
    patch: Annotated[int, Field(ge=32, multiple_of=16, description="Side of a training patch in RGB pixels.")] = 128
    patches: Annotated[int, Field(ge=1, description="Most patches cut of captures and of photos.")] = MOST_PATCHES
    learning_rate: Annotated[Positive, Field(description="Adam's rate for the generator.")] = 3e-4
    discriminator_learning_rate: Annotated[Positive, Field(description="Adam's rate for discriminators.")] = 2e-4
    discriminator_every: Annotated[int, Field(ge=1, description="Generator steps a discriminator step.")] = 2
    penalty: Annotated[Weight, Field(description="Strength of the R1 and R2 penalties.")] = 1.0
    ema: Annotated[float, Field(ge=0, lt=1, description="Decay of the averaged generator weights.")] = 0.99
    selections: Annotated[
        int,
        Field(ge=0, description="How often weights are scored in the adversarial steps, to keep the best; 0: last."),
    ] = 10
    frozen_precision: Annotated[
        FrozenPrecision, Field(description="Of the frozen networks; auto is bfloat16 on a GPU, else float32.")
    ] = "auto"

    @property
    def wants_synthetic_pairs(self) -> bool:
        """Whether any step sees synthetic RAW."""
        warm = self.warm_start
        in_terms = any(LOSSES[name].synthetic_pairs for name, weight in self.weights.items() if weight > 0)
        return self.mode == "unpaired" and (in_terms or warm.steps * warm.synthetic_share > 0)

    def with_features(self, features: str) -> "TrainSettings":
        """The same with one frozen network for all terms, each at that network's layer for its role."""
        fields = self.model_dump()
        fields["content"] |= self.content.of(features, "deep")
        fields["texture"]["fine"] |= self.texture.fine.of(features, "shallow")
        fields["texture"]["coarse"] |= self.texture.coarse.of(features, "middle")
        fields["color"] |= self.color.of(features, "middle")
        return TrainSettings.model_validate(fields)

    def overridden(
        self,
        mode: str | None = None,
        steps: int | None = None,
        warm_steps: int | None = None,
        batch: int | None = None,
        patch: int | None = None,
        patches: int | None = None,
        features: str | None = None,
    ) -> "TrainSettings":
        """These settings with what a caller says instead; None keeps a setting.

        Raises:
            InputError: a value that is not allowed.
        """
        fields = (self if features is None else self.with_features(features)).model_dump()
        fields["warm_start"]["steps"] = fields["warm_start"]["steps"] if warm_steps is None else warm_steps
        given = {"mode": mode, "steps": steps, "batch": batch, "patch": patch, "patches": patches}
        fields |= {name: value for name, value in given.items() if value is not None}
        if fields["steps"] + fields["warm_start"]["steps"] == 0:
            raise InputError(
                "steps and warm_steps are both 0: nothing would be trained; give more of one", "steps", "warm_steps"
            )
        with about(*(name for name, value in (given | {"warm_steps": warm_steps}).items() if value is not None)):
            return validated(fields, TrainSettings, "what was given instead of the recipe's")

    @model_validator(mode="after")
    def _does_something(self) -> "TrainSettings":
        if self.steps + self.warm_start.steps == 0:
            raise ValueError("steps and warm_start.steps are both 0: nothing would be trained")
        if self.steps and not self.weights:
            raise ValueError("no loss term has a weight, so that adversarial steps learn nothing; give one, or steps 0")
        return self
