"""The record inside a file survives the round trip, and a strange one is refused."""

from pathlib import Path

import pytest
from export_cases import PLAIN_CASES, bundle_of

from nas_isp.errors import InputError
from nas_isp.export.metadata import ExportRecord, read_record
from nas_isp.export.write import describe


def test_the_record_round_trips_and_says_what_the_file_is() -> None:
    record = describe(bundle_of(PLAIN_CASES["quarter"]), "tflite", "fp16", (32, 48))
    assert read_record(record.model_dump_json(), Path("m.tflite")) == record
    assert (record.layout, record.packed_size, record.step, record.global_head) == ("NHWC", (32, 48), 2, False)
    assert record.input_channels == ("R", "G of the red row", "G of the blue row", "B")
    assert describe(bundle_of(PLAIN_CASES["color-head"]), "onnx", "fp32", None).packed_size is None


@pytest.mark.parametrize("text", [None, "", "{", "[]", "{}", '{"format_version": 2}', "[" * 100000])
def test_a_strange_record_is_refused(text: str | None) -> None:
    with pytest.raises(InputError, match=r"m\.onnx"):
        read_record(text, Path("m.onnx"))


def test_every_field_is_described() -> None:
    assert all(field.description for field in ExportRecord.model_fields.values())
