"""`run_search`: from folders of RAW and photos to a study with its front."""

from pathlib import Path

from nas_isp.arguments import NUMBER, PATH, TEXT, WHOLE, YES_NO, checked_arguments
from nas_isp.errors import UnwritableError
from nas_isp.files import AnyPath
from nas_isp.preparation.folders import TrainingFolders
from nas_isp.progress import ReportsProgress, unseen
from nas_isp.report.page import write_page
from nas_isp.search.budget import Stopwatch
from nas_isp.search.driver import SearchCallback
from nas_isp.search.progress import Unwatched
from nas_isp.search.run import SearchRequest, Workers, open_search, run_trials
from nas_isp.search.study import Study


@checked_arguments(
    **dict.fromkeys(("raw", "rgb", "study", "val", "device", "space", "recipe", "weights_dir"), PATH),
    **dict.fromkeys(("features", "sensor", "group", "sampler", "ray_address"), TEXT),
    **dict.fromkeys(("patches", "workers"), WHOLE),
    **dict.fromkeys(("scene_disjoint", "shading"), YES_NO),
    max_latency_ms=NUMBER,
)
def run_search(
    raw: AnyPath | None = None,
    rgb: AnyPath | None = None,
    *,
    budget: str | Stopwatch,
    study: AnyPath = "study",
    val: AnyPath | None = None,
    device: AnyPath = "pixel4-gpu",
    max_latency_ms: float | None = None,
    space: AnyPath = "mobile",
    recipe: AnyPath = "default",
    features: str | None = None,
    patches: int | None = None,
    weights_dir: AnyPath | None = None,
    sensor: str | None = None,
    scene_disjoint: bool = False,
    shading: bool = True,
    group: str | None = None,
    light: str | None = None,
    sampler: str = "tpe",
    seed: int = 0,
    workers: int | None = None,
    ray_address: str | None = None,
    callback: SearchCallback | None = None,
    progress: ReportsProgress = unseen,
) -> Study:
    """Search for the networks with the best quality at each latency.

    However it ends, the study holds what was trained, its `report.html` shows it, and the same call goes on with it.

    Args:
        raw: folder of RAW captures; without both folders the embedded demo set.
        rgb: folder of photos of other scenes.
        budget: wall time such as 90s, 30m or 2h, or the number of trials in all such as 40; or a stopwatch that runs.
        study: folder of the study; an existing one goes on.
        val: folder of true pairs, raw/ and rgb/ with equal stems, to score on by PSNR.
        device: name or file of the latency table.
        max_latency_ms: slower networks are not trained.
        space: name or file of the search space.
        recipe: name or file of the training recipe.
        features: one frozen network for all terms, such as lite.
        patches: most patches cut of RAW and of photos, instead of the recipe's.
        weights_dir: folder with weights of frozen networks.
        sensor: of bare mosaics: a known name or a JSON file.
        scene_disjoint: refuse scenes that are in RAW and photos.
        shading: apply the gain maps that RAW files bring against lens shading.
        light: which light is neutral in a capture: as-shot (its file's, else estimated), estimated, fixed (theirs) or
            gains R,G,B; None is as-shot.
        group: of the captures, take those of one sensor only: its number or a part of its name.
        sampler: who suggests networks.
        seed: of sampling and training, 0 to 2^32 - 1.
        workers: trainings at once; one a core by default.
        ray_address: join this Ray cluster, which is left running.
        callback: told of every trial.
        progress: told how far the preparation of the data is.

    Returns:
        The study: `front()` are its best trials by rising latency, `knee()` is their best compromise.

    Raises:
        InputError: a setting or data that cannot be used; a study of other settings; no trial within the time.
    """
    stopwatch = budget if isinstance(budget, Stopwatch) else Stopwatch.of(budget)
    given = (sensor, scene_disjoint, shading, group, light)
    folders = TrainingFolders(_path(raw), _path(rgb), _path(val), None, *given)
    names = (str(device), max_latency_ms, str(space), str(recipe), features, patches, _path(weights_dir))
    request = SearchRequest(Path(study), folders, *names, sampler=sampler, seed=seed)
    return search_as_requested(request, Workers(workers, ray_address), stopwatch, callback or Unwatched(), progress)


def search_as_requested(
    request: SearchRequest, workers: Workers, stopwatch: Stopwatch, callback: SearchCallback, progress: ReportsProgress
) -> Study:
    """What `run_search` does, with its arguments in records.

    Raises:
        InputError: as `run_search`.
    """
    workers.check()
    opened = open_search(request, callback.note, progress)
    try:
        try:
            run_trials(opened, workers, stopwatch, callback)
        finally:
            opened.study.close()
            write_page(opened.study, opened.study.folder / "report.html")
    except UnwritableError as error:
        raise UnwritableError(f"the search has stopped, its trials are kept: {error}") from error
    return opened.study


def _path(path: AnyPath | None) -> Path | None:
    return None if path is None else Path(path)
