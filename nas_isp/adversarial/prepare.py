"""What all trainings on one data set share, computed once: content references, test patches, target statistics."""

import hashlib
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from pathlib import Path
from typing import Annotated, Any
from zipfile import BadZipFile

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import Field
from torch import Tensor

from nas_isp.adversarial.transport import ColorTransport, block_colors, faithfulness, fit_transport, identity_transport
from nas_isp.data.patches import Pairs, PhotoPatches, RawPatches, UnpairedData, UnpairedSampler
from nas_isp.errors import InputError
from nas_isp.evaluation.metrics import to_8_bit
from nas_isp.evaluation.reference_free import TargetStatistics, target_statistics
from nas_isp.perceptual.network import FeatureNetwork
from nas_isp.raw.classical import render, shades_of_grey
from nas_isp.raw.packing import canonical_black, pack, pack_uint16
from nas_isp.raw.sensor import SensorDescription
from nas_isp.recipe import TrainSettings
from nas_isp.settings import Settings, load_yaml

CHUNK = 32
TEST_PATCHES = 48
STATISTICS_PHOTOS = 192
PAIRS_LIMIT = 64
PAIR_SIDE = 512
CAPTURES = 256

Progress = Callable[[float, float | None, str | None], None]
Gains = tuple[float, float, float]
ScoredPair = tuple[Tensor, NDArray[np.uint8]]


class PreparedRecord(Settings):
    """What a saved preparation consists of besides the patches."""

    raw: Annotated[str, Field(description="Folder of the RAW patches, seen from this record's folder.")]
    photos: Annotated[str, Field(description="Folder of the photo patches, seen likewise.")]
    seed: Annotated[int, Field(description="Seed of the sampling and of the transport.")]
    paired: Annotated[bool, Field(description="The photo of a RAW patch is the one of equal index.")] = False
    score_with_pairs: Annotated[bool, Field(description="Quality is PSNR on the true pairs.")] = False
    white_balance: Annotated[tuple[float, float, float], Field(description="Gains of the content reference.")]
    color_matrix: Annotated[
        list[list[float]] | None, Field(description="Camera RGB to linear sRGB, 3 x 3, if the files say.")
    ] = None
    exposure: Annotated[float, Field(gt=0, description="Exposure factor of the content reference.")] = 1.0
    transport: Annotated[list[list[float]], Field(description="Coefficients of the colour transport, 13 x 3.")]


@dataclass
class Prepared:
    """Data, references and test material of one or many trainings; read-only and cheap to load.

    Attributes:
        references: uint8 `(N, 3, S, S)`, the content reference of each RAW patch; memory-mapped.
        pairs: packed pictures `(4, h, w)` with their true photos `(2h, 2w, 3)`, for PSNR.
    """

    record: PreparedRecord
    raw: RawPatches
    photos: PhotoPatches
    references: NDArray[np.uint8]
    pairs: list[ScoredPair]
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
        for part in _chunks(self.references):
            digest.update(part.tobytes())
        return digest.hexdigest()

    @property
    def score_with_pairs(self) -> bool:
        """Whether quality is PSNR on the true pairs."""
        return self.record.score_with_pairs and bool(self.pairs)

    def batch(self, step: int, size: int, device: torch.device) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """The batch of a step: packed RAW, its references, target photos, and the indices of the RAW patches.

        A function of seed and step alone.
        """
        sampler = UnpairedSampler(len(self.raw), len(self.photos), size, self.record.seed)
        raw_indices, photo_indices = sampler.indices(step)
        flips = None if self.record.paired else sampler.flips(step)
        if self.record.paired:
            photo_indices = raw_indices
        packed = self.raw.tensor(raw_indices).to(device, non_blocking=True)
        photos = self.photos.tensor(photo_indices, flip=flips).to(device, non_blocking=True)
        return packed, self.reference(raw_indices).to(device, non_blocking=True), photos, torch.as_tensor(raw_indices)

    def reference(self, indices: Sequence[int] | NDArray[np.intp]) -> Tensor:
        """Content references `(B, 3, S, S)`, sRGB 0..1."""
        return torch.from_numpy(self.references[np.asarray(indices)]).float() / 255

    def test_batch(self, device: torch.device) -> tuple[Tensor, Tensor]:
        """Fixed RAW patches spread over the set, and their references."""
        indices = _spread(len(self.raw), TEST_PATCHES)
        return self.raw.tensor(indices).to(device), self.reference(indices).to(device)

    def target_statistics(self, features: FeatureNetwork, device: torch.device) -> TargetStatistics:
        """Statistics of the target photos, computed at the first call."""
        if self._statistics is None:
            photos = self.photos.tensor(_spread(len(self.photos), STATISTICS_PHOTOS)).to(device)
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
        return _look_of(self.record.white_balance, matrix)(packed, exposure=self.record.exposure)

    def with_references(self, references: NDArray[np.uint8]) -> "Prepared":
        """The same data with other references, for instance a teacher's pictures."""
        return replace(self, references=references)

    def save(self, folder: Path) -> None:
        """Write what `load` needs beside the patch folders.

        Raises:
            ValueError: paired data, whose patches have no folder.
        """
        if self.record.paired:
            raise ValueError("paired data are prepared in memory and cannot be saved")
        folder.mkdir(parents=True, exist_ok=True)
        np.save(folder / "references.npy", self.references)
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
            references = np.load(folder / "references.npy", mmap_mode="r")
            with np.load(folder / "pairs.npz") as stored:
                count = len(stored.files) // 2
                pairs = [(torch.from_numpy(stored[f"raw_{at}"]), stored[f"rgb_{at}"]) for at in range(count)]
        except (OSError, ValueError, KeyError, BadZipFile) as error:
            raise InputError(f"{folder}: damaged preparation ({error}); delete the folder to make it anew") from error
        raw, photos = RawPatches.open(folder / record.raw), PhotoPatches.open(folder / record.photos)
        return Prepared(record, raw, photos, references, pairs)


