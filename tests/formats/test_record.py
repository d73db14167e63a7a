"""The record inside a file survives the round trip, and a strange one is refused."""

from pathlib import Path

import pytest

from nas_isp.errors import InputError
from nas_isp.export.export import describe
from nas_isp.export.exporters import Form
from nas_isp.formats.record import ExportRecord, read_record
from nas_isp.generators.bundle import RAW_FOLDER, Bundle
from tests.export.export_cases import PLAIN_CASES, bundle_of


def test_the_record_round_trips_and_says_what_the_file_is() -> None:
    record = describe(bundle_of(PLAIN_CASES["quarter"]), Form("tflite", "fp16", (32, 48)))
    assert read_record(record.model_dump_json(), Path("m.tflite")) == record
    assert (record.layout, record.packed_size, record.step, record.global_head) == ("NHWC", (32, 48), 2, False)
    assert record.input_channels == ("R", "G of the red row", "G of the blue row", "B")
    assert describe(bundle_of(PLAIN_CASES["color-head"]), Form("onnx", packed_size=None)).packed_size is None


def test_the_record_says_how_the_numbers_are_meant() -> None:
    record = describe(bundle_of(PLAIN_CASES["plain"]), Form("tflite", "int8", input="raw", output="float"))
    assert record.input_values == "x: sensor values as int32"
    assert record.levels == ((64.0, 64.0, 64.0, 64.0), 1023.0)
    assert "zero point" in record.output_values
    with pytest.raises(InputError, match="input_black"):
        read_record(record.model_copy(update={"input_black": None}).model_dump_json(), Path("m.tflite"))
    with pytest.raises(InputError, match="must be below input_white"):
        read_record(record.model_copy(update={"input_white": 64.0}).model_dump_json(), Path("m.tflite"))


def test_the_users_folder_is_not_given_away() -> None:
    bundle = bundle_of(PLAIN_CASES["plain"])
    origin = {"command": "train", RAW_FOLDER: "/home/somebody/raw"}
    told = Bundle(bundle.record.model_copy(update={"origin": origin}), bundle.weights)
    assert describe(told, Form("onnx")).origin == {"command": "train"}


@pytest.mark.parametrize("text", [None, "", "{", "[]", "{}", '{"format_version": 2}', "[" * 100000])
def test_a_strange_record_is_refused(text: str | None) -> None:
    with pytest.raises(InputError, match=r"m\.onnx"):
        read_record(text, Path("m.onnx"))


def test_every_field_is_described() -> None:
    assert all(field.description for field in ExportRecord.model_fields.values())
