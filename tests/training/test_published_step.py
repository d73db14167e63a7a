"""The step of the benchmark's reference implementation, the published one, has the gradient of the trainer's own."""

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest
import torch

BENCHMARK = Path(__file__).resolve().parents[2] / "benchmarks" / "train_step.py"


@pytest.fixture(scope="module")
def benchmark() -> ModuleType:
    spec = importlib.util.spec_from_file_location("train_step", BENCHMARK)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.slow
@pytest.mark.parametrize("recipe", ["arhire2025", "default"])
def test_every_way_to_take_a_step_has_the_published_gradient(benchmark: ModuleType, recipe: str) -> None:
    settings = benchmark.settings_for(recipe, "lite", batch=2, side=64)
    rows = {row["step"]: row for row in benchmark.measure(settings, repeats=1, device=torch.device("cpu"))}
    for name in ("float32", "float32, first sight"):
        assert rows[name]["relative_gradient_difference"] < 1e-4
    assert rows["bfloat16"]["gradient_cosine"] > 0.99
    assert rows["float32, running"]["gradient_cosine"] > 0.99  # norms of the same batch, one step old
