"""A whole search from folders to a front: checks everything, prepares the data once, starts workers, searches."""

from dataclasses import dataclass
from pathlib import Path

import torch

from nas_isp import __version__, resources
from nas_isp.errors import InputError, about
from nas_isp.evaluation.reference_free import SCORE_VERSION
from nas_isp.latency.measure.host import HOST_PRECISIONS
from nas_isp.perceptual.features import load_features
from nas_isp.preparation.folders import DEMO, UNPAIRED, TrainingFolders, prepare_unpaired
from nas_isp.preparation.prepared_files import load_prepared, save_prepared
from nas_isp.progress import Note, ReportsProgress, unseen
from nas_isp.recipe import Recipe, load_recipe
from nas_isp.search.budget import Stopwatch
from nas_isp.search.config import StudyConfig
from nas_isp.search.cost_model import CostModel, TableCostModel
from nas_isp.search.driver import Driver, SearchCallback
from nas_isp.search.latency_limit import refuse_impossible_limit
from nas_isp.search.proposer import Proposer
from nas_isp.search.ray_pool import EvaluatorFactory, RayPool, check_address
from nas_isp.search.records import ClassicalRecord
from nas_isp.search.rungs import rung_steps
from nas_isp.search.samplers import SAMPLERS
from nas_isp.search.space import load_space
from nas_isp.search.study import Study
from nas_isp.search.trial import TrainerFactory
from nas_isp.seeds import checked_seed
from nas_isp.training.feature_extractors import check_extractors
from nas_isp.training.scoring import score_classical

MOST_WORKERS = 1024


@dataclass(frozen=True)
class SearchRequest:
    """What the user asked for, as given: names and paths are not resolved yet."""

    study: Path
    folders: TrainingFolders = DEMO
    device: str = "pixel4-gpu"
    max_latency_ms: float | None = None
    space: str = "mobile"
    recipe: str = "default"
    features: str | None = None
    patches: int | None = None
    weights_dir: Path | None = None
    sampler: str = "tpe"
    seed: int = 0

    def check(self) -> None:
        """Refuse numbers and folders that make no sense, before anything is read.

        Raises:
            InputError: the first of them.
        """
        checked_seed(self.seed)
        if self.max_latency_ms is not None and not 0 < self.max_latency_ms < float("inf"):
            raise InputError(f"max_latency_ms {self.max_latency_ms}: give a number above 0", "max_latency_ms")
        with about("sampler"):
            SAMPLERS.check(self.sampler)
        self.folders.check()


@dataclass(frozen=True)
class Workers:
    """Who trains; not a setting of the study. Without a count, one worker for every core."""

    count: int | None = None
    ray_address: str | None = None

    def check(self) -> None:
        """Find out before anything else is done whether there can be such workers.

        Raises:
            InputError: no workers, too many, or nothing listens at the address.
        """
        if self.count is not None and not 1 <= self.count <= MOST_WORKERS:
            raise InputError(f"workers {self.count}: give a number from 1 to {MOST_WORKERS}", "workers")
        if self.ray_address is not None:
            check_address(self.ray_address)


def resolve(request: SearchRequest) -> tuple[StudyConfig, TableCostModel]:
    """Check every setting and resolve it.

    Raises:
        InputError: the first setting that cannot be used.
    """
    request.check()
    folders, space, recipe = request.folders, load_space(request.space), _recipe(request)
    config = StudyConfig(
        program=__version__,
        demo=folders.is_demo,
        raw=_folder("raw", folders.raw),
        rgb=_folder("rgb", folders.rgb),
        val=_folder("val", folders.val),
        sensor=folders.described_sensor(),
        scene_disjoint=folders.scene_disjoint,
        shading=folders.shading,
        group=folders.group,
        light=folders.light,
        device=_device(request.device),
        max_latency_ms=request.max_latency_ms,
        seed=request.seed,
        sampler=request.sampler,
        score_version=SCORE_VERSION,
        recipe=recipe,
        space=space,
    )
    balanced = recipe.train.input == "balanced"
    cost_model = TableCostModel(request.device, config.packed_height, config.packed_width, balanced)
    config = config.model_copy(update={"device_digest": cost_model.digest})
    refuse_impossible_limit(space, cost_model, request.max_latency_ms, request.device, request.seed)
    return config, cost_model


def _recipe(request: SearchRequest) -> Recipe:
    recipe = load_recipe(request.recipe).overridden(request.features, request.patches)
    if recipe.train.mode != UNPAIRED:
        raise InputError(
            f"recipe '{request.recipe}' trains in mode '{recipe.train.mode}' but a search trains unpaired; "
            "give another recipe, or train one network in that mode",
            "recipe",
        )
    with about(*(["features"] if request.features else [])):
        check_extractors(recipe.trial_train(), request.weights_dir)
    return recipe


@dataclass(frozen=True)
class OpenSearch:
    """A study with everything its trials need, ready to be searched; held by this process until `study.close()`."""

    study: Study
    cost_model: CostModel
    factory: EvaluatorFactory
    steps: list[int]