def prepare(
    data: UnpairedData,
    settings: TrainSettings,
    seed: int,
    score_with_pairs: bool = True,
    progress: Progress | None = None,
) -> Prepared:
    """Make the content references of unpaired data: a classical rendering, its colours transported to the photos."""
    report = progress or (lambda done, total, text: None)
    report(0, 3, "white balance and exposure")
    white_balance, color_matrix = _common_white_balance(data.raw), _common_color_matrix(data.raw)
    look = _look_of(white_balance, color_matrix)
    exposure = _matching_exposure(data, look)
    report(1, 3, "colour transport")
    classical = _classical_references(data.raw, look, exposure)
    transport = identity_transport()
    if settings.warm_start.transport:
        transport = _fit(classical, data.photos, seed, captures=len(set(data.raw.stems)))
    report(2, 3, "content references")
    references = np.concatenate([_transported(part, transport) for part in _chunks(classical)])
    record = PreparedRecord(
        raw=str(data.raw.folder.resolve()),
        photos=str(data.photos.folder.resolve()),
        seed=seed,
        score_with_pairs=score_with_pairs,
        white_balance=white_balance,
        color_matrix=color_matrix,
        exposure=exposure,
        transport=transport.coefficients.tolist(),
    )
    report(3, 3, None)
    return Prepared(record, data.raw, data.photos, references, scored_pairs(data.pairs))


