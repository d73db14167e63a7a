"""Pages and plots of studies."""

import os
from contextlib import suppress
from pathlib import Path

from nas_isp.errors import InputError
from nas_isp.files import can_write_in
from nas_isp.resources import user_cache


def _give_matplotlib_a_folder() -> None:
    """Where there is no home, or a read-only one, Matplotlib would warn or end."""
    named = os.environ.get("XDG_CONFIG_HOME")
    with suppress(RuntimeError):
        if can_write_in((Path(named) if named else Path.home() / ".config") / "matplotlib"):
            return
    with suppress(InputError):
        os.environ.setdefault("MPLCONFIGDIR", str(user_cache() / "matplotlib"))


_give_matplotlib_a_folder()
