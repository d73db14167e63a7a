"""The files of prepared data: a record, the large arrays, and where the folders of patches lie."""

import os
from pathlib import Path
from typing import Annotated

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, FiniteFloat

from nas_isp.data.patch_files import read_array, store_array
from nas_isp.data.patches import PhotoPatches, RawPatches
from nas_isp.errors import InputError
from nas_isp.files import write_whole
from nas_isp.preparation.classical_baseline import ClassicalBaseline
from nas_isp.preparation.look import Look
from nas_isp.preparation.network_inputs import NetworkInputs
from nas_isp.preparation.prepared import Prepared
from nas_isp.preparation.scoring_set import Anchors, ScoringSet
from nas_isp.preparation.synthetic_pairs import SyntheticPairs
from nas_isp.preparation.training_data import TrainingData
from nas_isp.preparation.validation_pairs import read_pairs, save_pairs
from nas_isp.raw.network_input import NetworkInput
from nas_isp.raw.synthesis import SyntheticCamera
from nas_isp.settings import Settings, load_yaml

RECORD, REFERENCES, SYNTHETIC, PAIRS = "prepared.json", "references.npy", "synthetic.npy", "pairs.npz"
FACTORS, SYNTHETIC_FACTORS, SYNTHETIC_GAINS = "factors.npy", "synthetic_factors.npy", "synthetic_gains.npy"
ANCHORS, SYNTHETIC_ANCHORS = "anchors.npy", "synthetic_anchors.npy"

Color = Annotated[list[float], Field(min_length=3, max_length=3)]


class PreparedRecord(Settings):
    """What saved data consists of besides arrays and patches."""

    raw: Annotated[
        str, Field(max_length=1000, description="Folder of the RAW patches, seen from this record's folder.")
    ]
    photos: Annotated[str, Field(max_length=1000, description="Folder of the photo patches, seen likewise.")]
    seed: Annotated[int, Field(description="Seed of the sampling.")]
    paired: Annotated[bool, Field(description="The photo of a RAW patch is the one of equal index.")] = False
    score_with_pairs: Annotated[bool, Field(description="Quality is PSNR on the true pairs.")] = False
    input: Annotated[NetworkInput, Field(description="What networks are given of a capture.")]
    metering: Annotated[NetworkInput, Field(description="How captures are balanced and metered for the look.")]
    look: Annotated[Look, Field(description="Look of the photos.")]
    color_matrix: Annotated[
        list[Color] | None,
        Field(min_length=3, max_length=3, description="Camera RGB to linear sRGB, if the files say."),
    ] = None
    exposure: Annotated[float, Field(gt=0, description="Exposure factor of the classical rendering.")] = 1.0
    camera: Annotated[
        SyntheticCamera | None, Field(description="The camera fitted to the captures, if synthetic pairs were made.")
    ] = None
    anchored: Annotated[bool, Field(description="Classical renderings of what is scored were made.")] = False
    classical_on_pairs: Annotated[
        dict[str, FiniteFloat], Field(max_length=10, description="What the classical rendering scores on true pairs.")
    ] = {}


def save_prepared(prepared: Prepared, folder: Path) -> None:
    """Write what `load_prepared` needs beside the folders of patches; arrays that were made there stay as they are.

    Raises:
        ValueError: paired data, whose patches have no lasting folder.
        UnwritableError: the folder cannot be written or has no room.
    """
    training = prepared.training
    if training.paired:
        raise ValueError("patches of pairs are held in memory, their files are gone: they cannot be saved")
    folder.mkdir(parents=True, exist_ok=True)
    store_array(folder / REFERENCES, training.references)
    store_array(folder / FACTORS, training.inputs.factors)
    if training.synthetic is not None:
        store_array(folder / SYNTHETIC, training.synthetic.packed)
        store_array(folder / SYNTHETIC_FACTORS, training.synthetic.factors)
        store_array(folder / SYNTHETIC_GAINS, training.synthetic.gains)
    save_pairs(folder / PAIRS, prepared.scoring.pairs)
    if (anchors := prepared.scoring.anchors) is not None:
        store_array(folder / ANCHORS, anchors.captures)
        if anchors.synthetic is not None:
            store_array(folder / SYNTHETIC_ANCHORS, anchors.synthetic)
    write_whole(folder / RECORD, _record_of(prepared, folder).model_dump_json(indent=1))


