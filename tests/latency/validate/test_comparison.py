"""Predictions beside times of whole networks, and the correction that comes of it."""

from pathlib import Path

import pytest

from nas_isp.errors import InputError
from nas_isp.latency.kernels.kernel import Kernel, convolution
from nas_isp.latency.predict.table import DeviceRecord, LatencyTable, MeasuredKernel, SourceRecord, build_table
from nas_isp.latency.validate.comparison import Comparison, compare, correction_to, read_comparison
from nas_isp.latency.validate.timing import TimedNetwork, Untimed

REFERENCE_NETWORK_MS = 10.0
SIDES = (8, 16, 24, 32)
KERNELS = [convolution(4, 4, 3, (side, side)) for side in SIDES]
NETWORKS = {f"n{count}": tuple(KERNELS[index % 4] for index in range(count)) for count in range(1, 11)}


def table(threads: int = 1) -> LatencyTable:
    device = DeviceRecord(
        id="toy", name="Toy", soc="none", processor="cpu", runtime="none", precision="fp32", threads=threads
    )
    source = SourceRecord(how="by hand", when="once", licence="none", link="", anchor_ms=REFERENCE_NETWORK_MS)
    return build_table(device, source, [MeasuredKernel(kernel=k, median_ms=k.height / 8, runs=1) for k in KERNELS])


def sum_ms(kernels: tuple[Kernel, ...]) -> float:
    return sum(kernel.height / 8 for kernel in kernels)


def validated(scale: float = 1.0, constant_ms: float = 0.0, slowness: float = 1.0, networks: int = 10) -> Comparison:
    """Networks that take so many times their kernels' sum and a constant, on a device that is slower meanwhile."""
    timed = [
        TimedNetwork(name, slowness * (scale * sum_ms(kernels) + constant_ms), slowness * REFERENCE_NETWORK_MS, 5)
        for name, kernels in list(NETWORKS.items())[:networks]
    ]
    return compare(table(), NETWORKS, timed, [Untimed("odd", "no such operator")], "8x8")


def test_measured_times_are_stated_at_the_reference_networks_time_in_the_table() -> None:
    found = validated(slowness=1.25)
    assert (found.anchor_ms, found.reference_ms) == (1.25 * REFERENCE_NETWORK_MS, REFERENCE_NETWORK_MS)
    assert found.mean_error == pytest.approx(0)
    assert found.as_timed.mean_error == pytest.approx(1 - 1 / 1.25)
    row = found.results[3]
    assert (row.network, row.kernel_count, row.runs) == ("n4", 4, 5)
    assert (row.kernels_ms, row.measured_ms, row.timed_ms) == pytest.approx((10, 10, 12.5))
    assert (row.anchor_drift, row.measured_share, row.extrapolated_share) == pytest.approx((0.25, 1, 0))
    assert [fault.network for fault in found.failed] == ["odd"]
    assert sum(kind.share for kind in found.kinds) == pytest.approx(1)


def test_a_result_survives_writing_and_reading(tmp_path: Path) -> None:
    found = validated(scale=1.1)
    (tmp_path / "result.json").write_text(found.model_dump_json(indent=1))
    assert read_comparison(tmp_path / "result.json") == found


@pytest.mark.parametrize("text", ["[]", "{}", '{"networks": 0}'])
def test_what_is_no_result_says_what_to_give(tmp_path: Path, text: str) -> None:
    (tmp_path / "other.json").write_text(text)
    with pytest.raises(InputError, match=r"other\.json, field .*give the result of a validation") as caught:
        read_comparison(tmp_path / "other.json")
    assert "\n" not in str(caught.value)


def test_the_correction_is_the_one_that_made_the_times() -> None:
    correction = correction_to(validated(scale=1.2, constant_ms=0.5), table(), "result.json")
    assert (correction.scale, correction.constant_ms, correction.networks) == pytest.approx((1.2, 0.5, 10), abs=1e-5)
    assert correction.mean_error == pytest.approx(0, abs=1e-4)
    assert correction.within_10_percent == 1


def test_few_networks_give_a_correction_without_an_error_of_left_out_ones() -> None:
    correction = correction_to(validated(scale=1.2, networks=7), table(), "result.json")
    assert correction.scale == pytest.approx(1.2)
    assert correction.mean_error is None


def test_networks_of_another_device_correct_nothing() -> None:
    with pytest.raises(
        InputError, match=r"result\.json: .*toy in fp32 with 1 threads, but .*toy in fp32 with 2 threads"
    ):
        correction_to(validated(), table(threads=2), "result.json")
