"""The tags of a DNG file by a reader of our own: what LibRaw reads otherwise, or does not hand over.

Pixels stay LibRaw's. tifffile walks the directories and reads no value before it is asked for; every count is bounded
before that. Tags and their meaning: Adobe, "Digital Negative (DNG) Specification", 1.7.1.0.
"""

import math
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from nas_isp.raw.tiff_directory import MOST_SIDE, Area, Directory, Matrix, directories_of, end_of_data, silent_tifffile

if TYPE_CHECKING:
    from tifffile import TiffPage

Chromaticity = tuple[float, float]

CFA_PHOTOMETRIC, LINEAR_PHOTOMETRIC = 32803, 34892
JPEG_XL = 52546

MOST_OPCODE_BYTES = 16 << 20
"""A gain map of every pixel of a thumbnail has a tenth of it."""

MOST_ILLUMINANT_BYTES = 1 << 16
"""A spectrum in steps of 1 nm has a tenth of it."""

MOST_PATTERN = 4096
"""Values of a black level that repeats."""


@dataclass(frozen=True)
class DngTags:
    """What the directory of the RAW picture and the first directory of a DNG file say; what they do not is None.

    Attributes:
        version: of the DNG specification that the file follows, as (1, 4, 0, 0).
        width: columns that are stored, masked ones among them.
        height: rows.
        photometric: 32803 for a mosaic, 34892 for demosaiced ("linear") data.
        compression: TIFF code, 52546 for JPEG XL.
        samples_per_pixel: 1 for a mosaic.
        cfa_repeat: rows and columns of the color filters' pattern.
        cfa_pattern: color codes, row by row: 0 red, 1 green, 2 blue, others for further colors.
        unique_camera_model: name that tells this camera (or one of a phone's) from all others, whatever the language.
        orientation: EXIF code 1..8.
        active_area: top, left, bottom, right of the pixels that saw light, within those stored.
        default_crop: left, top, width, height of what is to be shown, within the active area; may be fractions.
        has_linearization_table: whether stored values are looked up in a table (LibRaw does that).
        black_pattern: black levels `(rows, columns)` that repeat from the corner of the active area on.
        black_delta_h: what a column adds to black, one value a column of the active area.
        black_delta_v: what a row adds.
        white_level: saturation, one value a sample of a pixel; some writers give one a site of the cell.
        as_shot_neutral: camera color of gray in the light of the picture.
        as_shot_white_xy: chromaticity of that light.
        analog_balance: gains that were applied before the values were stored.
        baseline_exposure: EV that a converter should add.
        noise_profile: pairs (S, O), one for all colors or one a color: the variance of a value x is S x + O, both in
            units of white - black.
        color_matrices: XYZ to camera `(3, 3)` for each calibration light, two or three.
        forward_matrices: white-balanced camera to XYZ of D50.
        camera_calibrations: this very camera beside its model.
        illuminants: EXIF LightSource codes of the calibration lights, 0 where not said.
        described_lights: chromaticities of those that IlluminantData1 to 3 describe; None for a spectrum.
        calibration_signatures_match: whether `camera_calibrations` are meant for the matrices in the file.
        opcode_lists: bytes of OpcodeList1, 2 and 3; empty where there is none.
        data_end: place in the file where the stored picture ends.
        sub_images: of every picture in the file: width, height, photometric, and NewSubfileType (0 is the picture).
    """

    version: tuple[int, ...] | None = None
    width: int = 0
    height: int = 0
    photometric: int | None = None
    compression: int | None = None
    samples_per_pixel: int = 1
    cfa_repeat: tuple[int, int] | None = None
    cfa_pattern: tuple[int, ...] | None = None
    unique_camera_model: str = ""
    orientation: int | None = None
    active_area: Area | None = None
    default_crop: tuple[float, float, float, float] | None = None
    has_linearization_table: bool = False
    black_pattern: Matrix | None = None
    black_delta_h: Matrix | None = None
    black_delta_v: Matrix | None = None
    white_level: tuple[float, ...] | None = None
    as_shot_neutral: tuple[float, float, float] | None = None
    as_shot_white_xy: tuple[float, float] | None = None
    analog_balance: tuple[float, float, float] | None = None
    baseline_exposure: float | None = None
    noise_profile: tuple[tuple[float, float], ...] | None = None
    color_matrices: tuple[Matrix | None, ...] = (None, None)
    forward_matrices: tuple[Matrix | None, ...] = (None, None)
    camera_calibrations: tuple[Matrix | None, ...] = (None, None)
    illuminants: tuple[int, ...] = (0, 0)
    described_lights: tuple[Chromaticity | None, ...] = ()
    calibration_signatures_match: bool = True
    opcode_lists: tuple[bytes, bytes, bytes] = (b"", b"", b"")
    data_end: int = 0
    sub_images: tuple[tuple[int, int, int, int], ...] = ()


def read_dng_tags(path: Path) -> DngTags | None:
    """The tags of a DNG file; None for a file that is no DNG, or too damaged to tell.

    A single tag that is missing, damaged, of another type, count or range than the specification's counts as absent.
    """
    import tifffile

    try:
        with silent_tifffile(), tifffile.TiffFile(path) as tiff:
            first = tiff.pages.first
            if 50706 not in first.tags:
                return None
            pages = directories_of(tiff)
            main = _main(pages)
            return _tags_of(Directory(first, main), Directory(main), pages)
    except Exception:
        # A foreign parser on bytes of strangers fails in too many ways to list; LibRaw still reads the picture.
        return None


