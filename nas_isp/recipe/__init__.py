"""Recipes: every setting of a training, a trial, a teacher and a student. Stored as YAML in `distill/`."""

from nas_isp.recipe.loss_registry import LOSSES
from nas_isp.recipe.recipe import Recipe, StudentSettings, TeacherSettings, TrialSettings, load_recipe
from nas_isp.recipe.score_registry import SCORES
from nas_isp.recipe.term_settings import ColorSettings, ContentSettings, SeenLayer, TextureSettings
from nas_isp.recipe.train_settings import (
    BalanceSettings,
    FrozenPrecision,
    Mode,
    ReferenceKind,
    TrainSettings,
    WarmStartSettings,
)

__all__ = [
    "LOSSES",
    "SCORES",
    "BalanceSettings",
    "ColorSettings",
    "ContentSettings",
    "FrozenPrecision",
    "Mode",
    "Recipe",
    "ReferenceKind",
    "SeenLayer",
    "StudentSettings",
    "TeacherSettings",
    "TextureSettings",
    "TrainSettings",
    "TrialSettings",
    "WarmStartSettings",
    "load_recipe",
]
