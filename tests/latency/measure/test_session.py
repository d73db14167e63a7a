"""Whatever ends a measuring session, the file goes on from there; disturbed batches are repeated and never hidden."""

import itertools
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from nas_isp.errors import InputError
from nas_isp.latency.kernels.kernel import Kernel, convolution
from nas_isp.latency.measure.measurements import Measurements, read_measurements
from nas_isp.latency.measure.measuring_target import Failure
from nas_isp.latency.measure.probe_models import single_kernel_model
from nas_isp.latency.measure.session import SessionSettings, measure, missing_kernels
from nas_isp.latency.predict.predictor import predict
from tests.latency.simulated_target import REFERENCE_NETWORK_MS, SimulatedTarget

KERNELS = [convolution(4, 4, 1, (side, side)) for side in range(4, 24)]


def test_every_kernel_is_timed_once_in_batches_of_eight(tmp_path: Path) -> None:
    target, path = SimulatedTarget(), tmp_path / "new" / "phone.json"
    done = measure(path, [*KERNELS, KERNELS[0]], target)
    assert target.calls == [8, 8, 4]
    assert done == read_measurements(path)
    assert {entry.kernel for entry in done.measured()} == set(KERNELS)
    assert [batch.anchor_ms for batch in done.batches] == [REFERENCE_NETWORK_MS] * 3
    assert all(batch.attempts == 1 and batch.health.battery_percent == 80 for batch in done.batches)
    assert predict(done.table(), KERNELS).measured_share == 1
    measure(path, KERNELS, target)
    assert len(target.calls) == 3


def test_a_target_that_disappears_leaves_a_file_that_goes_on(tmp_path: Path) -> None:
    target, path = SimulatedTarget(), tmp_path / "phone.json"
    target.unplugged_after = 2
    with pytest.raises(InputError, match="plug it in"):
        measure(path, KERNELS, target)
    kept = read_measurements(path)
    assert len(kept.measured()) == 16
    target.unplugged_after = None
    finished = measure(path, KERNELS, target)
    assert finished.batches[:2] == kept.batches
    assert not missing_kernels(finished, KERNELS)


def test_a_batch_with_a_drifting_reference_network_is_repeated_until_it_is_steady(tmp_path: Path) -> None:
    slowness = iter([1.0, 1.2, 0.9, 1.04, 1.0])
    target = SimulatedTarget(slowness=slowness)
    done = measure(tmp_path / "phone.json", KERNELS, target)
    assert [batch.attempts for batch in done.batches] == [1, 3, 1]
    assert done.batches[1].anchor_ms == pytest.approx(1.04 * REFERENCE_NETWORK_MS)
    assert not [entry for entry in done.measured() if entry.anchor_drift is not None]


def test_a_batch_that_stays_unsteady_is_marked_and_timed_again_by_the_next_call(tmp_path: Path) -> None:
    path = tmp_path / "phone.json"
    done = measure(path, KERNELS, SimulatedTarget(slowness=iter([1.0, 1.3, 1.2, 1.4, 1.0])))
    assert [batch.attempts for batch in done.batches] == [1, 3, 1]
    marked = [entry for entry in done.measured() if entry.anchor_drift is not None]
    assert {entry.kernel for entry in marked} == {entry.kernel for entry in done.batches[1].measured}
    assert {entry.anchor_drift for entry in marked} == {0.2}
    assert {entry.anchor_drift for entry in done.table().measured} == {None, 0.2}

    untouched = measure(path, KERNELS, SimulatedTarget(), SessionSettings(retake=False))
    assert untouched == done
    again = SimulatedTarget()
    settled = measure(path, KERNELS, again)
    assert again.calls == [8]
    assert not [entry for entry in settled.measured() if entry.anchor_drift is not None]
    assert len(settled.measured()) == len(KERNELS)


def test_a_disturbed_first_batch_does_not_become_the_reference(tmp_path: Path) -> None:
    done = measure(
        tmp_path / "phone.json", KERNELS, SimulatedTarget(slowness=itertools.chain([1.5], itertools.repeat(1.0)))
    )
    assert done.reference_ms == REFERENCE_NETWORK_MS
    marked = [entry for entry in done.measured() if entry.anchor_drift is not None]
    assert {entry.kernel for entry in marked} == {entry.kernel for entry in done.batches[0].measured}


def test_what_falls_back_or_fails_is_kept_apart(tmp_path: Path) -> None:
    slow, broken, *rest = KERNELS
    target = SimulatedTarget(
        lambda model: Failure("no such operator") if model == single_kernel_model(broken) else len(model) / 1000
    )
    target.nodes = {single_kernel_model(slow): (3, 1)} | {single_kernel_model(kernel): (1, 1) for kernel in rest}
    path = tmp_path / "phone.json"
    done = measure(path, KERNELS, target)
    assert [entry.kernel for entry in done.fallen_back] == [slow]
    assert [(entry.kernel, entry.reason) for entry in done.failed] == [(broken, "no such operator")]
    assert {entry.kernel for entry in done.table().measured} == set(rest)
    assert not missing_kernels(done, KERNELS)
    measure(path, KERNELS, target)
    assert target.calls[-1] == 1
    assert len(read_measurements(path).failed) == 1
    mended = measure(path, KERNELS, SimulatedTarget())
    assert not mended.failed
    assert broken in [entry.kernel for entry in mended.measured()]


def test_further_passes_leave_alone_what_fell_back_as_often(tmp_path: Path) -> None:
    target, path, passes = SimulatedTarget(), tmp_path / "phone.json", SessionSettings(passes=2)
    target.nodes = {single_kernel_model(KERNELS[0]): (3, 1)}
    done = measure(path, KERNELS[:4], target, passes)
    assert target.calls == [4, 4]
    assert measure(path, KERNELS[:4], target, passes) == done
    assert len(target.calls) == 2