def prepare_paired(pairs: Pairs, size: int, seed: int, tested: Pairs | None = None) -> Prepared:
    """Patches of `size` pixels from true pairs; the content reference of a patch is its photo.

    Args:
        tested: pairs for scoring; the training pairs themselves if None.

    Raises:
        InputError: no pair holds a patch.
    """
    packed, levels, photos, stems = [], [], [], []
    for pair in pairs:
        planes, black = pack_uint16(pair.raw.mosaic, pair.raw.cfa), canonical_black(pair.raw)
        for top, left in np.ndindex(pair.photo.shape[0] // size, pair.photo.shape[1] // size):
            rows, columns = (slice(at * size, (at + 1) * size) for at in (top, left))
            half_rows, half_columns = (slice(at * size // 2, (at + 1) * size // 2) for at in (top, left))
            packed.append(planes[:, half_rows, half_columns])
            photos.append(pair.photo[rows, columns].transpose(2, 0, 1))
            levels.append((*black, pair.raw.white))
            stems.append(pair.stem)
    if not packed:
        raise InputError(
            f"{pairs.folder}: no pair of {size}x{size} pixels or more; give larger ones or a smaller patch"
        )
    black_white = np.array(levels, np.float32)
    unknown = np.full((len(packed), 3), np.nan, np.float32)
    unknown_matrix = np.full((len(packed), 3, 3), np.nan, np.float32)
    red, green_of_red, green_of_blue, blue, white = levels[0]
    bits = max(8, int(white).bit_length())
    sensor = SensorDescription(
        name=pairs.folder.name, cfa="RGGB", bits=bits, black=(red, green_of_red, green_of_blue, blue), white=white
    )
    raw = RawPatches(
        pairs.folder,
        np.stack(packed),
        black_white[:, :4],
        black_white[:, 4],
        unknown,
        unknown_matrix,
        stems,
        sensor,
        skipped=[],
    )
    truth = np.stack(photos)
    record = PreparedRecord(
        raw="",
        photos="",
        seed=seed,
        paired=True,
        score_with_pairs=True,
        white_balance=(1.0, 1.0, 1.0),
        transport=identity_transport().coefficients.tolist(),
    )
    scored = scored_pairs(tested if tested is not None else pairs)
    return Prepared(record, raw, PhotoPatches(pairs.folder, truth, stems, skipped=[]), truth, scored)


def scored_pairs(pairs: Pairs | None) -> list[ScoredPair]:
    """At most 64 pairs, each cut to the central 512 pixels, as packed tensors and photos."""
    chosen = list(pairs or ())
    kept = [chosen[index] for index in _spread(len(chosen), PAIRS_LIMIT)] if chosen else []
    return [_central(pack(pair.raw), pair.photo) for pair in kept]


def _central(packed: NDArray[np.float32], photo: NDArray[np.uint8]) -> ScoredPair:
    """The middle of a pair, with sides that are multiples of 4 pixels."""
    height, width = (min(side, PAIR_SIDE) // 4 * 4 for side in photo.shape[:2])
    top, left = (photo.shape[0] - height) // 4, (photo.shape[1] - width) // 4
    inner = packed[:, top : top + height // 2, left : left + width // 2]
    return torch.from_numpy(np.ascontiguousarray(inner)), photo[2 * top :, 2 * left :][:height, :width].copy()


def _look_of(white_balance: Gains, color_matrix: list[list[float]] | None) -> Callable[..., Tensor]:
    """The classical rendering with fixed gains and matrix; takes packed RAW and the other options of `render`."""
    matrix = None if color_matrix is None else torch.tensor(color_matrix)
    return partial(render, white_balance=torch.tensor(white_balance), color_matrix=matrix)


def _common_color_matrix(raw: RawPatches) -> list[list[float]] | None:
    """The mean of the captures' colour matrices, or None where no file has one."""
    known = raw.color_matrix[np.isfinite(raw.color_matrix).all((1, 2))]
    return known.mean(0).tolist() if len(known) else None


def _common_white_balance(raw: RawPatches) -> Gains:
    """One set of gains for all: the geometric mean over captures of the as-shot gains, or of shades of grey."""
    places: dict[str, list[int]] = {}
    for index, stem in enumerate(raw.stems):
        places.setdefault(stem, []).append(index)
    captures = [list(places.values())[index] for index in _spread(len(places), CAPTURES)]
    known = raw.white_balance[[capture[0] for capture in captures]]
    known = known[np.isfinite(known).all(1)]
    if len(known):
        return _gains(torch.from_numpy(known))
    gains = [shades_of_grey(raw.tensor([capture[at] for at in _spread(len(capture), 16)])) for capture in captures]
    return _gains(torch.stack(gains))


def _gains(of_captures: Tensor) -> Gains:
    red, green, blue = of_captures.double().log().mean(0).exp().tolist()
    return red, green, blue


def _matching_exposure(data: UnpairedData, look: Callable[..., Tensor]) -> float:
    """The factor, at least 1, that gives the renderings the photos' mean brightness, found by bisection."""
    packed = data.raw.tensor(_spread(len(data.raw), 64))
    wanted = float(data.photos.tensor(_spread(len(data.photos), 64)).mean())
    low, high = 1.0, 16.0
    for _ in range(12):
        middle = (low * high) ** 0.5
        brightness = float(look(packed, exposure=middle, demosaic="bilinear").mean())
        low, high = (middle, high) if brightness < wanted else (low, middle)
    return low


def _classical_references(raw: RawPatches, look: Callable[..., Tensor], exposure: float) -> NDArray[np.uint8]:
    parts = [
        _to_bytes(look(raw.tensor(range(start, min(start + CHUNK, len(raw)))), exposure=exposure))
        for start in range(0, len(raw), CHUNK)
    ]
    return np.concatenate(parts)


def _fit(classical: NDArray[np.uint8], photos: PhotoPatches, seed: int, captures: int) -> ColorTransport:
    rendered = torch.from_numpy(classical[_spread(len(classical), 512)]).float() / 255
    colors = block_colors(photos.tensor(_spread(len(photos), 512)))
    return fit_transport(block_colors(rendered), colors, seed, faithfulness(captures))


def _transported(classical: NDArray[np.uint8], transport: ColorTransport) -> NDArray[np.uint8]:
    return _to_bytes(transport(torch.from_numpy(classical).float() / 255))


def _to_bytes(images: Tensor) -> NDArray[np.uint8]:
    return to_8_bit(images).transpose(0, 3, 1, 2)


def _chunks(array: NDArray[np.uint8]) -> list[NDArray[np.uint8]]:
    return [array[start : start + CHUNK] for start in range(0, len(array), CHUNK)]


def _spread(count: int, wanted: int) -> NDArray[np.intp]:
    """At most `wanted` indices, evenly spread over `count`."""
    return np.linspace(0, count - 1, min(count, wanted)).round().astype(np.intp)
