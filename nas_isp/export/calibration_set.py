"""The RAW pictures that an int8 file's ranges are observed on, and those it is then compared on."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from nas_isp.data.dataset_folders import find_raw
from nas_isp.data.demo import demo_folders
from nas_isp.errors import InputError
from nas_isp.export.check_set import SENSOR_INPUT, RealPictures, brighter, real_pictures
from nas_isp.generators.bundle import RAW_FOLDER, Bundle
from nas_isp.raw.network_input import NetworkInput
from nas_isp.raw.readers import list_raw_files
from nas_isp.raw.sensor import SensorDescription
from nas_isp.runtimes.base import Floats
from nas_isp.scratch import scratch_folder

CALIBRATION_FILES = 24
CALIBRATION_SIDE = 128
"""Packed pixels: the middle of each file."""


@dataclass(frozen=True)
class RawSource:
    """A folder of RAW.

    Attributes:
        folder: of RAW files, or a data set with such a folder; see `layouts.find_raw`. None takes the demo set.
        name: what a report calls it.
        sensor: description of bare mosaics; None takes the one beside them.
    """

    folder: Path | None
    name: str
    sensor: SensorDescription | None = None

    def to_calibrate_on(self, network_input: NetworkInput = SENSOR_INPUT) -> RealPictures:
        """Pictures to observe ranges on: `CALIBRATION_FILES` at most; a quarter of the files is left to compare on."""
        with self._opened() as folder:
            limit = min(CALIBRATION_FILES, max(1, len(list_raw_files(folder)) * 3 // 4))
            side = CALIBRATION_SIDE
            return real_pictures(folder, side, side, self.sensor, limit, network_input=network_input)

    def to_compare_on(
        self,
        height: int,
        width: int,
        calibrated: RealPictures | None,
        network_input: NetworkInput = SENSOR_INPUT,
    ) -> RealPictures:
        """Pictures of a size, packed; of files other than those that were calibrated on, where there are others."""
        with self._opened() as folder:
            used = [folder / file.name for file in calibrated.files] if calibrated else []
            return real_pictures(folder, height, width, self.sensor, unless=used, network_input=network_input)

    @contextmanager
    def _opened(self) -> Iterator[Path]:
        if self.folder is not None:
            yield find_raw(self.folder).raw
            return
        with scratch_folder() as scratch:
            yield demo_folders(scratch)[0]


DEMO = RawSource(None, "the demo set (synthetic RAW)")


def training_raw(bundle: Bundle) -> RawSource | None:
    """The RAW files that a model was trained on; None if its bundle does not say where they are or they are gone."""
    recorded = bundle.record.origin.get(RAW_FOLDER)
    if not isinstance(recorded, str):
        return None
    try:
        folder = find_raw(Path(recorded)).raw
        list_raw_files(folder)
    except InputError:
        return None
    return RawSource(folder, "the training RAW", bundle.record.sensor)


def calibration_pictures(found: RealPictures) -> list[Floats]:
    """The pictures as a network is given them, and each four times as bright.

    Highlights must be cut at white, and not at the ranges' ends.
    """
    bright = found._replace(pictures=[brighter(picture) for picture in found.pictures])
    return [*found.given, *bright.given]
