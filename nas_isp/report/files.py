"""Report files that appear whole or not at all."""

import os
import tempfile
from pathlib import Path

from nas_isp.errors import InputError


def write_bytes_whole(path: Path, content: bytes) -> None:
    """Write a file atomically.

    Raises:
        InputError: the folder does not exist or cannot be written.
    """
    part: Path | None = None
    try:
        with tempfile.NamedTemporaryFile(dir=path.parent, prefix=path.name, suffix=".part", delete=False) as file:
            part = Path(file.name)
            file.write(content)
        os.chmod(part, 0o644)
        os.replace(part, path)
    except OSError as error:
        if part is not None:
            part.unlink(missing_ok=True)
        raise InputError(f"{path}: cannot be written ({error.strerror}); give a writable folder") from error
