"""What is wrong in a settings file is said in the program's own words."""

from pathlib import Path

import pytest

from nas_isp.errors import InputError
from nas_isp.raw.sensor import SensorDescription
from nas_isp.settings import load_yaml


def test_a_rule_of_our_own_is_quoted_without_the_library_s_prefix(tmp_path: Path) -> None:
    path = tmp_path / "sensor.json"
    path.write_text('{"cfa": "RGGB", "bits": 10, "black": 2000, "white": 1023}')
    with pytest.raises(InputError, match=r"field '\(file\)': black 2000\.0 must be below white 1023"):
        load_yaml(path, SensorDescription)
