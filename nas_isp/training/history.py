"""The files of a training that grow line by line, and that a resumed training takes up where its checkpoint was."""

import json
import math
from pathlib import Path
from typing import Any

from nas_isp.files import append_text


class History:
    """A file of JSON rows that each have a `step`."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def append(self, row: dict[str, Any]) -> None:
        """Add a row; numbers keep five digits, and one that is not finite becomes null.

        Raises:
            UnwritableError: the file cannot be written or has no room.
        """
        append_text(self.path, json.dumps({name: _rounded(value) for name, value in row.items()}) + "\n")

    def cut_after(self, step: int) -> None:
        """Forget what follows the last row until a step: rows of later steps, and a line not written to its end.

        The file is only made shorter, so that a kill in the middle loses no row.
        """
        if not self.path.is_file():
            return
        kept_bytes = 0
        with self.path.open("rb+") as file:
            for line in file:
                if not _is_row_until(line, step):
                    break
                kept_bytes += len(line)
            file.truncate(kept_bytes)


def _is_row_until(line: bytes, step: int) -> bool:
    if not line.endswith(b"\n"):
        return False
    try:
        row = json.loads(line)
        return isinstance(row, dict) and row.get("step", math.inf) <= step
    except (ValueError, TypeError, RecursionError):
        return False


def _rounded(value: Any) -> Any:
    if not isinstance(value, float):
        return value
    return float(f"{value:.5g}") if math.isfinite(value) else None
