"""Recipes say what the program does: the published one has the published values, and options change what they name."""

import pytest

from nas_isp import resources
from nas_isp.errors import InputError
from nas_isp.recipe import TrainSettings, load_recipe


def test_the_published_recipe_has_the_published_values() -> None:
    train = load_recipe("arhire2025").train
    assert (train.content.features, train.content.layer, train.content.picture) == ("vgg19", "relu5_4", "lightness")
    assert [(seen.features, seen.layer) for seen in (train.texture.fine, train.texture.coarse)] == [
        ("alexnet", "relu1"),
        ("alexnet", "relu4"),
    ]
    assert (train.color.features, train.color.layer, train.color.side) == ("vit-b16", "patch_tokens", 224)
    unlike_expected = (train.texture.fine, train.texture.coarse, train.color)
    assert [layer.normalize for layer in unlike_expected] == [False, False, False]
    assert train.content.normalize
    assert not train.texture.dense_layer_trained
    assert train.weights == {"content": 1.0, "total_variation": 1.0, "texture": 1.0, "color": 1.0}
    assert (train.balance.norms, train.balance.every) == ("parameters", 1)
    assert (train.learning_rate, train.discriminator_learning_rate) == (5e-4, 1e-5)
    assert (train.discriminator_every, train.batch, train.patch) == (10, 32, 256)
    assert train.penalty == 10 * 100  # gamma 10, and the penalties times 100
    assert (train.ema, train.warm_start.steps) == (0.0, 0)


def test_one_network_replaces_all_and_switches_stay() -> None:
    published = load_recipe("arhire2025")
    replaced = published.train.with_features("squeezenet")
    seen = (replaced.content, replaced.texture.fine, replaced.texture.coarse, replaced.color)
    assert [(layer.features, layer.layer) for layer in seen] == [
        ("squeezenet", "deep"),
        ("squeezenet", "shallow"),
        ("squeezenet", "middle"),
        ("squeezenet", "middle"),
    ]
    assert not replaced.color.normalize
    assert replaced.content.picture == "lightness"
    assert replaced.texture.discriminator == "dense"
    assert published.overridden() == published
    assert published.overridden("squeezenet").train == replaced


def test_what_a_caller_gives_overrides_the_recipe() -> None:
    changed = TrainSettings().overridden("paired", 7, 3, 2, 64, 500, "squeezenet")
    assert (changed.mode, changed.steps, changed.warm_start.steps) == ("paired", 7, 3)
    assert (changed.batch, changed.patch, changed.patches) == (2, 64, 500)
    assert changed.content.features == "squeezenet"
    assert TrainSettings().overridden() == TrainSettings()


def test_nothing_to_train_is_refused() -> None:
    with pytest.raises(InputError, match=r"^steps and warm_steps are both 0: nothing would be trained") as caught:
        TrainSettings().overridden(steps=0, warm_steps=0)
    assert caught.value.parameters == ("steps", "warm_steps")


@pytest.mark.parametrize("name", resources.names("distill"))
def test_every_way_to_use_a_recipe_has_something_to_do(name: str) -> None:
    recipe = load_recipe(name)
    for settings in (recipe.train, recipe.trial_train(), recipe.teacher_train(), recipe.student_train()):
        assert TrainSettings.model_validate(settings.model_dump()) == settings
    assert recipe.trial_train().selections == 0
    assert recipe.student_train().steps == 0
