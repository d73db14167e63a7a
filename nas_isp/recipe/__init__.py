"""Recipes: every setting of a training, a trial, a teacher and a student. Stored as YAML in `distill/`."""

from nas_isp.recipe.recipe import Recipe, StudentSettings, TeacherSettings, TrialSettings, load_recipe
from nas_isp.recipe.terms import ColorSettings, ContentSettings, SeenLayer, TermWeights, TextureSettings
from nas_isp.recipe.train import (
    BalanceSettings,
    FrozenPrecision,
    Mode,
    ReferenceKind,
    TrainSettings,
    WarmStartSettings,
)

__all__ = [
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
    "TermWeights",
    "TextureSettings",
    "TrainSettings",
    "TrialSettings",
    "WarmStartSettings",
    "load_recipe",
]
