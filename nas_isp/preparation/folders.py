"""The folders of a training, checked together, and the data that they hold, prepared: the one way to load them."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from nas_isp.arguments import PATH, TEXT, YES_NO, check_types
from nas_isp.data.capture_groups import group_notes
from nas_isp.data.demo import demo_folders
from nas_isp.data.patches import limit_notes, load_pairs, load_unpaired
from nas_isp.errors import InputError
from nas_isp.preparation.paired import prepare_paired
from nas_isp.preparation.prepare import prepare
from nas_isp.preparation.prepared import Prepared
from nas_isp.progress import Note, ReportsProgress, unheard, unseen
from nas_isp.raw.light import AS_SHOT, LightChoice, parse_light
from nas_isp.raw.readers import load_sensor
from nas_isp.raw.sensor import SensorDescription
from nas_isp.recipe import TrainSettings
from nas_isp.scratch import scratch_folder

UNPAIRED = "unpaired"

KINDS = {
    **dict.fromkeys(("raw", "rgb", "val", "pairs"), PATH),
    **dict.fromkeys(("scene_disjoint", "shading"), YES_NO),
    "sensor": ((str, SensorDescription), "a known name, a JSON file, or a description"),
    "group": TEXT,
}


@dataclass(frozen=True)
class TrainingFolders:
    """Where the data of a training lie; without any folder it is the embedded demo set.

    Attributes:
        raw: folder of RAW captures.
        rgb: folder of photos of other scenes.
        val: folder of true pairs (raw/, rgb/) to score on by PSNR.
        pairs: folder of true pairs to train on, for the paired modes instead of `raw` and `rgb`.
        sensor: of bare mosaics: a description, a known name or a JSON file; None takes what lies beside them.
        scene_disjoint: refuse scenes that are in RAW and photos.
        shading: apply the gain maps that RAW files bring against lens shading.
        light: which light is neutral in a capture: as-shot (its file's, else estimated), estimated, fixed (theirs) or
            gains R,G,B; None is as-shot.
        group: of the captures to train on, take those of one sensor only: its number or a part of its name.
    """

    raw: Path | None = None
    rgb: Path | None = None
    val: Path | None = None
    pairs: Path | None = None
    sensor: SensorDescription | str | None = None
    scene_disjoint: bool = False
    shading: bool = True
    group: str | None = None
    light: str | None = None

    def __post_init__(self) -> None:
        """Take names of folders for folders.

        Raises:
            InputError: a value of another type.
        """
        check_types({name: value for name, value in vars(self).items() if value is not None}, KINDS)
        for name in ("raw", "rgb", "val", "pairs"):
            if isinstance(given := getattr(self, name), str):
                object.__setattr__(self, name, Path(given))

    @property
    def is_demo(self) -> bool:
        """Whether the data are the embedded demo set."""
        return self.raw is None and self.rgb is None and self.pairs is None

    @property
    def raw_folder(self) -> Path | None:
        """The folder of RAW that is trained on, also in pairs; None of the demo set."""
        return self.raw if self.pairs is None else self.pairs / "raw"

    def check(self, mode: str = UNPAIRED) -> None:
        """Refuse folders that contradict each other or the mode of a training; looks at no file.

        Raises:
            InputError: the message says what belongs together.
        """
        self.light_choice()
        if mode != UNPAIRED:
            if self.raw or self.rgb or self.scene_disjoint:
                raise InputError(
                    f"mode '{mode}' takes pairs, not raw, rgb or scene_disjoint",
                    "pairs",
                    "raw",
                    "rgb",
                    "scene_disjoint",
                )
            if self.pairs is None:
                raise InputError(f"mode '{mode}' trains on true pairs: give a folder with raw/ and rgb/ in it", "pairs")
            return
        if self.pairs is not None:
            raise InputError("pairs are for the paired modes; give raw and rgb, or mode paired", "pairs", "mode")
        if (self.raw is None) != (self.rgb is None):
            raise InputError(
                "raw and rgb go together: give both folders, or neither for the embedded demo set", "raw", "rgb"
            )
        if self.raw is None and (self.val or self.sensor or self.group):
            raise InputError(
                "val, sensor and group need raw and rgb: the embedded demo set has its own",
                "val",
                "sensor",
                "group",
                "raw",
                "rgb",
            )

    def check_there(self) -> None:
        """Refuse folders that there are not.

        Raises:
            InputError: the message says whose.
        """
        for name in ("raw", "rgb", "val", "pairs"):
            folder = getattr(self, name)
            if folder is not None and not folder.is_dir():
                raise InputError(f"{name} {folder}: no such folder", name)

    def light_choice(self) -> LightChoice:
        """Which light is neutral.

        Raises:
            InputError: neither a known word nor gains.
        """
        return AS_SHOT if self.light is None else parse_light(self.light)

    def described_sensor(self) -> SensorDescription | None:
        """The description of `sensor`.

        Raises:
            InputError: an unknown name, or a file that describes no sensor.
        """
        return load_sensor(self.sensor) if isinstance(self.sensor, str) else self.sensor


DEMO = TrainingFolders()
"""The embedded demo set."""


@contextmanager
def prepared_in_scratch(
    folders: TrainingFolders,
    settings: TrainSettings,
    seed: int,
    note: Note = unheard,
    progress: ReportsProgress = unseen,
) -> Iterator[Prepared]:
    """The data of a training, in a temporary folder that lasts as long as the context.

    Raises:
        InputError: folders that contradict each other or the settings, or cannot be used.
    """
    folders.check(settings.mode)
    if settings.mode != UNPAIRED:
        yield _prepared_pairs(folders, settings, seed, note, progress)
        return
    with scratch_folder() as scratch:
        yield prepare_unpaired(folders, settings, seed, scratch, scratch / "prepared", note, progress)


def prepare_unpaired(
    folders: TrainingFolders,
    settings: TrainSettings,
    seed: int,
    data_folder: Path,
    prepared_folder: Path,
    note: Note = unheard,
    progress: ReportsProgress = unseen,
) -> Prepared:
    """Cut the patches of an unpaired training and prepare them.

    The demo's pairs are for show: it is scored without them, as a user's data without `val` are.

    Args:
        folders: where the data lie, checked.
        settings: of the training.
        seed: of places and batches.
        data_folder: gets the patches, and the demo set where that is used.
        prepared_folder: gets the large arrays; `save_prepared` into it writes only what is missing.
        note: told what was left out.
        progress: told how far it is.

    Raises:
        InputError: the data cannot be used, or a folder cannot be written.
    """
    folders.check_there()
    raw, rgb, val = folders.raw, folders.rgb, folders.val
    if raw is None or rgb is None:
        raw, rgb, val = demo_folders(data_folder / "demo")
    data = load_unpaired(
        raw,
        rgb,
        data_folder,
        settings.patch,
        val_dir=val,
        sensor=folders.described_sensor(),
        scene_disjoint=folders.scene_disjoint,
        limit=settings.patches,
        seed=seed,
        progress=progress,
        shading=folders.shading,
        group=folders.group,
    )
    for line in data.notes:
        note(line)
    return prepare(data, settings, seed, folders.val is not None, prepared_folder, progress, folders.light_choice())


def _prepared_pairs(
    folders: TrainingFolders, settings: TrainSettings, seed: int, note: Note, progress: ReportsProgress
) -> Prepared:
    assert folders.pairs is not None
    folders.check_there()
    sensor = folders.described_sensor()
    tested = load_pairs(folders.val, sensor=sensor, use="val", shading=folders.shading) if folders.val else None
    trained = load_pairs(folders.pairs, sensor=sensor, use="train", shading=folders.shading)
    if folders.group is not None:
        trained = trained.of_group(folders.group)
    limited = limit_notes({"pairs": len(trained)}, settings.patches)
    tested_notes = (*tested.notes, *tested.left_out) if tested else ()
    for line in (*trained.notes, *limited, *trained.left_out, *tested_notes):
        note(line)
    prepared = prepare_paired(
        trained,
        settings.patch,
        seed,
        settings.input,
        tested,
        limit=settings.patches,
        progress=progress,
        light=folders.light_choice(),
    )
    for line in group_notes(folders.pairs, prepared.training.inputs.raw.groups):
        note(line)
    return prepared
