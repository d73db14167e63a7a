"""Fits a training into a time: measures what its steps take here and scales their number, once for a training."""

import time
from pathlib import Path
from typing import Annotated

from pydantic import Field

from nas_isp.errors import InputError
from nas_isp.files import make_folder, write_whole
from nas_isp.generators.architecture import Architecture
from nas_isp.preparation.prepared import Prepared
from nas_isp.recipe import TrainSettings
from nas_isp.scratch import scratch_folder
from nas_isp.settings import Settings, load_yaml
from nas_isp.training.checkpoint import CHECKPOINT_FILE
from nas_isp.training.trainer import Trainer
from nas_isp.training.training_run import TrainingRun

PACE_FILE = "pace.json"
PROBE_STEPS = 4
LARGEST_STRETCH = 4.0
AIMED_SHARE = 0.85
REGRESSION_SHARE = 0.6
SMALLEST_STEPS = 20


class FittedSteps(Settings):
    """The numbers of steps that a training was given."""

    planned: Annotated[TrainSettings, Field(description="The settings that were fitted to a time.")]
    warm_steps: Annotated[int, Field(ge=0, description="WarmStart steps.")]
    steps: Annotated[int, Field(ge=0, description="Adversarial steps.")]


def fitted_to(
    seconds: float,
    architecture: Architecture,
    prepared: Prepared,
    settings: TrainSettings,
    run: TrainingRun,
) -> TrainSettings:
    """The same settings with numbers of steps that take `seconds` here.

    With more time than planned both numbers grow by one factor, at most 4. With less, the regression keeps its steps as
    long as they take no more than 60 % of the time: adversarial steps from a poor start lead nowhere. What the
    measuring takes is taken off, and 15 % are kept for a machine that becomes slower.

    Args:
        run: as the training will run. If there is a checkpoint of one that was fitted before in its folder, the numbers
            of that are taken, so that the same call goes on with it.

    Raises:
        InputError: the folder cannot be written.
    """
    known = _kept_pace(run.folder)
    if known is not None and known.planned == settings:
        return _with_steps(settings, known.warm_steps, known.steps)
    began = time.monotonic()
    warm_steps, steps = settings.warm_start.steps, settings.steps
    regression_s = _seconds_a_step(architecture, prepared, _probe(settings, warm=True), run) if warm_steps else 0.0
    adversarial_s = _seconds_a_step(architecture, prepared, _probe(settings, warm=False), run) if steps else 0.0
    left = max(AIMED_SHARE * seconds - (time.monotonic() - began), 1.0)
    warm_steps, steps = fitted_steps(left, warm_steps, steps, regression_s, adversarial_s)
    make_folder(run.folder)
    pace = FittedSteps(planned=settings, warm_steps=warm_steps, steps=steps)
    write_whole(run.folder / PACE_FILE, pace.model_dump_json(indent=1))
    return _with_steps(settings, warm_steps, steps)


def fitted_steps(
    seconds: float, warm_steps: int, steps: int, regression_s: float, adversarial_s: float
) -> tuple[int, int]:
    """Regression and adversarial steps for a time, from those planned and what one of each takes; see `fitted_to`."""
    warm_s, all_s = warm_steps * regression_s, warm_steps * regression_s + steps * adversarial_s
    factor = min(seconds / all_s, LARGEST_STRETCH)
    if factor >= 1 or steps == 0:
        return _at_least(warm_steps * factor, warm_steps), _at_least(steps * factor, steps)
    warm_s = min(warm_s, REGRESSION_SHARE * seconds)
    warm_steps = _at_least(warm_s / regression_s, warm_steps) if warm_steps else 0
    return warm_steps, _at_least((seconds - warm_s) / adversarial_s, steps)


def _kept_pace(folder: Path) -> FittedSteps | None:
    """What a training that has a checkpoint was fitted to."""
    if not ((folder / CHECKPOINT_FILE).is_file() and (folder / PACE_FILE).is_file()):
        return None
    try:
        return load_yaml(folder / PACE_FILE, FittedSteps)
    except InputError as error:
        raise InputError(f"{error}; delete {folder} to start anew") from error


def _with_steps(settings: TrainSettings, warm_steps: int, steps: int) -> TrainSettings:
    warm_start = settings.warm_start.model_copy(update={"steps": warm_steps})
    return settings.model_copy(update={"warm_start": warm_start, "steps": steps})


def _probe(settings: TrainSettings, warm: bool) -> TrainSettings:
    """The settings of a training of a few steps of one phase."""
    warm_steps, steps = (2 * PROBE_STEPS, 0) if warm else (0, 2 * PROBE_STEPS)
    return _with_steps(settings, warm_steps, steps).model_copy(update={"selections": 0})


def _seconds_a_step(architecture: Architecture, prepared: Prepared, probe: TrainSettings, run: TrainingRun) -> float:
    with scratch_folder() as folder:
        scratch = TrainingRun(folder, device=run.device, weights_dir=run.weights_dir)
        trainer = Trainer(architecture, prepared, probe, scratch)
        # The first scoring would make them in the middle of the training; so they are part of what is taken off.
        prepared.scoring.target_statistics(trainer.features, trainer.device)
        trainer.advance(PROBE_STEPS)
        began = time.monotonic()
        trainer.advance(2 * PROBE_STEPS)
        return (time.monotonic() - began) / PROBE_STEPS


def _at_least(steps: float, planned: int) -> int:
    """A whole number of steps, not below 20; none where none are planned."""
    return max(round(steps), SMALLEST_STEPS) if planned else 0
