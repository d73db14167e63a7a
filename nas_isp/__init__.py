"""Search, distil and export lightweight learned camera ISPs from unpaired RAW captures and photos.

What is listed in `__all__` is loaded when it is first asked for, so that the import itself takes no time. Packed RAW is
float32 `(4, h, w)`: R, G of the red row, G of the blue row, B; pictures are sRGB of twice its rows and columns.
"""

import importlib
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from nas_isp.api.describe import Description, describe_network
    from nas_isp.api.develop import develop_photo
    from nas_isp.api.distill import distill_model
    from nas_isp.api.evaluate import evaluate_model, evaluate_previews
    from nas_isp.api.evaluate_chart import evaluate_chart
    from nas_isp.api.export import export_model
    from nas_isp.api.latency import predict_latency
    from nas_isp.api.search import run_search
    from nas_isp.api.train import train_model
    from nas_isp.develop.evaluate import Evaluation
    from nas_isp.develop.preview_check import PreviewReport
    from nas_isp.distillation.distill import Distilled
    from nas_isp.errors import InputError
    from nas_isp.evaluation.color_chart import ChartReport
    from nas_isp.evaluation.metrics import Scores
    from nas_isp.export.report import ExportReport
    from nas_isp.generators.architecture import Architecture, PlainArchitecture
    from nas_isp.generators.bundle import Bundle, save_bundle
    from nas_isp.latency.kernels.kernel import Kernel
    from nas_isp.latency.measure.devices import load_table
    from nas_isp.latency.predict.predictor import Prediction
    from nas_isp.latency.predict.table import LatencyTable
    from nas_isp.preparation.folders import TrainingFolders
    from nas_isp.progress import ReportsProgress
    from nas_isp.recipe import Recipe, TrainSettings, load_recipe
    from nas_isp.runtimes.base import Runner
    from nas_isp.search.budget import Stopwatch
    from nas_isp.search.driver import SearchCallback
    from nas_isp.search.models import load_architecture, load_model, load_runner
    from nas_isp.search.records import TrialRecord
    from nas_isp.search.study import Study
    from nas_isp.training.train_to_bundle import Trained

__all__ = [
    "Architecture",
    "Bundle",
    "ChartReport",
    "Description",
    "Distilled",
    "Evaluation",
    "ExportReport",
    "InputError",
    "Kernel",
    "LatencyTable",
    "PlainArchitecture",
    "Prediction",
    "PreviewReport",
    "Recipe",
    "ReportsProgress",
    "Runner",
    "Scores",
    "SearchCallback",
    "Stopwatch",
    "Study",
    "TrainSettings",
    "Trained",
    "TrainingFolders",
    "TrialRecord",
    "describe_network",
    "develop_photo",
    "distill_model",
    "evaluate_chart",
    "evaluate_model",
    "evaluate_previews",
    "export_model",
    "load_architecture",
    "load_model",
    "load_recipe",
    "load_runner",
    "load_table",
    "predict_latency",
    "run_search",
    "save_bundle",
    "train_model",
]

_PLACES = {
    "Architecture": "generators.architecture",
    "Bundle": "generators.bundle",
    "ChartReport": "evaluation.color_chart",
    "Description": "api.describe",
    "Distilled": "distillation.distill",
    "Evaluation": "develop.evaluate",
    "ExportReport": "export.report",
    "InputError": "errors",
    "Kernel": "latency.kernels.kernel",
    "LatencyTable": "latency.predict.table",
    "PlainArchitecture": "generators.architecture",
    "Prediction": "latency.predict.predictor",
    "PreviewReport": "develop.preview_check",
    "Recipe": "recipe",
    "ReportsProgress": "progress",
    "Runner": "runtimes.base",
    "Scores": "evaluation.metrics",
    "SearchCallback": "search.driver",
    "Stopwatch": "search.budget",
    "Study": "search.study",
    "TrainSettings": "recipe",
    "Trained": "training.train_to_bundle",
    "TrainingFolders": "preparation.folders",
    "TrialRecord": "search.records",
    "describe_network": "api.describe",
    "develop_photo": "api.develop",
    "distill_model": "api.distill",
    "evaluate_chart": "api.evaluate_chart",
    "evaluate_model": "api.evaluate",
    "evaluate_previews": "api.evaluate",
    "export_model": "api.export",
    "load_architecture": "search.models",
    "load_model": "search.models",
    "load_recipe": "recipe",
    "load_runner": "search.models",
    "load_table": "latency.measure.devices",
    "predict_latency": "api.latency",
    "run_search": "api.search",
    "save_bundle": "generators.bundle",
    "train_model": "api.train",
}
"""The module of each name of `__all__`."""


def __getattr__(name: str) -> Any:
    if name not in _PLACES:
        raise AttributeError(f"module 'nas_isp' has no attribute '{name}'")
    found = getattr(importlib.import_module(f"nas_isp.{_PLACES[name]}"), name)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
