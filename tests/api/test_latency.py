"""A latency is predicted for whatever stands for a network, and for a device's name, file or table alike."""

from pathlib import Path

import pytest

from nas_isp import resources
from nas_isp.api.latency import predict_latency
from nas_isp.errors import InputError
from nas_isp.generators.build import build
from nas_isp.generators.bundle import Bundle, BundleRecord
from nas_isp.generators.published import PUBLISHED
from nas_isp.latency.kernels.from_architecture import kernels_of
from nas_isp.latency.measure.devices import load_table
from nas_isp.latency.predict.predictor import predict
from nas_isp.raw.sensor import SensorDescription

NETWORK = PUBLISHED["efficient-isp"]


def test_a_name_an_architecture_a_bundle_a_file_and_kernels_are_one_network(tmp_path: Path) -> None:
    (tmp_path / "n.json").write_text(NETWORK.to_json())
    record = BundleRecord(architecture=NETWORK, sensor=SensorDescription(cfa="RGGB", white=1023))
    bundle = Bundle(record, dict(build(NETWORK).state_dict()))
    wanted = predict(load_table("pixel4-gpu"), kernels_of(NETWORK, 544, 960)).latency_ms
    given = ("efficient-isp", NETWORK, bundle, tmp_path / "n.json", str(tmp_path / "n.json"), kernels_of(NETWORK))
    assert [predict_latency(model).latency_ms for model in given] == [wanted] * len(given)


def test_a_device_is_a_name_a_file_or_a_table() -> None:
    file = resources.find("latency_tables", "galaxy-s10-gpu")
    given = ("galaxy-s10-gpu", file, str(file), load_table("galaxy-s10-gpu"))
    times = {predict_latency(NETWORK, device, input_size=(64, 96)).latency_ms for device in given}
    assert len(times) == 1
    assert times != {predict_latency(NETWORK, input_size=(64, 96)).latency_ms}


def test_what_the_table_does_not_know_is_told_once() -> None:
    notes: list[str] = []
    predict_latency(NETWORK, note=notes.append)
    assert len(notes) == 1
    assert notes[0].startswith("pixel4-gpu: measured on maps of at most")


def test_an_unknown_network_is_refused_with_what_is_known() -> None:
    with pytest.raises(InputError, match="published names are efficient-isp"):
        predict_latency("pynet")
