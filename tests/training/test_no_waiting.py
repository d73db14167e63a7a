"""A training step hands work to the device and never waits for it: `meta` stands for the device, it holds no numbers.

Whatever reads a number from the device fails there by itself; copies to it that would wait are counted.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from nas_isp.data.demo import demo_folders
from nas_isp.data.patches import load_unpaired
from nas_isp.generators.architecture import Block, PlainArchitecture
from nas_isp.preparation.prepare import prepare
from nas_isp.preparation.prepared import Prepared
from nas_isp.recipe import TrainSettings, WarmStartSettings, load_recipe
from nas_isp.training.trainer import Trainer
from nas_isp.training.training_run import TrainingRun

DEVICE = torch.device("meta")
SMALL = PlainArchitecture(blocks=(Block(kind="conv3", channels=8),))
DEFAULT = TrainSettings(patch=64, batch=2, warm_start=WarmStartSettings(steps=2, feature_weight=0.1), steps=4)
STATISTICS = DEFAULT.weights | {"moments": 0.1, "color_histogram": 0.1, "sliced_wasserstein": 0.1}
PUBLISHED = load_recipe("arhire2025").train.overridden(steps=4, batch=2, patch=64, features="lite")


class NumbersToDevice(TorchFunctionMode):
    """Notes tensors of the device that are made from Python's numbers, which waits for it."""

    def __init__(self, found: list[str]) -> None:
        super().__init__()
        self.found = found

    def __torch_function__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        result = func(*args, **(kwargs or {}))
        name = func.__name__
        from_numbers = name in ("tensor", "new_tensor") or (name == "__getitem__" and isinstance(args[1], list))
        if from_numbers and result.device == DEVICE:
            self.found.append(f"{name} of {args[-1]}")
        return result


class CopiesToDevice(TorchDispatchMode):
    """Notes blocking copies to the device, and operations on its tensors together with the host's."""

    def __init__(self, found: list[str]) -> None:
        super().__init__()
        self.found = found

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        given = kwargs or {}
        result = func(*args, **given)
        taken, made = ([leaf for leaf in tree_leaves(tree) if isinstance(leaf, Tensor)] for tree in (args, result))
        from_host = [tensor for tensor in taken if tensor.device != DEVICE and tensor.ndim]
        name = func.overloadpacket.__name__
        is_copy = name in ("_to_copy", "copy_")
        is_free = is_copy and (given.get("non_blocking") or args[2:] == (True,))
        if from_host and not is_free and any(tensor.device == DEVICE for tensor in (*taken, *made)):
            self.found.append(f"{name} of {[tuple(tensor.shape) for tensor in taken]}")
        return result


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Prepared:
    raw, rgb, _ = demo_folders(tmp_path_factory.mktemp("demo"))
    return prepare(load_unpaired(raw, rgb, tmp_path_factory.mktemp("cache"), 64, limit=16), DEFAULT, seed=0)


def _waits(steps: Callable[[int], object], count: int) -> list[str]:
    """What waits in the last of some steps; the first ones may make what lasts."""
    for step in range(count - 1):
        steps(step)
    found: list[str] = []
    with NumbersToDevice(found), CopiesToDevice(found):
        steps(count - 1)
    return found


@pytest.mark.parametrize(
    "settings",
    [DEFAULT, DEFAULT.model_copy(update={"weights": STATISTICS}), PUBLISHED],
    ids=["default", "statistics", "published"],
)
def test_an_adversarial_step_never_waits_for_the_device(
    data: Prepared, tmp_path: Path, settings: TrainSettings
) -> None:
    trainer = Trainer(SMALL, data, settings, TrainingRun(tmp_path, device=str(DEVICE)))
    for last in (4, 10):  # a multiple of both recipes' `discriminator_every`, and one of the default's alone
        assert not _waits(trainer.adversarial.step, last + 1)


def test_a_regression_step_never_waits_for_the_device(data: Prepared, tmp_path: Path) -> None:
    trainer = Trainer(SMALL, data, DEFAULT, TrainingRun(tmp_path, device=str(DEVICE)))
    assert not _waits(trainer.warm_start.step, 2)
