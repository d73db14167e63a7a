"""Fetching published weights: whole and with the right checksum, or not at all."""

import hashlib
import urllib.error
import urllib.request
from collections.abc import Sequence
from http.client import HTTPException
from pathlib import Path

from nas_isp.errors import InputError
from nas_isp.files import make_folder, whole_file
from nas_isp.perceptual.weight_files import WEIGHTS_VARIABLE, WeightsFile, cache_folder, find_weights, weights_folders

TIMEOUT_S = 20.0
CHUNK_BYTES = 1 << 20


def download(file: WeightsFile, folder: Path, timeout_s: float = TIMEOUT_S) -> Path:
    """Fetch a file into a folder, with a progress bar on a terminal's stderr.

    The bytes take the final name only when their checksum is right, so that nothing unfinished or wrong is ever found;
    several processes may fetch the same file at once.

    Args:
        file: which has an address.
        folder: where it is put; made if absent.
        timeout_s: the longest wait for an answer or for more of it.

    Raises:
        InputError: not reachable, broken off, a wrong checksum, or a folder that cannot be written.
    """
    assert file.address is not None
    make_folder(folder)
    with whole_file(folder / file.name) as part:
        try:
            digest = _fetch(file.address, part, timeout_s)
        except (urllib.error.URLError, HTTPException, OSError) as error:
            reason = getattr(error, "reason", None) or error
            raise InputError(f"{file.address} cannot be fetched ({reason})") from error
        _check(digest, file)
    return folder / file.name


def weights_or_download(
    files: Sequence[WeightsFile], weights_dir: Path | None, needed_by: str, instead: str
) -> tuple[WeightsFile, Path]:
    """One of the files, fetched into the cache if none is on this machine.

    Args:
        files: those that serve, the preferred first.
        weights_dir: folder to look in first.
        needed_by: what needs it, for the message.
        instead: what else can be used, for the message.

    Raises:
        InputError: none is here and none can be fetched; the one-line message names files, addresses and hashes.
    """
    found = find_weights(files, weights_dir)
    if found:
        return found
    remote = next((file for file in files if file.address), None)
    looked = ", ".join(map(str, weights_folders(weights_dir)))
    if remote is None:
        names = " or ".join(file.name for file in files)
        raise InputError(
            f"{needed_by} needs {names}, which has no download: none in {looked}; put it into a folder that "
            f"weights_dir or {WEIGHTS_VARIABLE} names, or use {instead}",
            "weights_dir",
        )
    try:
        return remote, download(remote, cache_folder())
    except InputError as error:
        others = "".join(f" or {file.name}" for file in files if file is not remote)
        raise InputError(
            f"{needed_by} needs {remote.name}{others}: none in {looked}, and {error}; put {remote.name} (SHA-256 "
            f"{remote.sha256}) into a folder that weights_dir or {WEIGHTS_VARIABLE} names, or use {instead}",
            "weights_dir",
        ) from error


def _fetch(address: str, part: Path, timeout_s: float) -> str:
    """Copy what is at an address to a file; returns the SHA-256 of what came."""
    from rich.console import Console
    from rich.progress import wrap_file

    digest = hashlib.sha256()
    console = Console(stderr=True)
    with urllib.request.urlopen(address, timeout=timeout_s) as response:
        length = int(response.headers.get("Content-Length", 0))
        name = f"Downloading {address.rsplit('/', 1)[-1]}"
        with (
            wrap_file(response, length, description=name, console=console, disable=not console.is_terminal) as source,
            part.open("wb") as written,
        ):
            while chunk := source.read(CHUNK_BYTES):
                digest.update(chunk)
                written.write(chunk)
    return digest.hexdigest()


def _check(digest: str, file: WeightsFile) -> None:
    if digest != file.sha256:
        raise InputError(
            f"{file.address} gave a file with SHA-256 {digest} instead of {file.sha256}, which was not kept"
        )
