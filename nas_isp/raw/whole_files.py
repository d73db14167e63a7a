"""Whether a picture file ends before its pixels do, told by its directories alone."""

from pathlib import Path

from nas_isp.raw.tiff_directory import directories_of, end_of_data, silent_tifffile

PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
TIFF_STARTS = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
MOST_CHUNKS = 1_000_000


def ends_early(path: Path) -> bool:
    """Whether data that the chunks of a PNG file or the directories of a TIFF file speak of lies behind its end.

    Other formats do not say where they end, and damage within a file shows only when it is read.
    """
    with path.open("rb") as file:
        start = file.read(len(PNG_SIGNATURE))
    if start == PNG_SIGNATURE:
        return _png_ends_early(path)
    return start.startswith(TIFF_STARTS) and _tiff_ends_early(path)


def _png_ends_early(path: Path) -> bool:
    """Walks the chunks: length, name, content, checksum (PNG specification, third edition, 5.3)."""
    size = path.stat().st_size
    with path.open("rb") as file:
        at = len(PNG_SIGNATURE)
        for _ in range(MOST_CHUNKS):
            file.seek(at)
            head = file.read(8)
            if len(head) < 8:
                return True
            at += 12 + int.from_bytes(head[:4], "big")
            if at > size:
                return True
            if head[4:] == b"IEND":
                return False
    return True


def _tiff_ends_early(path: Path) -> bool:
    import tifffile

    try:
        with silent_tifffile(), tifffile.TiffFile(path) as tiff:
            return max(map(end_of_data, directories_of(tiff)), default=0) > path.stat().st_size
    except Exception:
        return False  # the reader of the picture says what is wrong
