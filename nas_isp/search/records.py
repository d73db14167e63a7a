"""What a study knows about one trial: `trials/0007/result.json`."""

from typing import Annotated, Literal

from pydantic import Field, FiniteFloat, model_validator

from nas_isp.settings import Settings

State = Literal["running", "complete", "stopped", "rejected", "failed"]


class Rung(Settings):
    """What a trial had reached at a look."""

    step: Annotated[int, Field(ge=0, description="Steps trained.")]
    quality: Annotated[float, Field(description="Quality there.")]


class TrialRecord(Settings):
    """One trial, from its start (state `running`, also after an interruption) to its end."""

    trial: Annotated[int, Field(ge=0, description="Number of the trial and of its folder.")]
    state: Annotated[State, Field(description="`stopped` means by successive halving.")]
    digest: Annotated[str, Field(description="Digest of the architecture.")]
    latency_ms: Annotated[float | None, Field(gt=0, description="Predicted latency on the study's device.")] = None
    params: Annotated[int | None, Field(ge=0, description="Parameters of the deployed form.")] = None
    gmacs: Annotated[float | None, Field(ge=0, description="Multiply-accumulates of one picture, in 10^9.")] = None
    quality: Annotated[float | None, Field(description="Quality at the last look; higher is better.")] = None
    score_kind: Annotated[str | None, Field(description="What quality is: psnr or reference-free.")] = None
    scores: dict[str, float] = Field(default_factory=dict, description="All scores of the last look.")
    rungs: Annotated[tuple[Rung, ...], Field(description="All looks so far, by rising step.")] = ()
    seconds: Annotated[float, Field(ge=0, description="Training time.")] = 0.0
    reason: Annotated[str, Field(description="Why it failed or was stopped.")] = ""

    @model_validator(mode="after")
    def _complete_with_figures(self) -> "TrialRecord":
        if self.state == "complete" and (self.quality is None or self.latency_ms is None):
            raise ValueError("a complete trial has a quality and a latency_ms")
        return self

    @property
    def is_finished(self) -> bool:
        """Whether the trial is never run again."""
        return self.state != "running"

    @property
    def point(self) -> tuple[float, float]:
        """(quality, latency_ms) of a trial that has a quality."""
        if self.quality is None or self.latency_ms is None:
            raise ValueError(f"trial {self.trial} has no quality or no latency")
        return self.quality, self.latency_ms


class ClassicalRecord(Settings):
    """What the classical rendering scores on the material that trials are scored on: `classical.json`."""

    quality: Annotated[FiniteFloat, Field(description="By the score of the trials.")]
    score_kind: Annotated[str, Field(description="What quality is: psnr or reference-free.")]
    scores: Annotated[dict[str, FiniteFloat], Field(max_length=1000, description="All of its scores.")] = {}


def quality_name(score_kind: str | None) -> str:
    """What to call a quality, for people."""
    return {"psnr": "PSNR in dB", "reference-free": "reference-free score"}.get(score_kind or "", "quality")
