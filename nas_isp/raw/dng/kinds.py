"""DNG files that hold no Bayer mosaic that can be read, called by the field's words."""

from pathlib import Path

from nas_isp.errors import InputError
from nas_isp.raw.dng.tags import CFA_PHOTOMETRIC, JPEG_XL, LINEAR_PHOTOMETRIC, DngTags

MONOCHROME_PHOTOMETRIC = 1
BAYER_COLORS = (0, 1, 1, 2)
CELL = ((0, 0), (0, 1), (1, 0), (1, 1))
BINNED = {2: "quad-Bayer (2x2 pixels a color)", 3: "nonacell (3x3 pixels a color)", 4: "16-cell (4x4 pixels a color)"}
COLORS = {0: "red", 1: "green", 2: "blue", 3: "cyan", 4: "magenta", 5: "yellow", 6: "white"}
GIVE = "give a Bayer mosaic"


def refuse_other_kinds(tags: DngTags, path: Path) -> None:
    """Say what a DNG file is that is no readable Bayer mosaic, and what to do.

    Raises:
        InputError: linear, monochrome, with other color filters than Bayer's, or compressed with JPEG XL.
    """
    if tags.photometric == LINEAR_PHOTOMETRIC and tags.samples_per_pixel >= 3:
        pro = "Apple ProRAW, " if tags.unique_camera_model.startswith(("iPhone", "iPad")) else ""
        raise InputError(
            f"{path}: a linear DNG ({pro}already demosaiced); no mosaic can be won back, {GIVE}: "
            "the camera's own RAW, converted without demosaicing"
        )
    if tags.photometric in (LINEAR_PHOTOMETRIC, MONOCHROME_PHOTOMETRIC):
        raise InputError(f"{path}: a monochrome DNG, of a sensor without color filters; {GIVE}")
    if tags.photometric != CFA_PHOTOMETRIC:
        return
    _refuse_other_filters(tags, path)
    if tags.compression == JPEG_XL:
        raise InputError(
            f"{path}: a DNG 1.7 compressed with JPEG XL, which is not read; convert it with Adobe DNG Converter, "
            "compatibility set to DNG 1.6 or older"
        )


def _refuse_other_filters(tags: DngTags, path: Path) -> None:
    repeat, pattern = tags.cfa_repeat, tags.cfa_pattern
    if repeat is None or pattern is None or repeat[0] * repeat[1] != len(pattern):
        return  # damaged; LibRaw decides
    rows, columns = repeat
    if sorted(set(pattern)) != [0, 1, 2]:
        names = ", ".join(COLORS.get(code, f"color {code}") for code in sorted(set(pattern)))
        raise InputError(f"{path}: color filters of {names}; {GIVE} of red, green and blue")
    block = rows // 2
    if rows == columns and block in BINNED and _is_binned(pattern, block):
        raise InputError(f"{path}: {BINNED[block]}; {GIVE}: remosaiced or binned RAW of the same sensor")
    if (rows, columns) == (6, 6):
        raise InputError(f"{path}: X-Trans color filters (6x6); {GIVE}")
    cells = {
        tuple(sorted(pattern[(row + down) % rows * columns + (column + across) % columns] for down, across in CELL))
        for row in range(0, rows, 2)
        for column in range(0, columns, 2)
    }
    if cells != {BAYER_COLORS}:
        raise InputError(f"{path}: color filters that repeat over {rows}x{columns} pixels; {GIVE} (2x2)")


def _is_binned(pattern: tuple[int, ...], block: int) -> bool:
    side = 2 * block
    corners = [pattern[row * side + column] for row in (0, block) for column in (0, block)]
    whole = all(
        pattern[row * side + column] == corners[row // block * 2 + column // block]
        for row in range(side)
        for column in range(side)
    )
    return whole and tuple(sorted(corners)) == BAYER_COLORS
