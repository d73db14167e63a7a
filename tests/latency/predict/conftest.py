"""The committed scripts of the phone tables."""

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

TOOLS = Path(__file__).resolve().parents[3] / "tools"

Tools = SimpleNamespace


@pytest.fixture(scope="module")
def tools() -> Iterator[Tools]:
    """The modules of the script, importable as they are when it runs."""
    sys.path.insert(0, str(TOOLS))
    names = ("phone_measurements", "phone_fitting", "phone_methods", "phone_cross_validation", "build_phone_tables")
    yield Tools(**{name.removeprefix("phone_"): importlib.import_module(name) for name in names})
    sys.path.remove(str(TOOLS))
