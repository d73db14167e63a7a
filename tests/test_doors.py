"""Every registry is among the doors, and what one process registers another one can take over."""

import importlib
import re
from pathlib import Path

import pytest

import nas_isp
from nas_isp.doors import DOORS, adopt_members, open_door, registered_members
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
    assert found == set(DOORS)


def test_no_two_registries_share_a_group_or_noun() -> None:
    doors = [open_door(place) for place in DOORS]
    assert len({door.group for door in doors}) == len({door.noun for door in doors}) == len(DOORS)
    assert all(door.group.startswith("nas_isp.") for door in doors)


@pytest.mark.parametrize("place", DOORS)
def test_every_built_in_member_can_be_imported(place: str) -> None:
    door = open_door(place)
    assert len(door) > 0
    for name in door:
        assert door[name] is not None


def test_what_is_registered_is_taken_over(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(SENSORS, "_registered", {})
    assert "nas_isp.raw.sensor:SENSORS" not in registered_members()
    SENSORS.register("own", OWN)
    members = registered_members()
    assert members["nas_isp.raw.sensor:SENSORS"] == {"own": OWN}

    monkeypatch.setattr(SENSORS, "_registered", {})
    adopt_members(members)
    assert SENSORS["own"] == OWN