def load_prepared(folder: Path) -> Prepared:
    """Open saved data; the large arrays are memory-mapped.

    Raises:
        InputError: none there, or damaged.
    """
    if not (folder / RECORD).is_file():
        raise InputError(f"{folder}: holds no prepared data; give the folder of a study that has begun")
    record = load_yaml(folder / RECORD, PreparedRecord)
    try:
        raw, photos = RawPatches.open(folder / record.raw), PhotoPatches.open(folder / record.photos)
        height, width = raw.packed.shape[2:]
        inputs = NetworkInputs(raw, _factors(folder / FACTORS, len(raw)), record.input)
        references = read_array(folder / REFERENCES, "|u1", (len(raw), 3, 2 * height, 2 * width))
        synthetic = None
        if record.camera is not None:
            packed = read_array(folder / SYNTHETIC, "<u2", (len(photos), 4, height, width))
            synthetic = SyntheticPairs(
                packed,
                _factors(folder / SYNTHETIC_GAINS, len(photos)),
                _factors(folder / SYNTHETIC_FACTORS, len(photos)),
                photos,
                record.camera,
                record.seed,
            )
        pairs = read_pairs(folder / PAIRS)
        training = TrainingData(inputs, photos, references, record.seed, record.paired, synthetic)
        with_pairs = record.score_with_pairs and bool(pairs)
        scoring = ScoringSet(inputs, references, photos, synthetic, pairs, with_pairs)
        scoring.anchors = _read_anchors(folder, record, scoring)
    except InputError as error:
        raise InputError(f"{folder}: damaged preparation ({error}); delete the folder to make it anew") from error
    return Prepared(training, scoring, _baseline_of(record))


def _read_anchors(folder: Path, record: PreparedRecord, scoring: ScoringSet) -> Anchors | None:
    if not record.anchored:
        return None
    shape = scoring.references.shape[1:]
    # Few enough to be kept in memory, unlike the other arrays.
    captures = np.array(read_array(folder / ANCHORS, "|u1", (len(scoring.test_indices), *shape)))
    synthetic = None
    if scoring.synthetic is not None:
        count = len(scoring.synthetic.test_indices)
        synthetic = np.array(read_array(folder / SYNTHETIC_ANCHORS, "|u1", (count, *shape)))
    return Anchors(captures, synthetic, dict(record.classical_on_pairs))


def _record_of(prepared: Prepared, folder: Path) -> PreparedRecord:
    training, baseline, anchors = prepared.training, prepared.baseline, prepared.scoring.anchors
    return PreparedRecord(
        raw=os.path.relpath(training.inputs.raw.folder, folder),
        photos=os.path.relpath(training.photos.folder, folder),
        seed=training.seed,
        paired=training.paired,
        score_with_pairs=prepared.scoring.score_with_pairs,
        input=training.inputs.kind,
        metering=baseline.network_input,
        look=baseline.look,
        color_matrix=baseline.color_matrix,
        exposure=baseline.exposure,
        camera=training.synthetic.camera if training.synthetic else None,
        anchored=anchors is not None,
        classical_on_pairs={} if anchors is None else anchors.on_pairs,
    )


def _baseline_of(record: PreparedRecord) -> ClassicalBaseline:
    return ClassicalBaseline(record.color_matrix, record.exposure, record.look, record.metering)


def _factors(path: Path, count: int) -> NDArray[np.float32]:
    """The factors of so many patches, `(N, 3)`.

    Raises:
        InputError: unreadable, of another shape, or not finite and above 0.
    """
    factors = np.array(read_array(path, "<f4", (count, 3)))
    if not (np.isfinite(factors) & (factors > 0)).all():
        raise InputError(f"{path}: holds factors that are not finite numbers above 0")
    return factors
