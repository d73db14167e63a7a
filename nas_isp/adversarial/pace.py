"""Fits a training into a time: measures what its steps take here and scales their number."""

import tempfile
import time
from pathlib import Path

from nas_isp.adversarial.prepare import Prepared
from nas_isp.adversarial.trainer import Trainer
from nas_isp.generators.architecture import Architecture
from nas_isp.recipe import TrainSettings

PROBE_STEPS = 4
LARGEST_STRETCH = 4.0
AIMED_SHARE = 0.85
SMALLEST_STEPS = 20


def fitted_to(
    seconds: float, architecture: Architecture, prepared: Prepared, settings: TrainSettings, device: str
) -> TrainSettings:
    """The same settings with both numbers of steps times one factor, at most 4, so that training takes `seconds`.

    What the measuring takes is taken off, and 15 % are kept for a machine that becomes slower.
    """
    began = time.monotonic()
    regression_s = _seconds_a_step(architecture, prepared, settings, device, adversarial=False)
    adversarial_s = _seconds_a_step(architecture, prepared, settings, device, adversarial=True) if settings.steps else 0
    left = AIMED_SHARE * seconds - (time.monotonic() - began)
    planned = settings.warm_start.steps * regression_s + settings.steps * adversarial_s
    factor = min(max(left, 1.0) / max(planned, 1e-9), LARGEST_STRETCH)
    warm_start = settings.warm_start.model_copy(update={"steps": _scaled(settings.warm_start.steps, factor)})
    return settings.model_copy(update={"warm_start": warm_start, "steps": _scaled(settings.steps, factor)})


def _seconds_a_step(
    architecture: Architecture, prepared: Prepared, settings: TrainSettings, device: str, adversarial: bool
) -> float:
    steps = {"warm_start": settings.warm_start.model_copy(update={"steps": 0 if adversarial else 2 * PROBE_STEPS})}
    probe = settings.model_copy(update={**steps, "steps": 2 * PROBE_STEPS if adversarial else 0})
    with tempfile.TemporaryDirectory() as folder:
        trainer = Trainer(architecture, prepared, probe, Path(folder), seed=0, device=device)
        trainer.advance(PROBE_STEPS)
        began = time.monotonic()
        trainer.advance(2 * PROBE_STEPS)
        return (time.monotonic() - began) / PROBE_STEPS


def _scaled(steps: int, factor: float) -> int:
    return max(round(steps * factor), SMALLEST_STEPS) if steps else 0
