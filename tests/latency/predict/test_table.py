import json
from pathlib import Path
from typing import Any

import pytest

from nas_isp import resources
from nas_isp.errors import InputError
from nas_isp.latency.kernels.kernel import Kernel
from nas_isp.latency.measure.devices import device_names, load_table
from nas_isp.latency.predict.predictor import predict
from nas_isp.latency.predict.table import (
    DeviceRecord,
    LatencyTable,
    MeasuredKernel,
    SourceRecord,
    build_table,
    merged,
    read_table,
    write_table,
)
from tests.json_faults import spoil

PHONES = ("pixel4-gpu", "galaxy-s10-gpu", "mi8se-gpu", "galaxy-a03s-gpu", "iphone7-gpu", "iphonexs-gpu")


def conv(side: int, channels: int = 8, **changes: object) -> Kernel:
    shape = {"op": "conv2d", "in_channels": channels, "out_channels": channels, "kernel": 3}
    return Kernel.model_validate(shape | {"height": side, "width": side, "padding": "same"} | changes)


def small_table(processor: str = "gpu") -> LatencyTable:
    device = DeviceRecord.model_validate(
        {"id": "toy", "name": "Toy", "soc": "none", "processor": processor, "runtime": "none", "precision": "fp32"}
    )
    source = SourceRecord(how="by hand", when="once", licence="none", link="")
    entries = [MeasuredKernel(kernel=conv(side), median_ms=0.01 * side * side, runs=1) for side in (8, 16, 32, 64)]
    return build_table(device, source, entries)


@pytest.fixture
def content(tmp_path: Path) -> dict[str, Any]:
    write_table(tmp_path / "toy.json", small_table())
    loaded: dict[str, Any] = json.loads((tmp_path / "toy.json").read_text())
    return loaded


@pytest.mark.parametrize("name", PHONES)
def test_shipped_tables_load_and_say_where_they_come_from(name: str) -> None:
    table = load_table(name)
    assert table.device.id == name
    assert table.device.processor == "gpu"
    assert table.source.licence.startswith("MIT")
    assert "40ba833" in table.source.when
    assert len(table.measured) > 1600
    assert table.correction.fitted
    assert max(entry.kernel.height for entry in table.measured) <= 230


@pytest.mark.parametrize("name", PHONES)
def test_shipped_tables_are_as_this_version_writes_them(name: str, tmp_path: Path) -> None:
    write_table(tmp_path / "again.json", load_table(name))
    assert (tmp_path / "again.json").read_bytes() == resources.find("latency_tables", name).read_bytes()


def test_a_table_survives_writing_and_reading(tmp_path: Path) -> None:
    table = small_table()
    write_table(tmp_path / "toy.json", table)
    assert read_table(tmp_path / "toy.json") == table
    assert list(tmp_path.iterdir()) == [tmp_path / "toy.json"]


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        (("device", "id"), None, "field 'device.id'"),
        (("schema_version",), 2, "field 'schema_version'"),
        (("measured", 1, "median_ms"), -0.5, "field 'measured.1.median_ms'"),
        (("measured", 0, "kernel", "op"), "warp", "field 'measured.0.kernel.op'"),
        (("measured", 2, "p90_ms"), 1e-9, "field 'measured.2'"),
        (("models", "conv2d_spatial", "ms_per_gmac"), -1, "ms_per_gmac"),
        (("correction", "scale"), 0, "field 'correction.scale'"),
        (("source",), None, "field 'source'"),
    ],
)
def test_a_faulty_table_gives_one_line_that_names_the_field(
    tmp_path: Path, content: dict[str, Any], path: tuple[Any, ...], value: Any, message: str
) -> None:
    spoil(content, path, value)
    file = tmp_path / "faulty.json"
    file.write_text(json.dumps(content))
    with pytest.raises(InputError, match=message) as caught:
        load_table(str(file))
    assert "\n" not in str(caught.value)
    assert str(file) in str(caught.value)


