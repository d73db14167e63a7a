"""What all trainings on one data set share, computed once: references, synthetic pairs, test patches, statistics."""

import hashlib
import os
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Annotated

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import Field
from torch import Tensor

from nas_isp.data.patch_files import new_array, read_array, store_array
from nas_isp.data.patches import PhotoPatches, RawPatches, UnpairedData, UnpairedSampler, as_pictures
from nas_isp.errors import InputError
from nas_isp.evaluation.reference_free import TargetStatistics, target_statistics
from nas_isp.files import write_whole
from nas_isp.perceptual.network import FeatureNetwork
from nas_isp.preparation.camera_fit import fit_camera
from nas_isp.preparation.color_transport import ColorTransport, identity_transport
from nas_isp.preparation.content_reference import (
    chunks,
    classical_pictures,
    common_color_matrix,
    common_white_balance,
    fitted_transport,
    look_of,
    matching_exposure,
    spread,
    transported_pictures,
    white_balance_of_patches,
)
from nas_isp.preparation.published_reference import published_pictures
from nas_isp.preparation.synthetic_pairs import SyntheticPairs, synthetic_mosaics
from nas_isp.preparation.validation_pairs import ValidationPair, read_pairs, save_pairs, validation_pairs
from nas_isp.progress import ReportsProgress, unseen
from nas_isp.raw.sensor import SensorDescription
from nas_isp.raw.synthesis import SyntheticCamera
from nas_isp.recipe import TrainSettings
from nas_isp.settings import Settings, load_yaml

TEST_PATCHES = 48
STATISTICS_PHOTOS = 192
REFERENCES, SYNTHETIC, PAIRS = "references.npy", "synthetic.npy", "pairs.npz"

Color = Annotated[list[float], Field(min_length=3, max_length=3)]


class PreparedRecord(Settings):
    """What a saved preparation consists of besides the patches."""

    raw: Annotated[
        str, Field(max_length=1000, description="Folder of the RAW patches, seen from this record's folder.")
    ]
    photos: Annotated[str, Field(max_length=1000, description="Folder of the photo patches, seen likewise.")]
    seed: Annotated[int, Field(description="Seed of the sampling and of the transport.")]
    paired: Annotated[bool, Field(description="The photo of a RAW patch is the one of equal index.")] = False
    score_with_pairs: Annotated[bool, Field(description="Quality is PSNR on the true pairs.")] = False
    white_balance: Annotated[tuple[float, float, float], Field(description="Gains of the content reference.")]
    color_matrix: Annotated[
        list[Color] | None,
        Field(min_length=3, max_length=3, description="Camera RGB to linear sRGB, if the files say."),
    ] = None
    exposure: Annotated[float, Field(gt=0, description="Exposure factor of the content reference.")] = 1.0
    transport: Annotated[
        list[Color], Field(min_length=13, max_length=13, description="Coefficients of the color transport.")
    ]
    camera: Annotated[
        SyntheticCamera | None, Field(description="The camera fitted to the captures, if synthetic pairs were made.")
    ] = None


