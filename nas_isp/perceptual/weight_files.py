"""Finding the weights of networks that are not packaged: in local folders, then in the user's cache."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from nas_isp.errors import InputError
from nas_isp.resources import home_cache, user_cache

WEIGHTS_VARIABLE = "NAS_ISP_WEIGHTS"
WEIGHTS = "weights"
"""Folder of downloads in this program's cache."""


@dataclass(frozen=True)
class WeightsFile:
    """One file of published weights.

    Attributes:
        name: its official file name, under which it is looked for and stored.
        address: its official download; None if it has none.
        sha256: the 64 hexadecimal digits of its SHA-256; None without a download.
        aliases: other relative paths under which a weights folder may hold it.
    """

    name: str
    address: str | None = None
    sha256: str | None = None
    aliases: tuple[str, ...] = ()

    @property
    def described(self) -> str:
        """File, address and hash, for messages."""
        if self.address is None:
            return f"{self.name} (no official download)"
        return f"{self.name} from {self.address} (SHA-256 {self.sha256})"


def find_weights(files: Sequence[WeightsFile], weights_dir: Path | None = None) -> tuple[WeightsFile, Path] | None:
    """The first of the files that is on this machine, looking through one folder after the other; None without.

    Raises:
        InputError: `weights_dir` or the folder in the environment variable is no folder.
    """
    for folder in weights_folders(weights_dir):
        for file in files:
            for name in (file.name, *file.aliases):
                if (folder / name).is_file():
                    return file, folder / name
    return None


def weights_folders(weights_dir: Path | None = None) -> list[Path]:
    """Where weights are looked for, in this order: the folder given, that of the environment, the cache.

    Raises:
        InputError: one of the first two is named but no folder.
    """
    folders = []
    for named, by in ((weights_dir, "weights folder"), (os.environ.get(WEIGHTS_VARIABLE), WEIGHTS_VARIABLE)):
        if named:
            folder = Path(named).expanduser()
            if not folder.is_dir():
                raise InputError(f"{by} {folder} is no folder: give one that holds the weights' files, or none")
            folders.append(folder)
    home = home_cache()
    kept = [cache_folder(), *([home / WEIGHTS] if home is not None else [])]
    return [*folders, *dict.fromkeys(kept)]


def cache_folder() -> Path:
    """Where downloads are kept: `nas_isp/weights` in the user's cache folder (XDG); it may not exist yet."""
    return user_cache() / WEIGHTS
