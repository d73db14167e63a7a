"""`train_model`: one network, trained from RAW and photos of other scenes or from true pairs."""

from pathlib import Path

from nas_isp.api.previews import checked_use, validate_with_previews
from nas_isp.arguments import PATH, TEXT, checked_arguments
from nas_isp.compute import compute_device
from nas_isp.deadlines import deadline_in
from nas_isp.files import BUNDLE_SUFFIX, AnyPath, check_output
from nas_isp.generators.architecture import Architecture
from nas_isp.generators.bundle import Bundle, save_bundle
from nas_isp.preparation.folders import DEMO, TrainingFolders, prepared_in_scratch
from nas_isp.progress import Note, ReportsProgress, unheard, unseen
from nas_isp.recipe import TrainSettings, load_recipe
from nas_isp.search.budget import seconds_of
from nas_isp.search.models import load_architecture
from nas_isp.seeds import checked_seed
from nas_isp.training.feature_extractors import check_extractors
from nas_isp.training.train_to_bundle import Trained, origin_of, train_in
from nas_isp.training.training_run import TrainingRun


@checked_arguments(
    **dict.fromkeys(("output", "run_folder", "weights_dir"), PATH),
    folders=((TrainingFolders,), "TrainingFolders"),
    settings=((TrainSettings,), "TrainSettings, such as those of load_recipe(...).train"),
    compute=TEXT,
)
def train_model(
    model: str | Path | Bundle | Architecture,
    output: AnyPath,
    folders: TrainingFolders = DEMO,
    *,
    settings: TrainSettings | None = None,
    budget: str | float | None = None,
    run_folder: AnyPath | None = None,
    weights_dir: AnyPath | None = None,
    seed: int = 0,
    compute: str = "auto",
    previews: str = "validate",
    note: Note = unheard,
    progress: ReportsProgress = unseen,
) -> Trained:
    """Train one network and write it as a model bundle.

    Args:
        model: a published name, an architecture's or a bundle's file, STUDY:TRIAL, or one of these itself.
        output: the bundle to write (.safetensors).
        folders: where the data lie; the embedded demo set by default.
        settings: of the training, such as `load_recipe("default").train.overridden(steps=100)`; None takes the default
            recipe's.
        budget: wall time such as 10m, or seconds: the numbers of steps are scaled to fit.
        run_folder: of checkpoint and history, `OUTPUT.run` by default; a training that is there goes on.
        weights_dir: folder with weights of frozen networks.
        seed: of everything random, 0 to 2^32 - 1.
        compute: the processor: auto, cpu, cuda, ...
        previews: validate measures the finished model against the pictures that the camera stored in the training's RAW
            files, where there are some; off does not.
        note: told what a user should know of the data.
        progress: told how far it is.

    Returns:
        The bundle and its scores.

    Raises:
        InputError: a model, data or a setting that cannot be used, or a training that diverged.
    """
    deadline, output = deadline_in(seconds_of(budget)), Path(output)
    architecture, settings = load_architecture(model), settings or load_recipe("default").train
    check_output(output, BUNDLE_SUFFIX, source=model)
    checked_use(previews)
    weights = None if weights_dir is None else Path(weights_dir)
    folder = output.with_suffix(".run") if run_folder is None else Path(run_folder)
    device = compute_device(compute)
    run = TrainingRun(folder, checked_seed(seed), device, deadline=deadline, weights_dir=weights, progress=progress)
    check_extractors(settings, weights)
    with prepared_in_scratch(folders, settings, seed, note, progress) as data:
        name = str(model) if isinstance(model, str | Path) else architecture.digest()
        trained = train_in(run, architecture, data, settings, origin_of("train", seed, folders.raw, architecture=name))
    save_bundle(output, trained.bundle)
    run.forget_checkpoint()
    for line in trained.said():
        note(line)
    if previews != "off" and validate_with_previews(
        trained.bundle, folders.raw_folder, folders.shading, note, progress
    ):
        save_bundle(output, trained.bundle)  # again: what stops the measuring costs no model
    note(f"written: {output}; history and samples: {folder}")
    return trained