@dataclass
class Prepared:
    """Data, references and test material of one or many trainings; read-only and cheap to load.

    Attributes:
        references: uint8 `(N, 3, S, S)`, the content reference of each RAW patch; memory-mapped.
        taught: pictures `(N, 3, S, S)` to train on instead of the references; scores stay towards the references.
        pairs: packed pictures `(4, h, w)` with their true photos `(2h, 2w, 3)`, for PSNR.
        synthetic: synthetic RAW of the photos, if it was asked for.
    """

    record: PreparedRecord
    raw: RawPatches
    photos: PhotoPatches
    references: NDArray[np.uint8]
    pairs: list[ValidationPair]
    synthetic: SyntheticPairs | None = None
    taught: NDArray[np.uint8] | None = None
    _statistics: dict[tuple[str, torch.device], TargetStatistics] = field(default_factory=dict, repr=False)

    @property
    def sensor(self) -> SensorDescription:
        """Sensor of the training RAW."""
        return self.raw.sensor

    @cached_property
    def digest(self) -> str:
        """Tells preparations of other data apart."""
        record = self.record.model_dump_json(exclude={"raw", "photos"})
        digest = hashlib.sha256(f"{record}{self.raw.stems}{self.photos.stems}".encode())
        for part in (*chunks(self.references), *(() if self.taught is None else chunks(self.taught))):
            digest.update(part.tobytes())
        return digest.hexdigest()

    @property
    def score_with_pairs(self) -> bool:
        """Whether quality is PSNR on the true pairs."""
        return self.record.score_with_pairs and bool(self.pairs)

    def batch(self, step: int, size: int, device: torch.device) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """The batch of a step: packed RAW, what it is steered by, target photos, and the indices of the RAW patches.

        It is steered by its references, or what it is `taught`.

        A function of seed and step alone.
        """
        sampler = UnpairedSampler(len(self.raw), len(self.photos), size, self.record.seed)
        raw_indices, photo_indices = sampler.indices(step)
        flips = None if self.record.paired else sampler.flips(step)
        if self.record.paired:
            photo_indices = raw_indices
        packed = self.raw.tensor(raw_indices, device)
        photos = self.photos.tensor(photo_indices, device, flips)
        wanted = self.references if self.taught is None else self.taught
        return packed, as_pictures(wanted[raw_indices], device), photos, torch.as_tensor(raw_indices)

    def reference(self, indices: Sequence[int] | NDArray[np.intp], device: torch.device | str = "cpu") -> Tensor:
        """Content references `(B, 3, S, S)`, sRGB 0..1."""
        return as_pictures(self.references[np.asarray(indices)], device)

    def test_batch(self, device: torch.device) -> tuple[Tensor, Tensor]:
        """Fixed RAW patches spread over the set, and their references."""
        indices = spread(len(self.raw), TEST_PATCHES)
        return self.raw.tensor(indices, device), self.reference(indices, device)

    def target_statistics(self, features: FeatureNetwork, device: torch.device) -> TargetStatistics:
        """Statistics of the target photos, computed once for a network and a device."""
        key = features.name, device
        if key not in self._statistics:
            photos = self.photos.tensor(spread(len(self.photos), STATISTICS_PHOTOS), device)
            with torch.no_grad():
                self._statistics[key] = target_statistics(photos, features)
        return self._statistics[key]

    def render_baseline(self, packed: Tensor) -> Tensor:
        """The classical rendering with transported colors of packed RAW `(B, 4, h, w)`: what a network has to beat."""
        transport = ColorTransport(torch.tensor(self.record.transport))
        return transport(self.render_classical(packed))

    def render_classical(self, packed: Tensor) -> Tensor:
        """The plain classical rendering of packed RAW, sRGB 0..1."""
        matrix = self.record.color_matrix
        return look_of(self.record.white_balance, matrix)(packed, exposure=self.record.exposure)

    def taught_by(self, pictures: NDArray[np.uint8]) -> "Prepared":
        """The same data to train on a teacher's pictures of the RAW patches; scores compare with those without."""
        return replace(self, taught=pictures)

    def save(self, folder: Path) -> None:
        """Write what `load` needs beside the patch folders.

        Raises:
            ValueError: paired data, whose patches have no lasting folder.
        """
        if self.record.paired:
            raise ValueError("patches of pairs are held in memory, their files are gone: they cannot be saved")
        folder.mkdir(parents=True, exist_ok=True)
        store_array(folder / REFERENCES, self.references)
        if self.synthetic is not None:
            store_array(folder / SYNTHETIC, self.synthetic.packed)
        save_pairs(folder / PAIRS, self.pairs)
        places = {
            "raw": os.path.relpath(self.raw.folder, folder),
            "photos": os.path.relpath(self.photos.folder, folder),
        }
        record = self.record.model_copy(update=places)
        write_whole(folder / "prepared.json", record.model_dump_json(indent=1))

    @staticmethod
    def load(folder: Path) -> "Prepared":
        """Open a saved preparation; the large arrays are memory-mapped.

        Raises:
            InputError: no preparation there, or a damaged one.
        """
        if not (folder / "prepared.json").is_file():
            raise InputError(f"{folder}: holds no prepared data; begin the study with `nas-isp search --study`")
        record = load_yaml(folder / "prepared.json", PreparedRecord)
        try:
            raw, photos = RawPatches.open(folder / record.raw), PhotoPatches.open(folder / record.photos)
            height, width = raw.packed.shape[2:]
            references = read_array(folder / REFERENCES, "|u1", (len(raw), 3, 2 * height, 2 * width))
            packed = None
            if record.camera is not None:
                packed = read_array(folder / SYNTHETIC, "<u2", (len(photos), 4, height, width))
            pairs = read_pairs(folder / PAIRS)
        except InputError as error:
            raise InputError(f"{folder}: damaged preparation ({error}); delete the folder to make it anew") from error
        return Prepared(record, raw, photos, references, pairs, _synthetic_pairs(record, photos, packed))


