"""Every registry is in the list, and what one process registers another one can take over."""

import importlib
import re
from pathlib import Path

import pytest

import nas_isp
from nas_isp.all_registries import REGISTRIES, adopt_members, open_registry, registered_members
from nas_isp.raw.sensor import SENSORS, SensorDescription
from nas_isp.registry import Registry

PACKAGE = Path(nas_isp.__file__).parent
OWN = SensorDescription(name="own", cfa="GBRG", white=4095)


def test_every_registry_of_the_package_is_named() -> None:
    found = set()
    for path in PACKAGE.rglob("*.py"):
        if re.search(r"= Registry\(", path.read_text()):
            module = ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts)
            members = vars(importlib.import_module(module)).items()
            found |= {f"{module}:{name}" for name, member in members if isinstance(member, Registry)}
    assert found == set(REGISTRIES)


def test_no_two_registries_share_a_group_or_noun() -> None:
    registries = [open_registry(place) for place in REGISTRIES]
    groups, nouns = {registry.group for registry in registries}, {registry.noun for registry in registries}
    assert len(groups) == len(nouns) == len(REGISTRIES)
    assert all(group.startswith("nas_isp.") for group in groups)


@pytest.mark.parametrize("place", REGISTRIES)
def test_every_built_in_member_can_be_imported(place: str) -> None:
    registry = open_registry(place)
    assert len(registry) > 0
    for name in registry:
        assert registry[name] is not None


def test_what_is_registered_is_taken_over(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(SENSORS, "_registered", {})
    assert "nas_isp.raw.sensor:SENSORS" not in registered_members()
    SENSORS.register("own", OWN)
    members = registered_members()
    assert members["nas_isp.raw.sensor:SENSORS"] == {"own": OWN}

    monkeypatch.setattr(SENSORS, "_registered", {})
    adopt_members(members)
    assert SENSORS["own"] == OWN
