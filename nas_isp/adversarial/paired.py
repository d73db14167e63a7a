"""Preparation of true pairs, for the paired modes and for scoring by PSNR."""

import numpy as np

from nas_isp.adversarial.prepare import Prepared, PreparedRecord, scored_pairs
from nas_isp.adversarial.transport import identity_transport
from nas_isp.data.patches import Pairs, PhotoPatches, RawPatches
from nas_isp.errors import InputError
from nas_isp.raw.packing import canonical_black, pack_uint16
from nas_isp.raw.sensor import SensorDescription


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