def _main(pages: "list[TiffPage]") -> "TiffPage":
    """The RAW picture: the largest mosaic, else the largest linear picture, else the largest of all."""

    def rank(page: "TiffPage") -> tuple[int, int, int]:
        photometric = int(page.photometric or 0)
        kind = {CFA_PHOTOMETRIC: 2, LINEAR_PHOTOMETRIC: 1}.get(photometric, 0)
        return kind, int(page.imagewidth) * int(page.imagelength), -pages.index(page)

    return max(pages, key=rank)


def _tags_of(first: Directory, main: Directory, pages: "list[TiffPage]") -> DngTags:
    page = main.page
    repeat, xy = main.numbers(33421, 2), first.numbers(50729, 2)
    exposure = first.numbers(50730, 1)
    white = main.numbers(50717, 1, 16)
    version = first.numbers(50706, 4)
    orientation = first.whole(274)
    return DngTags(
        version=None if version is None else tuple(int(part) for part in version),
        width=int(page.imagewidth),
        height=int(page.imagelength),
        photometric=int(page.photometric or 0),
        compression=main.whole(259),
        samples_per_pixel=int(page.samplesperpixel or 1),
        cfa_repeat=None if repeat is None else (int(repeat[0]), int(repeat[1])),
        cfa_pattern=tuple(main.raw_bytes(33422, 256)) or None,
        unique_camera_model=first.text(50708),
        orientation=orientation if orientation is not None and 1 <= orientation <= 8 else None,
        active_area=main.area(50829),
        default_crop=_default_crop(main),
        has_linearization_table=50712 in page.tags,
        black_pattern=_black_pattern(main),
        black_delta_h=_delta(main, 50715),
        black_delta_v=_delta(main, 50716),
        white_level=None if white is None or min(white) <= 0 else tuple(white),
        as_shot_neutral=first.positive(50728),
        as_shot_white_xy=_chromaticity(xy),
        analog_balance=first.positive(50727),
        baseline_exposure=None if exposure is None else exposure[0],
        noise_profile=_noise_profile(main.numbers(51041, 2, 8) or first.numbers(51041, 2, 8)),
        color_matrices=tuple(first.matrix(code) for code in (50721, 50722, 52531)),
        forward_matrices=tuple(first.matrix(code) for code in (50964, 50965, 52532)),
        camera_calibrations=tuple(first.matrix(code) for code in (50723, 50724, 52530)),
        illuminants=tuple(first.whole(code) or 0 for code in (50778, 50779, 52529)),
        described_lights=tuple(_described_light(first, code) for code in (52533, 52534, 52535)),
        calibration_signatures_match=first.text(50931) == first.text(50932),
        opcode_lists=(
            main.raw_bytes(51008, MOST_OPCODE_BYTES),
            main.raw_bytes(51009, MOST_OPCODE_BYTES),
            main.raw_bytes(51022, MOST_OPCODE_BYTES),
        ),
        data_end=end_of_data(page),
        sub_images=tuple(
            (int(one.imagewidth), int(one.imagelength), int(one.photometric or 0), Directory(one).whole(254) or 0)
            for one in pages
        ),
    )


def _default_crop(main: Directory) -> tuple[float, float, float, float] | None:
    origin, size = main.numbers(50719, 2), main.numbers(50720, 2)
    if size is None or min(size) <= 0:
        return None
    left, top = origin or (0.0, 0.0)
    return None if min(left, top) < 0 else (left, top, size[0], size[1])


def _black_pattern(main: Directory) -> Matrix | None:
    """One value of each sample of a pixel is the rule; the first is that of the mosaic."""
    repeat = main.numbers(50713, 2) or [1.0, 1.0]
    rows, columns = (int(side) for side in repeat)
    if not (min(rows, columns) >= 1 and rows * columns <= MOST_PATTERN):
        return None
    found = main.numbers(50714, rows * columns, 4 * rows * columns)
    if found is None or len(found) % (rows * columns) or min(found) < 0:
        return None
    return np.array(found).reshape(rows, columns, -1)[..., 0]


def _delta(main: Directory, code: int) -> Matrix | None:
    found = main.numbers(code, 1, MOST_SIDE)
    return None if found is None else np.array(found)


def _chromaticity(found: list[float] | None) -> Chromaticity | None:
    if found is None or min(found) <= 0 or sum(found) >= 1:
        return None
    return found[0], found[1]


def _described_light(first: Directory, code: int) -> Chromaticity | None:
    """x and y of IlluminantData: type 0, and two fractions; type 1 is a spectrum, which is not read."""
    content, order = first.raw_bytes(code, MOST_ILLUMINANT_BYTES), first.page.parent.byteorder
    if len(content) < 18 or struct.unpack_from(f"{order}H", content)[0] != 0:
        return None
    x, below_x, y, below_y = struct.unpack_from(f"{order}4I", content, 2)
    return _chromaticity([x / below_x, y / below_y]) if below_x and below_y else None


def _noise_profile(found: list[float] | None) -> tuple[tuple[float, float], ...] | None:
    if found is None or len(found) % 2:
        return None
    pairs = tuple(zip(found[::2], found[1::2], strict=True))
    possible = all(0 <= shot < 1 and abs(read) < 1 and math.isfinite(shot) for shot, read in pairs)
    return pairs if possible and any(shot > 0 or read > 0 for shot, read in pairs) else None