def test_two_passes_of_a_new_file_meet_in_no_batch(tmp_path: Path) -> None:
    target = SimulatedTarget()
    done = measure(tmp_path / "phone.json", KERNELS, target, SessionSettings(passes=2))
    assert target.calls == [8, 8, 4, 8, 8, 4]
    assert {entry.runs for entry in done.measured()} == {20}


def test_a_kernel_that_cannot_be_written_stops_nothing(tmp_path: Path) -> None:
    odd = Kernel(op="softmax", in_channels=4, out_channels=4, height=8, width=8)
    other = KERNELS[1].model_copy(update={"precision": "int8"})
    done = measure(tmp_path / "phone.json", [odd, other, KERNELS[0]], SimulatedTarget())
    assert [entry.kernel for entry in done.measured()] == [KERNELS[0]]
    reasons = " ".join(entry.reason for entry in done.failed)
    assert "softmax 4->4" in reasons
    assert "timed in fp32 only" in reasons


def test_the_time_limit_stops_between_batches(tmp_path: Path) -> None:
    target = SimulatedTarget()
    done = measure(tmp_path / "phone.json", KERNELS, target, SessionSettings(deadline=0.0))
    assert not done.batches
    told: list[tuple[int, int, float | None]] = []
    limit = SessionSettings(deadline=time.monotonic() + 1000)
    measure(tmp_path / "phone.json", KERNELS, target, limit, lambda *now: told.append(now))
    assert [now[:2] for now in told] == [(0, 20), (8, 20), (16, 20)]
    assert told[0][2] is None
    assert all(left is not None and 0 <= left < 1000 for *_, left in told[1:])


def test_other_targets_and_set_ups_are_never_mixed(tmp_path: Path) -> None:
    path = tmp_path / "phone.json"
    measure(path, KERNELS[:1], SimulatedTarget())
    with pytest.raises(InputError, match=r"device threads 1, but this is 2: give the same options"):
        measure(path, KERNELS, SimulatedTarget(threads=2))
    other = SimulatedTarget()
    other.setup = other.setup.model_copy(update={"benchmark_sha256": "ab" * 32})
    with pytest.raises(InputError, match="setup benchmark_sha256 None"):
        measure(path, KERNELS, other)


def test_a_file_that_cannot_be_written_is_refused_before_measuring(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    (tmp_path / "folder").mkdir()
    target = SimulatedTarget()
    for path in (tmp_path / "file" / "phone.json", tmp_path / "folder"):
        with pytest.raises(InputError, match=r"cannot be made|is a folder"):
            measure(path, KERNELS, target)
    assert not target.calls


def test_a_target_that_cannot_run_the_anchor_is_refused(tmp_path: Path) -> None:
    target = SimulatedTarget()
    target._answer = lambda model, factor: Failure("illegal instruction")  # type: ignore[method-assign]
    with pytest.raises(InputError, match=r"reference network \(illegal instruction\)"):
        measure(tmp_path / "phone.json", KERNELS, target)
    assert not (tmp_path / "phone.json").exists()


PROGRAM = """
import sys
from pathlib import Path
from nas_isp.latency.measure import reference_network
from nas_isp.latency.measure.host import HostTarget
from nas_isp.latency.kernels.kernel import convolution
from nas_isp.latency.measure.session import SessionSettings, measure
reference_network.SIZE = (34, 60)
kernels = [convolution(4, 4, 1, (side, side)) for side in range(4, 24)]
measure(Path(sys.argv[1]), kernels, HostTarget(seconds_per_model=0.05), SessionSettings(max_drift=9.0))
"""


def test_a_killed_process_loses_no_finished_batch(tmp_path: Path) -> None:
    path = tmp_path / "host.json"
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-c", PROGRAM, str(path)]
    with subprocess.Popen(command, env=environment) as process:
        while not path.exists():
            assert process.poll() is None
            time.sleep(0.005)
        process.send_signal(signal.SIGKILL)
    kept = read_measurements(path)
    assert 1 <= len(kept.batches) < 3
    subprocess.run(command, env=environment, check=True)
    finished = read_measurements(path)
    assert finished.batches[: len(kept.batches)] == kept.batches
    assert not missing_kernels(finished, KERNELS)
    assert list(tmp_path.iterdir()) == [path]


def test_measurements_say_when_and_how(tmp_path: Path) -> None:
    done = measure(tmp_path / "phone.json", KERNELS, SimulatedTarget())
    days = [
        batch.model_copy(update={"when": f"2030-01-0{day}T00:00:00+00:00"}) for day, batch in enumerate(done.batches, 1)
    ]
    source = Measurements(device=done.device, setup=done.setup, batches=tuple(days)).source()
    assert source.when == "2030-01-01 to 2030-01-03"
    assert source.setup == done.setup


def test_another_pass_times_every_kernel_in_another_batch_and_the_median_counts(tmp_path: Path) -> None:
    path = tmp_path / "phone.json"
    once = measure(path, KERNELS, SimulatedTarget())
    slower = SimulatedTarget(lambda model: 3 * len(model) / 1000)
    twice = measure(path, KERNELS, slower, SessionSettings(passes=2))
    assert slower.calls == [8, 8, len(KERNELS) - 16]
    first, second = ({entry.kernel: entry for entry in done.measured()} for done in (once, twice))
    assert first.keys() == second.keys()
    for kernel, entry in second.items():
        assert entry.median_ms == pytest.approx(2 * first[kernel].median_ms, abs=2e-6)
        assert entry.runs == 2 * first[kernel].runs
    assert not measure(path, KERNELS, SimulatedTarget(), SessionSettings(passes=2)).batches[len(twice.batches) :]
