"""Fits a training into a time: measures what its steps take here and scales their number."""

import tempfile
import time
from functools import partial
from pathlib import Path

from nas_isp.adversarial.prepare import Prepared
from nas_isp.adversarial.trainer import Trainer
from nas_isp.generators.architecture import Architecture
from nas_isp.recipe import TrainSettings

PROBE_STEPS = 4
LARGEST_STRETCH = 4.0
AIMED_SHARE = 0.85
REGRESSION_SHARE = 0.6
SMALLEST_STEPS = 20


def fitted_to(
    seconds: float,
    architecture: Architecture,
    prepared: Prepared,
    settings: TrainSettings,
    device: str,
    weights_dir: Path | None = None,
) -> TrainSettings:
    """The same settings with numbers of steps that take `seconds` here.

    With more time than planned both numbers grow by one factor, at most 4. With less, the regression keeps its steps as
    long as they take no more than 60 % of the time: adversarial steps from a poor start lead nowhere. What the
    measuring takes is taken off, and 15 % are kept for a machine that becomes slower.
    """
    began = time.monotonic()
    seconds_a_step = partial(_seconds_a_step, architecture, prepared, settings, device, weights_dir)
    regression_s = seconds_a_step(adversarial=False) if settings.warm_start.steps else 0.0
    adversarial_s = seconds_a_step(adversarial=True) if settings.steps else 0.0
    left = max(AIMED_SHARE * seconds - (time.monotonic() - began), 1.0)
    warm_steps, steps = fitted_steps(left, settings.warm_start.steps, settings.steps, regression_s, adversarial_s)
    warm_start = settings.warm_start.model_copy(update={"steps": warm_steps})
    return settings.model_copy(update={"warm_start": warm_start, "steps": steps})


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


def _seconds_a_step(
    architecture: Architecture,
    prepared: Prepared,
    settings: TrainSettings,
    device: str,
    weights_dir: Path | None,
    adversarial: bool,
) -> float:
    warm_start = settings.warm_start.model_copy(update={"steps": 0 if adversarial else 2 * PROBE_STEPS})
    steps = 2 * PROBE_STEPS if adversarial else 0
    probe = settings.model_copy(update={"warm_start": warm_start, "steps": steps, "selections": 0})
    with tempfile.TemporaryDirectory() as folder:
        trainer = Trainer(architecture, prepared, probe, Path(folder), seed=0, device=device, weights_dir=weights_dir)
        trainer.advance(PROBE_STEPS)
        began = time.monotonic()
        trainer.advance(2 * PROBE_STEPS)
        return (time.monotonic() - began) / PROBE_STEPS


def _at_least(steps: float, planned: int) -> int:
    """A whole number of steps, not below 20; none where none are planned."""
    return max(round(steps), SMALLEST_STEPS) if planned else 0
