"""The demo set that ships with the program, as the folders a user would give."""

from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path

from nas_isp.errors import InputError
from nas_isp.files import write_whole

FOLDERS = ("raw", "rgb", "val/raw", "val/rgb")


def demo_folders(into: Path) -> tuple[Path, Path, Path]:
    """Write the demo set into a folder and give its RAW, photo and validation folders.

    `into/raw` and `into/rgb` are unpaired, `into/val` holds `raw/` and `rgb/` with equal stems. Files that are there
    already with the right size are kept, so that patch caches stay valid.

    Raises:
        InputError: `into` cannot be written.
    """
    packaged = resources.files("nas_isp.data") / "demo"
    try:
        for name in FOLDERS:
            target = into / name
            target.mkdir(parents=True, exist_ok=True)
            for item in packaged.joinpath(*name.split("/")).iterdir():
                if item.is_file():
                    _copy(item, target)
    except OSError as error:
        raise InputError(f"{into}: cannot be written ({error.strerror}); give a writable folder") from error
    return into / "raw", into / "rgb", into / "val"


def _copy(item: Traversable, folder: Path) -> None:
    content, target = item.read_bytes(), folder / item.name
    if target.is_file() and target.stat().st_size == len(content):
        return
    write_whole(target, content)
