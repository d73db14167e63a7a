"""What is wrong in a settings file is said in the program's own words."""

import re
from pathlib import Path

import pytest

from nas_isp.errors import InputError
from nas_isp.raw.sensor import SensorDescription
from nas_isp.settings import MAX_FILE_BYTES, load_yaml, parse_json


def test_a_rule_of_our_own_is_quoted_without_the_library_s_prefix(tmp_path: Path) -> None:
    path = tmp_path / "sensor.json"
    path.write_text('{"cfa": "RGGB", "bits": 10, "black": 2000, "white": 1023}')
    with pytest.raises(InputError, match=r"field '\(file\)': black 2000\.0 must be below white 1023"):
        load_yaml(path, SensorDescription)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("cfa: !!python/object/apply:os.system ['true']", "line 1: malformed YAML (tags are not allowed)"),
        ("cfa: RGGB\nbits: !!int ''", "line 2: malformed YAML (tags are not allowed)"),
        ("cfa: &a RGGB\nname: *a", "line 2: malformed YAML (aliases are not allowed)"),
        ("? [cfa, bits]\n: 1", "line 1: malformed YAML (a field's name must be a text)"),
        ("bits: " + "9" * 5000, "malformed YAML (Exceeds the limit"),
        ("[" * 10_000, "malformed YAML (maximum recursion depth exceeded"),
        ("cfa: RGGB  # " + "x" * MAX_FILE_BYTES, f"a settings file has at most {MAX_FILE_BYTES}"),
    ],
    ids=["code", "tag", "alias", "list as a name", "huge number", "deep", "long"],
)
def test_what_settings_have_no_use_for_is_refused_in_one_line(tmp_path: Path, text: str, reason: str) -> None:
    path = tmp_path / "sensor.yaml"
    path.write_text(text)
    with pytest.raises(InputError, match=re.escape(reason)) as caught:
        load_yaml(path, SensorDescription)
    assert "\n" not in str(caught.value)


def test_malformed_json_is_called_so(tmp_path: Path) -> None:
    path = tmp_path / "sensor.json"
    for text in ('{"cfa": "RGGB",\n"bits": [}', '{"bits": ' + "9" * 5000 + "}"):
        path.write_text(text)
        with pytest.raises(InputError, match=r"line \d: malformed JSON"):
            load_yaml(path, SensorDescription)


@pytest.mark.parametrize(
    ("text", "reason"),
    [("9" * 5000, "too many digits"), ("[" * 100_000, "nested too deeply"), ('{"a":\n,}', "line 2: malformed JSON")],
)
def test_json_that_its_parser_cannot_take_is_refused_with_the_place(text: str, reason: str) -> None:
    with pytest.raises(InputError, match=f"table.json.*{reason}"):
        parse_json(text, "table.json")


@pytest.mark.parametrize(
    ("text", "field"), [("shift: yes", "shift"), ("black: false", "black"), ("black: [1, 2, true, 4]", r"black\.2")]
)
def test_a_boolean_is_taken_for_no_number(tmp_path: Path, text: str, field: str) -> None:
    path = tmp_path / "sensor.yaml"
    path.write_text(f"cfa: RGGB\nwhite: 1023\n{text}\n")
    with pytest.raises(InputError, match=rf"line 3, field '{field}': yes, no, true and false are no numbers"):
        load_yaml(path, SensorDescription)
