"""Sensors by name, and one of another package through the door."""

import pytest

from nas_isp.errors import InputError
from nas_isp.raw.readers import load_sensor
from nas_isp.raw.sensor import SENSORS, SensorDescription


def test_the_built_in_ones_are_found_by_name() -> None:
    assert list(SENSORS)[:4] == ["ultraisp", "zrr", "up-isp", "nokia-n900"]
    assert [load_sensor(name).name for name in list(SENSORS)[:4]] == [
        "UltraISP (Sony IMX586)",
        "Zurich RAW to RGB (Huawei P20)",
        "UP-ISP (Pixel 6, synthetic)",
        "Nokia N900",
    ]


def test_a_registered_one_is_taken_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    own = SensorDescription(name="own", cfa="GBRG", white=4095)
    monkeypatch.setitem(SENSORS._registered, "own", own)
    assert load_sensor("own") is own


def test_an_unknown_one_is_refused_with_the_known_ones() -> None:
    with pytest.raises(InputError, match="unknown sensor 'n901': known are ultraisp, zrr, up-isp, nokia-n900, or give"):
        load_sensor("n901")
