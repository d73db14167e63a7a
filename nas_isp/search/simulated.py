"""A simulated device and trainer: the whole search in seconds, for tests and for measuring the search itself.

Nothing here says anything about real networks. Quality rises with the logarithm of the work and along a learning curve,
latency with the work and the number of layers.
"""

import math
import os
import time
from dataclasses import dataclass, field

from nas_isp.generators.architecture import ARCHITECTURE, Architecture, PlainArchitecture
from nas_isp.generators.conv_spec import ConvSpec
from nas_isp.generators.cost import count
from nas_isp.search.workers import Reached, RungTask, ShouldStop, TrialFailedError, TrialInterruptedError

SIMULATED = "simulated"
_DEPTHWISE_WORTH = 3.0
"""What a multiply-accumulate of a depthwise convolution is worth beside one of another."""


class SimulatedCostModel:
    """Latency and size from a formula."""

    def latency_ms(self, architecture: Architecture) -> float:
        """One millisecond for 0.2 GMAC, and half of one for every convolution that a pixel passes."""
        return self.size(architecture)[1] / 0.2 + 0.5 * len(_plain(architecture).layers.chain)

    def size(self, architecture: Architecture) -> tuple[int, float]:
        """Parameters, and multiply-accumulates of a picture in 10^9."""
        cost = count(_plain(architecture))
        return cost.params, cost.gmacs


@dataclass(frozen=True)
class SimulatedFactory:
    """Makes evaluators; picklable, so that it also serves real workers."""

    seconds_per_step: float = 0.0
    failing: tuple[str, ...] = ()
    """Digests of architectures whose training diverges."""
    crashing: tuple[str, ...] = ()
    """Digests of architectures that raise an exception nobody expects."""
    killing: tuple[str, ...] = ()
    """Digests of architectures whose first task ends its worker's process."""

    def __call__(self) -> "SimulatedEvaluator":
        """A new evaluator."""
        return SimulatedEvaluator(self)


@dataclass
class SimulatedEvaluator:
    """Sleeps instead of training, keeps a checkpoint, and writes a line of `history.jsonl` for every step."""

    settings: SimulatedFactory = field(default_factory=SimulatedFactory)

    def evaluate(self, task: RungTask, should_stop: ShouldStop) -> Reached:
        """Step on from the checkpoint, then give the formula's quality."""
        architecture = ARCHITECTURE.validate_json(task.architecture_json)
        if architecture.digest() in self.settings.crashing:
            raise RuntimeError("simulated crash")
        if architecture.digest() in self.settings.killing:
            self._die_once(task)
        checkpoint = task.folder / "checkpoint.pt"
        step = int(checkpoint.read_text()) if checkpoint.is_file() else 0
        with (task.folder / "history.jsonl").open("a") as history:
            while step < task.until_step:
                if should_stop():
                    raise TrialInterruptedError
                self._sleep()
                step += 1
                checkpoint.write_text(str(step))
                history.write(f'{{"step": {step}}}\n')
                history.flush()
        if architecture.digest() in self.settings.failing:
            raise TrialFailedError(f"step {step}: simulated divergence")
        if task.is_last:
            (task.folder / "model.safetensors").write_bytes(b"simulated")
        return Reached(simulated_quality(architecture, step), SIMULATED, {}, step)

    def _die_once(self, task: RungTask) -> None:
        marker = task.folder / "died"
        if not marker.exists():
            marker.touch()
            os._exit(1)

    def _sleep(self) -> None:
        if self.settings.seconds_per_step:
            time.sleep(self.settings.seconds_per_step)


def simulated_quality(architecture: Architecture, step: int) -> float:
    """A quality between about 15 and 30 after `step` steps."""
    plain = _plain(architecture)
    worth = sum(_worth(spec) for block in plain.layers.blocks for spec in block)
    residuals = sum(block.residual for block in plain.blocks)
    final = 14 + 2.0 * math.log10(worth + 1) + 0.3 * residuals + 0.8 * plain.color_head - 0.6 * (plain.scale == 4)
    return final - 6 * math.exp(-step / (20 + 5 * len(plain.blocks)))


def _worth(spec: ConvSpec) -> float:
    """Of a convolution, by its work for a trunk pixel."""
    return spec.weights * (_DEPTHWISE_WORTH if spec.kind == "depthwise_conv2d" else 1.0)


def _plain(architecture: Architecture) -> PlainArchitecture:
    if not isinstance(architecture, PlainArchitecture):
        raise TrialFailedError(f"the simulation knows plain networks only, not {architecture.family}")
    return architecture
