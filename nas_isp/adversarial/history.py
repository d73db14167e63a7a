"""The files of a training that grow line by line, and that a resumed training takes up where its checkpoint was."""

import json
import math
from pathlib import Path
from typing import Any

from nas_isp.files import write_whole


class History:
    """A file of JSON rows that each have a `step`."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def append(self, row: dict[str, Any]) -> None:
        """Add a row; numbers keep five digits, and one that is not finite becomes null."""
        line = json.dumps({name: _rounded(value) for name, value in row.items()})
        with self.path.open("a") as file:
            file.write(line + "\n")

    def cut_after(self, step: int) -> None:
        """Forget rows of later steps, and lines that are no rows, such as a last one not written to its end."""
        if not self.path.is_file():
            return
        lines = self.path.read_text(encoding="utf-8", errors="replace").splitlines()
        kept = [line for line in lines if _is_row_until(line, step)]
        write_whole(self.path, "".join(f"{line}\n" for line in kept))


def _is_row_until(line: str, step: int) -> bool:
    try:
        row = json.loads(line)
        return isinstance(row, dict) and row.get("step", math.inf) <= step
    except (ValueError, TypeError, RecursionError):
        return False


def _rounded(value: Any) -> Any:
    if not isinstance(value, float):
        return value
    return float(f"{value:.5g}") if math.isfinite(value) else None