@pytest.mark.parametrize("text", ["", "{", "[1, 2]", "null", "[" * 100_000, '{"device": NaN'])
def test_what_is_no_table_gives_one_line(tmp_path: Path, text: str) -> None:
    file = tmp_path / "broken.json"
    file.write_text(text)
    with pytest.raises(InputError, match=r"broken\.json") as caught:
        load_table(str(file))
    assert "\n" not in str(caught.value)


def test_an_unknown_device_lists_the_known_ones(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="pixel4-gpu") as caught:
        load_table("nokia-3310")
    assert "host" in str(caught.value)
    assert {*PHONES, "host"} <= set(device_names())


def test_this_machine_without_measurements_says_what_to_run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("NAS_ISP_CACHE", str(tmp_path))
    with pytest.raises(InputError, match="measure the kernels of a space on the target host in fp32"):
        load_table("host")


def test_an_unwritable_folder_is_an_input_error_and_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be written"):
        write_table(tmp_path / "absent" / "toy.json", small_table())
    assert not list(tmp_path.iterdir())


def test_the_later_measurement_of_a_kernel_counts() -> None:
    old = MeasuredKernel(kernel=conv(8), median_ms=1.0, runs=1)
    new = MeasuredKernel(kernel=conv(8), median_ms=2.0, runs=1)
    other = MeasuredKernel(kernel=conv(9), median_ms=3.0, runs=1)
    assert merged([old, other], [new]) == [new, other]


def test_a_measured_kernel_costs_what_was_measured() -> None:
    prediction = predict(small_table(), [conv(16), conv(16)])
    assert prediction.latency_ms == pytest.approx(2 * 2.56)
    assert prediction.measured_share == 1
    assert [part.basis for part in prediction.kernels] == ["measured", "measured"]


def test_fused_activations_are_free_on_a_gpu_but_not_on_a_cpu() -> None:
    def basis(processor: str, activation: str) -> str:
        return predict(small_table(processor), [conv(16, activation=activation)]).kernels[0].basis

    assert basis("gpu", "tanh") == "measured"
    assert basis("cpu", "tanh") == "interpolated"
    assert basis("cpu", "relu6") == "measured"
    assert basis("gpu", "add_relu") == "interpolated"


def test_between_measured_kernels_is_interpolated_and_beyond_them_extrapolated() -> None:
    inside, beyond = predict(small_table(), [conv(24)]), predict(small_table(), [conv(256)])
    assert inside.interpolated_share == 1
    assert inside.latency_ms == pytest.approx(0.01 * 24 * 24, rel=0.05)
    assert beyond.extrapolated_share == 1
    assert "larger" in beyond.kernels[0].reason
    assert beyond.latency_ms == pytest.approx(0.01 * 256 * 256, rel=0.05)


def test_an_operator_without_any_measurement_is_named_and_never_free() -> None:
    shuffle = Kernel.model_validate(
        {"op": "depth_to_space", "in_channels": 12, "out_channels": 3, "kernel": 2, "height": 8, "width": 8}
    )
    with pytest.raises(InputError, match="depth_to_space 12->3"):
        predict(small_table(), [shuffle])
    with pytest.raises(InputError, match="no kernels"):
        predict(small_table(), [])


def test_another_arithmetic_than_the_tables_is_refused() -> None:
    with pytest.raises(InputError, match="int8"):
        predict(small_table(), [conv(16, precision="int8")])


def test_a_kernel_that_falls_back_costs_its_own_time_and_says_so(tmp_path: Path) -> None:
    slow = MeasuredKernel(kernel=conv(16, channels=12), median_ms=99.0, runs=1)
    table = small_table().model_copy(update={"fallen_back": (slow,)})
    write_table(tmp_path / "toy.json", table)
    prediction = predict(read_table(tmp_path / "toy.json"), [conv(16), conv(16, channels=12)])
    assert prediction.latency_ms == pytest.approx(2.56 + 99)
    assert [part.basis for part in prediction.kernels] == ["measured", "extrapolated"]
    assert "leaves it to the CPU" in prediction.kernels[1].reason
