"""The file of a session is validated to the last field, and what must not be mixed is not."""

import json
from pathlib import Path
from typing import Any

import pytest

from nas_isp.errors import InputError
from nas_isp.latency.kernels.kernel import convolution
from nas_isp.latency.measure.measurements import joined, read_measurements
from nas_isp.latency.measure.session import measure
from nas_isp.latency.predict.table import read_table, write_table
from tests.json_faults import spoil
from tests.latency.simulated_target import SimulatedTarget


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "phone.json"
    measure(path, [convolution(4, 4, 3, (side, side)) for side in range(8, 20)], SimulatedTarget())
    return path


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        (("schema_version",), 2, "field 'schema_version'"),
        (("device", "soc"), None, "field 'device.soc'"),
        (("setup", "anchor"), None, "field 'setup.anchor'"),
        (("setup", "password"), "x", "field 'setup.password'"),
        (("batches", 0, "anchor_ms"), -1.0, "field 'batches.0.anchor_ms'"),
        (("batches", 1, "measured", 0, "median_ms"), 0, "field 'batches.1.measured.0.median_ms'"),
        (("batches", 1, "measured", 0, "min_ms"), 1e9, "field 'batches.1.measured.0'"),
        (("batches", 0, "measured", 0, "kernel", "op"), "warp", "field 'batches.0.measured.0.kernel.op'"),
        (("batches", 0, "health", "battery_percent"), 101, "field 'batches.0.health.battery_percent'"),
    ],
)
def test_a_fault_gives_one_line_that_names_the_field(
    file: Path, path: tuple[Any, ...], value: Any, message: str
) -> None:
    content = json.loads(file.read_text())
    spoil(content, path, value)
    file.write_text(json.dumps(content))
    with pytest.raises(InputError, match=message) as caught:
        read_measurements(file)
    assert "\n" not in str(caught.value)


def test_a_table_keeps_where_its_times_come_from(file: Path, tmp_path: Path) -> None:
    measurements = read_measurements(file)
    write_table(tmp_path / "table.json", measurements.table())
    table = read_table(tmp_path / "table.json")
    assert table == measurements.table()
    assert table.source.setup == measurements.setup
    assert [entry.min_ms for entry in table.measured] == [
        entry.min_ms for batch in measurements.batches for entry in batch.measured
    ]


def test_times_are_stated_at_the_usual_time_of_the_reference_network(file: Path) -> None:
    measurements = read_measurements(file)
    first, second = measurements.batches
    slower = {"anchor_ms": 1.04 * second.anchor_ms}
    disturbed = measurements.model_copy(update={"batches": (first, second.model_copy(update=slower))})
    assert disturbed.reference_ms == measurements.reference_ms == disturbed.table().source.anchor_ms
    before, after = ({entry.kernel: entry.median_ms for entry in m.measured()} for m in (measurements, disturbed))
    for batch, factor in ((first, 1.0), (second, 1.04)):
        for entry in batch.measured:
            assert after[entry.kernel] == pytest.approx(before[entry.kernel] / factor, abs=2e-6)


def test_a_spread_that_not_every_time_of_a_kernel_has_is_left_out(file: Path) -> None:
    """Else quantiles of one time could contradict the median of all, and the table could not be read again."""
    measurements = read_measurements(file)
    first, second = measurements.batches
    entry = first.measured[0]
    again = entry.model_copy(update={"median_ms": 9 * entry.median_ms, "p90_ms": 9.1 * entry.median_ms})
    twice = measurements.model_copy(update={"batches": (first, second.model_copy(update={"measured": (again,)}))})
    (found, *_) = (kernel for kernel in twice.measured() if kernel.kernel == entry.kernel)
    assert found.median_ms == pytest.approx(5 * entry.median_ms, abs=1e-6)
    assert found.p90_ms is None


def test_measurements_given_as_a_table_say_what_to_run(file: Path) -> None:
    with pytest.raises(InputError, match="build a table of them first"):
        read_table(file)


def test_files_of_one_target_are_joined_and_others_refused(file: Path, tmp_path: Path) -> None:
    more, other = tmp_path / "more.json", tmp_path / "other.json"
    measure(more, [convolution(8, 8, 3, (8, 8))], SimulatedTarget())
    measure(other, [convolution(8, 8, 3, (8, 8))], SimulatedTarget(threads=2))
    whole = joined([(path, read_measurements(path)) for path in (file, more)])
    assert len(whole.measured()) == 13
    with pytest.raises(InputError, match=r"other\.json: .*never mix"):
        joined([(path, read_measurements(path)) for path in (file, other)])
    nothing = read_measurements(file).model_copy(update={"batches": ()})
    with pytest.raises(InputError, match="no measured kernel"):
        joined([(file, nothing)])
