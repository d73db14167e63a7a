"""Every built-in sensor conforms, and faulty ones do not."""

import pytest

from nas_isp.raw.sensor import SENSORS, SensorDescription
from nas_isp.testing.sensors import SensorConformance


class TestBuiltInSensors(SensorConformance):
    @pytest.fixture(params=list(SENSORS), autouse=True)
    def each(self, request: pytest.FixtureRequest) -> None:
        self.name = request.param


@pytest.mark.parametrize(
    ("description", "test", "message"),
    [
        ({"name": "a", "white": 4095}, "test_its_levels_fit_its_bits", "white 4095.0 has no room in 10 bits"),
        (
            {"name": "a", "white": 1000, "bits": 12, "shift": 6},
            "test_its_levels_fit_its_bits",
            "12 bits << 6 have no room",
        ),
        ({"white": 1023}, "test_it_survives_json", "no name"),
    ],
)
def test_a_faulty_one_is_found(
    description: dict[str, object], test: str, message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(SENSORS._registered, "faulty", SensorDescription.model_validate({"cfa": "RGGB"} | description))
    conformance = SensorConformance()
    conformance.name = "faulty"
    with pytest.raises(AssertionError, match=message):
        getattr(conformance, test)()
