"""The files of a training that grow line by line, and that a resumed training takes up where its checkpoint was."""

import json
import math
from pathlib import Path
from typing import Any


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
        """Forget rows of later steps, and a last line that was not written to its end."""
        if not self.path.is_file():
            return
        lines = [line for line in self.path.read_text().splitlines() if line.endswith("}")]
        kept = [line for line in lines if json.loads(line)["step"] <= step]
        self.path.write_text("".join(f"{line}\n" for line in kept))


def _rounded(value: Any) -> Any:
    if not isinstance(value, float):
        return value
    return float(f"{value:.5g}") if math.isfinite(value) else None
