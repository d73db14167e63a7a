"""What the training verbs share: the folders of a training, read and checked."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from nas_isp.cli.common import ReportsProgress, say
from nas_isp.errors import InputError
from nas_isp.files import check_writable

if TYPE_CHECKING:
    from nas_isp.preparation.prepared import Prepared
    from nas_isp.recipe import TrainSettings


@dataclass(frozen=True)
class Folders:
    """The data options of a verb; without `raw` and `rgb` the embedded demo set."""

    raw: Path | None = None
    rgb: Path | None = None
    val: Path | None = None
    pairs: Path | None = None
    sensor: str | None = None
    scene_disjoint: bool = False


@contextmanager
def prepared(folders: Folders, settings: "TrainSettings", seed: int, progress: ReportsProgress) -> Iterator["Prepared"]:
    """Cut and prepare the data in a temporary folder that lasts as long as the context.

    Raises:
        InputError: options that contradict each other, or folders that cannot be used.
    """
    from nas_isp.data.demo import demo_folders
    from nas_isp.data.patches import limit_notes, load_pairs, load_unpaired
    from nas_isp.preparation.paired import prepare_paired
    from nas_isp.preparation.prepare import prepare
    from nas_isp.raw.readers import load_sensor

    sensor = load_sensor(folders.sensor) if folders.sensor else None
    if settings.mode != "unpaired":
        if folders.raw or folders.rgb or folders.scene_disjoint:
            raise InputError(f"mode '{settings.mode}' takes --pairs DIR, not --raw, --rgb or --scene-disjoint")
        if folders.pairs is None:
            raise InputError(f"mode '{settings.mode}' trains on true pairs: give --pairs DIR with raw/ and rgb/ in it")
        tested = load_pairs(folders.val, sensor=sensor, use="val") if folders.val else None
        trained = load_pairs(folders.pairs, sensor=sensor, use="train")
        limited = limit_notes({"pairs": len(trained)}, settings.patches)
        for note in (*trained.notes, *limited, *(tested.notes if tested else ())):
            say(note)
        yield prepare_paired(trained, settings.patch, seed, tested, limit=settings.patches, progress=progress)
        return
    if folders.pairs is not None:
        raise InputError("--pairs is for the paired modes; give --raw and --rgb, or --mode paired")
    if (folders.raw is None) != (folders.rgb is None):
        raise InputError("--raw and --rgb belong together: give both folders, or neither for the embedded demo set")
    if folders.raw is None and (folders.val or folders.sensor):
        raise InputError("--val and --sensor need --raw and --rgb: the embedded demo set has its own")
    with tempfile.TemporaryDirectory(prefix="nas-isp-") as scratch:
        raw, rgb, val = folders.raw, folders.rgb, folders.val
        if raw is None or rgb is None:
            raw, rgb, demo_pairs = demo_folders(Path(scratch) / "demo")
            val = val or demo_pairs
        data = load_unpaired(
            raw,
            rgb,
            Path(scratch) / "patches",
            settings.patch,
            val_dir=val,
            sensor=sensor,
            scene_disjoint=folders.scene_disjoint,
            limit=settings.patches,
            seed=seed,
            progress=progress,
        )
        for note in data.notes:
            say(note)
        yield prepare(data, settings, seed, folders.val is not None, Path(scratch) / "prepared", progress)


def check_output(path: Path, suffix: str | None = None, source: str | None = None) -> None:
    """Refuse an output file that could not be written at the end.

    Raises:
        InputError: its folder is missing or not writable, it is a folder itself, its name does not end in `suffix`,
            or it is the file `source` that the command reads.
    """
    if suffix is not None and path.suffix != suffix:
        raise InputError(f"{path}: the name of this output ends in {suffix}; give for instance {path.stem}{suffix}")
    if source is not None and path.exists() and Path(source).exists() and path.samefile(source):
        raise InputError(f"{path}: is also what this command reads; give another name, so that it is kept")
    check_writable(path)