def open_search(request: SearchRequest, note: Note, progress: ReportsProgress = unseen) -> OpenSearch:
    """Check everything, open or make the study, and prepare its data.

    Raises:
        InputError: a setting or the data cannot be used; a study that this call made is removed again.
    """
    config, cost_model = resolve(request)
    study = Study.begin(request.study, config, note)
    if study.records:
        finished = sum(record.is_finished for record in study.records.values())
        note(f"{request.study}: continuing with {finished} trials that have ended")
    try:
        prepared_folder = prepare_data(study, note, progress)
        record_classical(study, request.weights_dir)
    except InputError:
        study.discard()
        raise
    except BaseException:
        study.close()
        raise
    settings = config.recipe.trial_train()
    factory = TrainerFactory(prepared_folder, settings, config.seed, weights_dir=request.weights_dir, raw=config.raw)
    steps = rung_steps(config.recipe.trial.rungs, settings.warm_start.steps + settings.steps)
    return OpenSearch(study, cost_model, factory, steps)


def run_trials(opened: OpenSearch, workers: Workers, stopwatch: Stopwatch, callback: SearchCallback) -> None:
    """Train trials on Ray workers until the budget is used up, then store the front.

    Raises:
        InputError: the cluster cannot be reached, the journal is damaged, ten trials in a row failed, or the time was
            over before the study's first trial was complete.
    """
    study = opened.study
    proposer = Proposer(study, opened.cost_model)
    if _has_nothing_to_do(study, stopwatch):
        study.write_front()
        _refuse_an_empty_front(study, stopwatch)
        if stopwatch.is_over():
            seconds = stopwatch.budget.seconds
            callback.note(f"budget: {seconds:g} s were over before a trial could start; give more time")
        return
    pool = RayPool(opened.factory, workers.count, study.folder, workers.ray_address)
    try:
        ending = Driver(study, proposer, pool, opened.steps, stopwatch, callback).run()
    finally:
        pool.close()
        unfinished = sum(not record.is_finished for record in study.records.values())
        if unfinished:
            callback.note(f"{unfinished} unfinished trials are saved; the same command goes on with them")
    if ending == "exhausted":
        callback.note(_nothing_left(study, proposer))
    _refuse_an_empty_front(study, stopwatch)


def prepare_data(study: Study, note: Note, progress: ReportsProgress = unseen) -> Path:
    """Cut patches and make the content references, once a study; the folder that workers load.

    Raises:
        InputError: the data cannot be used.
    """
    folder = study.prepared_folder
    if folder.is_dir():
        return folder
    config, part = study.config, folder.with_name(f"{folder.name}.part")
    given = (config.sensor, config.scene_disjoint, config.shading, config.group, config.light)
    folders = TrainingFolders(config.raw, config.rgb, config.val, None, *given)
    settings, data_folder = config.recipe.trial_train(), study.folder / "data"
    save_prepared(prepare_unpaired(folders, settings, config.seed, data_folder, part, note, progress), part)
    part.rename(folder)
    return folder


def record_classical(study: Study, weights_dir: Path | None) -> None:
    """Score the classical rendering on the study's data as its trials are scored, once a study."""
    if study.classical() is not None:
        return
    settings, scoring = study.config.recipe.trial_train(), load_prepared(study.prepared_folder).scoring
    features = load_features(settings.score_features, weights_dir)
    outcome = score_classical(scoring, features, torch.device("cpu"), scoring.chosen_score(settings.score))
    if outcome is not None:
        record = ClassicalRecord(quality=outcome.quality, score_kind=outcome.score_kind, scores=outcome.scores)
        study.write_classical(record)


def _has_nothing_to_do(study: Study, stopwatch: Stopwatch) -> bool:
    counts, trials = study.counts(), stopwatch.budget.trials
    return stopwatch.is_over() or (trials is not None and counts["complete"] + counts["stopped"] >= trials)


def _refuse_an_empty_front(study: Study, stopwatch: Stopwatch) -> None:
    if stopwatch.is_over() and study.counts()["complete"] == 0:
        raise InputError(
            f"{stopwatch.budget.seconds:g} s were over before a first trial was complete; give more time, "
            "the same command goes on with what there is",
            "budget",
        )


def _nothing_left(study: Study, proposer: Proposer) -> str:
    limit = study.config.max_latency_ms
    if limit is None:
        return "every network of the space has been tried"
    seen = f"; the fastest seen takes {proposer.least_latency_ms:.3g} ms" if proposer.least_latency_ms < 1e9 else ""
    return f"no further network within {limit:g} ms was found{seen}: allow more, or give another space"


def _folder(parameter: str, folder: Path | None) -> Path | None:
    if folder is not None and not folder.is_dir():
        raise InputError(f"{parameter} {folder}: no such folder", parameter)
    return folder.resolve() if folder is not None else None


def _device(name_or_path: str) -> str:
    if name_or_path in HOST_PRECISIONS or name_or_path in resources.names("latency_tables"):
        return name_or_path
    return str(Path(name_or_path).resolve())
