"""Weights of a recipe name loss terms: unknown ones are refused, and order and zeros mean nothing."""

from pathlib import Path

import pytest

from nas_isp.errors import InputError
from nas_isp.recipe import LOSSES, SCORES, TrainSettings, load_recipe
from nas_isp.recipe.loss_registry import DEFAULT_WEIGHTS, with_weight
from nas_isp.settings import validated
from nas_isp.training.loss_term import LossTerm
from nas_isp.training.scores import Score

TEACHER = "teacher: {architecture: {blocks: [{kind: conv3, channels: 4}]}}\n"


def test_every_built_in_member_is_what_its_registry_holds() -> None:
    assert all(isinstance(LOSSES[name], LossTerm) for name in LOSSES)
    assert all(isinstance(SCORES[name], Score) for name in SCORES)


def test_the_default_weights() -> None:
    expected = {"content": 0.25, "pixel": 0.3, "total_variation": 0.05, "texture": 0.1, "color": 0.1, "synthetic": 1.0}
    assert TrainSettings().weights == load_recipe("default").train.weights == DEFAULT_WEIGHTS == expected


def test_a_recipe_that_names_weights_has_no_others(tmp_path: Path) -> None:
    (tmp_path / "r.yaml").write_text("description: d\ntrain: {weights: {color: 0.5, content: 1}}\n" + TEACHER)
    assert load_recipe(str(tmp_path / "r.yaml")).train.weights == {"content": 1.0, "color": 0.5}


def test_order_and_zeros_make_no_other_settings() -> None:
    first = TrainSettings.model_validate({"weights": {"color": 0.5, "content": 1.0, "moments": 0.0}})
    second = TrainSettings.model_validate({"weights": {"content": 1.0, "color": 0.5}})
    assert first.model_dump_json() == second.model_dump_json()
    assert list(with_weight({"synthetic": 1.0, "moments": 0.2, "pixel": 0.1})) == ["pixel", "moments", "synthetic"]


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("weights", "{contents: 1.0}", "'train.weights': unknown loss term 'contents': known are content, pixel, "),
        ("weights", "{content: -1.0}", "'train.weights.content': Input should be greater than or equal to 0"),
        ("score", "ssim", "'train.score': unknown score 'ssim': known are psnr, reference-free; give one, "),
    ],
)
def test_what_no_member_is_called_is_refused_with_the_line(
    tmp_path: Path, field: str, value: str, message: str
) -> None:
    (tmp_path / "r.yaml").write_text(f"description: d\ntrain:\n  steps: 5\n  {field}: {value}\n{TEACHER}")
    with pytest.raises(InputError, match=f"line 4, field {message}"):
        load_recipe(str(tmp_path / "r.yaml"))


def test_a_recipe_whose_steps_would_learn_nothing_is_refused(tmp_path: Path) -> None:
    (tmp_path / "r.yaml").write_text("description: d\ntrain: {weights: {content: 0}}\n" + TEACHER)
    with pytest.raises(InputError, match="field 'train': no loss term has a weight"):
        load_recipe(str(tmp_path / "r.yaml"))


def test_synthetic_pairs_are_wanted_by_a_term_that_looks_at_them() -> None:
    fields = {"warm_start": {"steps": 0}, "weights": {"pixel": 1.0}}
    assert not validated(fields, TrainSettings, "test").wants_synthetic_pairs
    assert validated(fields | {"weights": {"synthetic": 0.1}}, TrainSettings, "test").wants_synthetic_pairs
    paired = fields | {"weights": {"synthetic": 0.1}, "mode": "paired"}
    assert not validated(paired, TrainSettings, "test").wants_synthetic_pairs
