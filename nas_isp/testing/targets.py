"""Conformance of measuring targets: they time models in order, say failures, and fill a file of measurements."""

import math
from functools import cached_property
from pathlib import Path

from nas_isp.latency.kernels.kernel import convolution
from nas_isp.latency.measure.measurements import read_measurements
from nas_isp.latency.measure.measuring_target import Failure, MeasuringTarget, Timing
from nas_isp.latency.measure.probe_models import kernel_chain_model, single_kernel_model
from nas_isp.latency.measure.session import SessionSettings, measure
from nas_isp.latency.measure.targets import TargetOptions, target_for
from nas_isp.latency.predict.predictor import predict
from nas_isp.latency.predict.provenance import Health, Setup, difference
from nas_isp.latency.predict.table import DeviceRecord

SMALL, LARGE = convolution(4, 4, 1, (8, 8)), convolution(32, 32, 3, (128, 128))
"""Kernels with nine thousand times as much work in one as in the other."""

KERNELS = [convolution(4, 8, 3, (16, 16), activation="relu"), convolution(8, 8, 3, (16, 16))]

DRIFT = 0.5
"""Share by which the anchor may be off: what is tested is not how steady the machine is."""


class TargetConformance:
    """All that a measuring target promises.

    Attributes:
        target: as `target_for` takes it: the name in `TARGETS`, with the address if it needs one.
        options: how it is asked to run models.
    """

    target: str
    options = TargetOptions()

    def test_it_says_what_it_is(self) -> None:
        """The same each time it is connected, so that a file of measurements can be gone on with."""
        first, second = self._connected, self._connect()
        assert isinstance(first.device, DeviceRecord)
        assert isinstance(first.setup, Setup)
        assert first.cool_down_s >= 0
        kind = self.target.partition(":")[0]
        assert first.setup.target == kind, f"its set-up says '{first.setup.target}', not '{kind}'"
        changed = difference(first.device, second.device) or difference(first.setup, second.setup)
        assert not changed, f"connected again it says {changed}"

    def test_it_times_models_in_order(self) -> None:
        """More work takes longer; the least time is not above the typical one."""
        precision = self._connected.device.model_precision
        small, large = (single_kernel_model(kernel, precision) for kernel in (SMALL, LARGE))
        answers = self._connected.time([large, small, large])
        assert len(answers) == 3, f"{len(answers)} answers for 3 models"
        for answer in answers:
            assert isinstance(answer, Timing), f"{answer}"
            assert 0 < answer.min_ms <= answer.median_ms < math.inf, f"{answer}"
            assert answer.runs >= 1
        times = [answer.median_ms for answer in answers if isinstance(answer, Timing)]
        assert times[1] < min(times[0], times[2]), f"a model of little work between two of much takes {times} ms"

    def test_a_model_that_does_not_run_is_a_failure_in_its_place(self) -> None:
        """With a reason; the others are timed."""
        model = kernel_chain_model(KERNELS, self._connected.device.model_precision)
        failed, timed = self._connected.time([b"no model", model])
        assert isinstance(failed, Failure), f"{failed} of a file that is no model"
        assert failed.reason.strip(), "a failure without a reason"
        assert isinstance(timed, Timing), f"{timed} of a model behind one that failed"

    def test_no_models_are_no_answers(self) -> None:
        """As in the last batch of a session, whose kernels may all be unwritable."""
        assert self._connected.time([]) == []

    def test_it_tells_its_health(self) -> None:
        """As far as it knows."""
        assert isinstance(self._connected.health(), Health)

    def test_a_session_makes_a_table_that_predicts(self, tmp_path: Path) -> None:
        """And goes on where it ended."""
        path, settings = tmp_path / "measurements.json", SessionSettings(max_drift=DRIFT)
        measure(path, KERNELS[:1], self._connected, settings)
        measure(path, KERNELS, self._connected, settings)
        measured = read_measurements(path)
        assert len(measured.batches) == 2, f"{len(measured.batches)} batches of two sessions"
        predicted = predict(measured.table(), KERNELS)
        assert predicted.measured_share == 1.0, f"{predicted.measured_share:.0%} of the kernels are in the table"

    @cached_property
    def _connected(self) -> MeasuringTarget:
        return self._connect()

    def _connect(self) -> MeasuringTarget:
        return target_for(self.target, self.options)
