"""What all trainings on one data set share, computed once: references, synthetic pairs, test patches, statistics."""

import hashlib
import os
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import Field
from torch import Tensor

from nas_isp.adversarial.camera_fit import fit_camera
from nas_isp.adversarial.published_reference import published_pictures
from nas_isp.adversarial.reference import (
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
from nas_isp.adversarial.synthetic_pairs import SyntheticPairs, synthetic_mosaics
from nas_isp.adversarial.transport import ColorTransport, identity_transport
from nas_isp.data.patch_files import check_array, read_array
from nas_isp.data.patches import Pairs, PhotoPatches, RawPatches, UnpairedData, UnpairedSampler, as_pictures
from nas_isp.errors import InputError
from nas_isp.evaluation.reference_free import TargetStatistics, target_statistics
from nas_isp.perceptual.network import FeatureNetwork
from nas_isp.raw.packing import pack
from nas_isp.raw.sensor import SensorDescription
from nas_isp.raw.synthesis import SyntheticCamera
from nas_isp.recipe import TrainSettings
from nas_isp.settings import Settings, load_yaml

TEST_PATCHES = 48
STATISTICS_PHOTOS = 192
PAIRS_LIMIT = 64
PAIR_SIDE = 512
MAX_PAIRS_BYTES = PAIRS_LIMIT * PAIR_SIDE**2 * 8
"""Of a pixel 4 bytes are its float32 sample and 3 its colours; the rest is left for headers."""

Progress = Callable[[float, float | None, str | None], None]
Colour = Annotated[list[float], Field(min_length=3, max_length=3)]
ScoredPair = tuple[Tensor, NDArray[np.uint8]]


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
        list[Colour] | None,
        Field(min_length=3, max_length=3, description="Camera RGB to linear sRGB, if the files say."),
    ] = None
    exposure: Annotated[float, Field(gt=0, description="Exposure factor of the content reference.")] = 1.0
    transport: Annotated[
        list[Colour], Field(min_length=13, max_length=13, description="Coefficients of the colour transport.")
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
    pairs: list[ScoredPair]
    synthetic: SyntheticPairs | None = None
    taught: NDArray[np.uint8] | None = None
    _statistics: TargetStatistics | None = field(default=None, repr=False)

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

    def reference(self, indices: Sequence[int] | NDArray[np.intp]) -> Tensor:
        """Content references `(B, 3, S, S)`, sRGB 0..1."""
        return as_pictures(self.references[np.asarray(indices)])

    def test_batch(self, device: torch.device) -> tuple[Tensor, Tensor]:
        """Fixed RAW patches spread over the set, and their references."""
        indices = spread(len(self.raw), TEST_PATCHES)
        return self.raw.tensor(indices).to(device), self.reference(indices).to(device)

    def target_statistics(self, features: FeatureNetwork, device: torch.device) -> TargetStatistics:
        """Statistics of the target photos, computed at the first call."""
        if self._statistics is None:
            photos = self.photos.tensor(spread(len(self.photos), STATISTICS_PHOTOS)).to(device)
            with torch.no_grad():
                self._statistics = target_statistics(photos, features)
        return self._statistics

    def render_baseline(self, packed: Tensor) -> Tensor:
        """The classical rendering with transported colours of packed RAW `(B, 4, h, w)`: what a network has to beat."""
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
        np.save(folder / "references.npy", self.references)
        if self.synthetic is not None:
            np.save(folder / "synthetic.npy", self.synthetic.packed)
        arrays: dict[str, Any] = {f"raw_{at}": packed.numpy() for at, (packed, _) in enumerate(self.pairs)}
        arrays |= {f"rgb_{at}": photo for at, (_, photo) in enumerate(self.pairs)}
        np.savez(folder / "pairs.npz", **arrays)
        places = {
            "raw": os.path.relpath(self.raw.folder, folder),
            "photos": os.path.relpath(self.photos.folder, folder),
        }
        record = self.record.model_copy(update=places)
        part = folder / "prepared.part"
        part.write_text(record.model_dump_json(indent=1))
        os.replace(part, folder / "prepared.json")

    @staticmethod
    def load(folder: Path) -> "Prepared":
        """Open a saved preparation; the large arrays are memory-mapped.

        Raises:
            InputError: no preparation there, or a damaged one.
        """
        record = load_yaml(folder / "prepared.json", PreparedRecord)
        try:
            raw, photos = RawPatches.open(folder / record.raw), PhotoPatches.open(folder / record.photos)
            height, width = raw.packed.shape[2:]
            references = read_array(folder / "references.npy", "|u1", (len(raw), 3, 2 * height, 2 * width))
            packed = None
            if record.camera is not None:
                packed = read_array(folder / "synthetic.npy", "<u2", (len(photos), 4, height, width))
            pairs = _read_pairs(folder / "pairs.npz")
        except InputError as error:
            raise InputError(f"{folder}: damaged preparation ({error}); delete the folder to make it anew") from error
        return Prepared(record, raw, photos, references, pairs, _synthetic_pairs(record, photos, packed))


def prepare(
    data: UnpairedData,
    settings: TrainSettings,
    seed: int,
    score_with_pairs: bool = True,
    progress: Progress | None = None,
) -> Prepared:
    """Make the content references of unpaired data (see `TrainSettings.reference`) and, if wanted, synthetic pairs.

    The default reference is a classical rendering, its colours transported to the photos.
    """
    report = progress or (lambda done, total, text: None)
    report(0, 4, "white balance and exposure")
    white_balance, color_matrix = common_white_balance(data.raw), common_color_matrix(data.raw)
    look = look_of(white_balance, color_matrix)
    exposure = matching_exposure(data, look)
    report(1, 4, "colour transport")
    gains = white_balance_of_patches(data.raw, white_balance)
    classical = classical_pictures(data.raw, look, gains, exposure)
    transport = identity_transport()
    if settings.reference == "transported":
        transport = fitted_transport(classical, data.photos, seed, captures=len(set(data.raw.stems)))
    report(2, 4, "content references")
    if settings.reference in ("published", "published-grey-world"):
        references = published_pictures(data.raw, grey_world=settings.reference == "published-grey-world")
    else:
        references = classical
        for part in chunks(references):
            part[:] = transported_pictures(part, transport)
    report(3, 4, "synthetic pairs")
    camera, packed = None, None
    if settings.wants_synthetic_pairs:
        camera = fit_camera(data.raw, data.photos, white_balance, exposure, color_matrix, seed, gains)
        packed = synthetic_mosaics(data.photos, camera, seed)
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
    report(4, 4, None)
    synthetic = _synthetic_pairs(record, data.photos, packed)
    return Prepared(record, data.raw, data.photos, references, scored_pairs(data.pairs), synthetic)


def scored_pairs(pairs: Pairs | None) -> list[ScoredPair]:
    """At most 64 pairs, each cut to the central 512 pixels, as packed tensors and photos."""
    kept = [pairs[index] for index in spread(len(pairs), PAIRS_LIMIT)] if pairs else []
    return [_central(pack(pair.raw), pair.photo) for pair in kept]


def _synthetic_pairs(
    record: PreparedRecord, photos: PhotoPatches, packed: NDArray[np.uint16] | None
) -> SyntheticPairs | None:
    if record.camera is None or packed is None:
        return None
    return SyntheticPairs(packed, photos, record.camera, record.seed)


def _read_pairs(path: Path) -> list[ScoredPair]:
    """The pairs that `Prepared.save` wrote.

    Raises:
        InputError: damaged, or unpacking to more than pairs can be.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            unpacked_bytes = sum(member.file_size for member in archive.infolist())
            if unpacked_bytes > MAX_PAIRS_BYTES:
                raise InputError(f"{path}: unpacks to {unpacked_bytes} bytes; pairs have at most {MAX_PAIRS_BYTES}")
        with np.load(path, allow_pickle=False) as stored:
            arrays = [(stored[f"raw_{at}"], stored[f"rgb_{at}"]) for at in range(len(stored.files) // 2)]
    except InputError:
        raise
    except Exception as error:
        # Archives and the arrays in them are damaged in too many ways to list.
        raise InputError(f"{path}: not a readable .npz file ({type(error).__name__})") from error
    for packed, photo in arrays:
        check_array(packed, path, "<f4", (4, None, None))
        check_array(photo, path, "|u1", (2 * packed.shape[1], 2 * packed.shape[2], 3))
        if not np.isfinite(packed).all():
            raise InputError(f"{path}: holds NaN or infinite values")
    return [(torch.from_numpy(packed), photo) for packed, photo in arrays]


def _central(packed: NDArray[np.float32], photo: NDArray[np.uint8]) -> ScoredPair:
    """The middle of a pair, with sides that are multiples of 4 pixels."""
    height, width = (min(side, PAIR_SIDE) // 4 * 4 for side in photo.shape[:2])
    top, left = (photo.shape[0] - height) // 4, (photo.shape[1] - width) // 4
    inner = packed[:, top : top + height // 2, left : left + width // 2]
    return torch.from_numpy(np.ascontiguousarray(inner)), photo[2 * top :, 2 * left :][:height, :width].copy()