def prepare(
    data: UnpairedData,
    settings: TrainSettings,
    seed: int,
    score_with_pairs: bool = True,
    folder: Path | None = None,
    progress: ReportsProgress = unseen,
) -> Prepared:
    """Make the content references of unpaired data (see `TrainSettings.reference`) and, if wanted, synthetic pairs.

    The default reference is a classical rendering, its colors transported to the photos.

    Args:
        folder: where the large arrays are made, memory-mapped; `Prepared.save` into it writes only what is missing.
            None keeps them until the process ends.

    Raises:
        InputError: the folder cannot be written, or has no room.
    """
    if folder is None:
        # What is memory-mapped stays readable after its file's name is gone.
        with tempfile.TemporaryDirectory(prefix="nas-isp-") as scratch:
            return prepare(data, settings, seed, score_with_pairs, Path(scratch), progress)
    progress(0, 3, "white balance and exposure")
    white_balance, color_matrix = common_white_balance(data.raw), common_color_matrix(data.raw)
    gains = white_balance_of_patches(data.raw, white_balance)
    look = look_of(white_balance, color_matrix)
    exposure = matching_exposure(data, look)
    progress(1, 3, "content references")
    height, width = data.raw.packed.shape[2:]
    references = new_array(folder / REFERENCES, "|u1", (len(data.raw), 3, 2 * height, 2 * width))
    transport = identity_transport()
    if settings.reference in ("published", "published-gray-world"):
        published_pictures(data.raw, settings.reference == "published-gray-world", references)
    else:
        classical_pictures(data.raw, look, gains, exposure, references)
    if settings.reference == "transported":
        transport = fitted_transport(references, data.photos, seed, captures=len(set(data.raw.stems)))
        for part in chunks(references):
            part[:] = transported_pictures(part, transport)
    progress(2, 3, "synthetic pairs")
    camera, packed = None, None
    if settings.wants_synthetic_pairs:
        camera = fit_camera(data.raw, data.photos, white_balance, exposure, color_matrix, seed, gains)
        packed = new_array(folder / SYNTHETIC, "<u2", (len(data.photos), 4, height, width))
        synthetic_mosaics(data.photos, camera, seed, packed)
    record = PreparedRecord(
        raw=str(data.raw.folder.resolve()),
        photos=str(data.photos.folder.resolve()),
        seed=seed,
        score_with_pairs=score_with_pairs,
        white_balance=white_balance,
        color_matrix=color_matrix,
        exposure=exposure,
        transport=transport.coefficients.tolist(),
        camera=camera,
    )
    progress(3, 3, None)
    synthetic = _synthetic_pairs(record, data.photos, packed)
    return Prepared(record, data.raw, data.photos, references, validation_pairs(data.pairs), synthetic)


def _synthetic_pairs(
    record: PreparedRecord, photos: PhotoPatches, packed: NDArray[np.uint16] | None
) -> SyntheticPairs | None:
    if record.camera is None or packed is None:
        return None
    return SyntheticPairs(packed, photos, record.camera, record.seed)
