"""The printed formats of several builds of `benchmark_model`, as found in its documentation and in published logs."""

import pytest

from nas_isp.latency.measure.benchmark_output import (
    BenchmarkRun,
    Delegation,
    OperatorTime,
    benchmark_run,
    delegation,
    fault,
    operator_times,
)

NEW = """INFO: STARTING!
INFO: Use gpu: [1]
INFO: Created TensorFlow Lite delegate for GPU.
INFO: Replacing 31 out of 31 node(s) with delegate (TfLiteGpuDelegateV2) node, yielding 1 partitions.
INFO: Explicitly applied GPU delegate, and the model graph will be completely executed by the delegate.
INFO: Running benchmark for at least 1 iterations and at least 0.5 seconds but terminate if exceeding 150 seconds.
INFO: count=5 first=125113 curr=112537 min=111758 max=125113 avg=115344 std=4959 p5=111758 median=112912 p95=125113

INFO: Running benchmark for at least 50 iterations and at least 1 seconds but terminate if exceeding 150 seconds.
INFO: count=50 first=119614 curr=115889 min=111842 max=119614 avg=115246 std=1329 p5=112107 median=115350 p95=116620

INFO: Inference timings in us: Init: 1361236, First inference: 125113, Warmup (avg): 115344, Inference (avg): 115246
"""
OLD = """STARTING!
Explicitly applied XNNPACK delegate, and the model graph will be partially executed by the delegate w/ 2 kernels.
count=2 first=339304 curr=266325 min=266325 max=339304 avg=302814 std=36489
count=50 first=266601 curr=266931 min=265837 max=268116 avg=266473 std=419
Inference timings in us: Init: 20283, First inference: 339304, Warmup (avg): 302814, Inference (avg): 266473
"""


def test_the_regular_phase_counts_and_its_median_where_there_is_one() -> None:
    assert benchmark_run(NEW) == BenchmarkRun(115.35, False, 111.842, 50)
    assert benchmark_run(OLD) == BenchmarkRun(266.473, True, 265.837, 50)


@pytest.mark.parametrize(
    ("told", "run"),
    [
        ("count=50 curr=1000(all same)", BenchmarkRun(1.0, False, 1.0, 50)),
        ("count=1 curr=905463 p5=905463 median=905463 p95=905463", BenchmarkRun(905.463, False, 905.463, 1)),
        ("count=9 first=2 curr=2 min=1 max=1.2e+07 avg=1.14039e+06 std=5", BenchmarkRun(1140.39, True, 0.001, 9)),
        ("count=3 first=0 curr=0 min=0 max=0 avg=0 std=0", None),
    ],
)
def test_unusual_statistics(told: str, run: BenchmarkRun | None) -> None:
    assert benchmark_run(f"count=1 curr=77\n{told}\r\nInference timings in us: Init: 1") == run


def test_an_output_that_breaks_off_has_no_time() -> None:
    assert benchmark_run(NEW.partition("Inference timings")[0]) is None
    assert benchmark_run("") is None


def test_what_the_asked_delegate_took() -> None:
    assert delegation(NEW, "gpu") == Delegation(True, True, 31, 31)
    assert delegation(OLD, "xnnpack") == Delegation(False, True)
    assert delegation(OLD, "gpu") == Delegation(False, False)
    part = (
        "INFO: Replacing 54 out of 559 node(s) with delegate (TfLiteGpuDelegateV2) node, yielding 3 partitions.\n"
        "INFO: Explicitly applied GPU delegate, and the model graph will be partially executed by the delegate w/ 3 "
        "delegate kernels.\n"
        "INFO: Replacing 456 out of 506 node(s) with delegate (TfLiteXNNPackDelegate) node, yielding 9 partitions.\n"
    )
    assert delegation(part, "gpu") == Delegation(False, True, 559, 54)
    nothing = "Though GPU delegate is explicitly applied, the model graph will not be executed by the delegate.\n"
    assert delegation(nothing, "gpu") == Delegation(False, True)
    contradiction = nothing + "Replacing 31 out of 31 node(s) with delegate (TfLiteGpuDelegateV2) node\n"
    assert delegation(contradiction, "gpu") == Delegation(False, True, 31, 0)


def test_the_telling_line_of_a_failure() -> None:
    text = "INFO: STARTING!\nINFO: Graph: [1.tflite]\nERROR: Failed to apply GPU delegate.\nERROR: Benchmarking failed."
    assert fault(text) == "Failed to apply GPU delegate."
    assert fault("Segmentation fault\n") == "Segmentation fault"
    assert fault("\n") == "it printed nothing"


@pytest.mark.parametrize("start", ["", "start, "])
def test_operators_of_a_profile_in_the_order_they_run(start: str) -> None:
    header = f"node type, {start}first, avg_ms, %, cdf%, mem KB, times called, name"
    value = "0, " if start else ""
    csv = f"""Profiling Info for Benchmark Initialization:
============================== Run Order ==============================
{header}
AllocateTensors, {value}0.1, 0.1, 100%, 100%, 0, 0, AllocateTensors/0

Operator-wise Profiling Info for Regular Benchmark Runs:
============================== Run Order ==============================
{header}
CONV_2D, {value}4.2, 4.5, 75%, 75%, 0, 1, [a]:0
DEPTH_TO_SPACE, {value}1.4, 1.5, 25%, 100%, 0, 1, [b]:1

============================== Top by Computation Time ==============================
{header}
CONV_2D, {value}4.2, 4.5, 75%, 75%, 0, 1, [a]:0
"""
    assert operator_times(csv) == [
        OperatorTime("CONV_2D", 4.5, "[a]:0"),
        OperatorTime("DEPTH_TO_SPACE", 1.5, "[b]:1"),
    ]


def test_an_absent_or_foreign_profile_has_no_operators() -> None:
    assert operator_times("") == []
    assert operator_times("Operator-wise Profiling Info for Regular Benchmark Runs:\nRun Order\na, b\n1, 2\n") == []


@pytest.mark.parametrize(
    "told", ["count=9 avg=e", "count=9 avg=1e999", "count=1e curr=5", "count=9 min=-1 avg=5", "count=1.e5.2"]
)
def test_a_line_that_another_one_ran_into_tells_no_time(told: str) -> None:
    assert benchmark_run(f"{told}\nInference timings in us: Init: 1") is None


@pytest.mark.parametrize("time", ["x", "", "nan", "1e999"])
def test_a_profile_ends_at_a_line_without_a_time(time: str) -> None:
    head = "Operator-wise Profiling Info for Regular Benchmark Runs:\n= Run Order =\nnode type, avg_ms, name"
    assert operator_times(f"{head}\nCONV_2D, 1.5, a\nADD, {time}, b\n") == [OperatorTime("CONV_2D", 1.5, "a")]


LITERT = """INFO: [litert/tools/benchmark_litert_model.cc] STARTING!
INFO: Created TensorFlow Lite XNNPACK delegate for CPU.
INFO: [benchmark_litert_model.h:88]
========== BENCHMARK RESULTS ==========
INFO: [benchmark_litert_model.h:94] Model initialization: 13.61 ms
INFO: [benchmark_litert_model.h:96] Warmup (first):       9.25 ms
INFO: [benchmark_litert_model.h:98] Warmup (avg):         9.15 ms (10 runs)
INFO: [benchmark_litert_model.h:100] Inference (avg):      1.15 ms (50 runs)
INFO: [benchmark_litert_model.h:104] Inference (min):      1.11 ms
INFO: [benchmark_litert_model.h:106] Inference (max):      1.19 ms
INFO: [benchmark_litert_model.h:108] Inference (std):      0.01
"""
PHASES = "INFO: count=10 first=9250 curr=9120 min=9110 max=9250 avg=9150 std=49\n{}\n"


def test_the_list_of_litert_s_program() -> None:
    assert benchmark_run(LITERT) == BenchmarkRun(1.15, True, 1.11, 50)
    assert benchmark_run(LITERT.replace("\n", "\r\n")) == BenchmarkRun(1.15, True, 1.11, 50)
    assert benchmark_run(LITERT.replace("1.15 ms", "1,15 ms").replace("1.11", "1,11")) == BenchmarkRun(
        1.15, True, 1.11, 50
    )
    assert benchmark_run("Inference (avg): 3.50 ms (1 run)") == BenchmarkRun(3.5, True, 3.5, 1)
    assert benchmark_run(LITERT.partition("Inference (avg)")[0]) is None


def test_the_microseconds_before_litert_s_list_say_more_unless_they_are_the_warm_ups() -> None:
    assert benchmark_run(PHASES.format("") + LITERT) == BenchmarkRun(1.15, True, 1.11, 50)
    phases = PHASES.format("INFO: count=50 first=1190 curr=1150 min=1113 max=1190 avg=1152 std=13 median=1149")
    assert benchmark_run(phases + LITERT) == BenchmarkRun(1.149, False, 1.113, 50)
    fast = phases.replace("1113", "1").replace("1149", "2") + LITERT.replace("1.15 ms", "0.00 ms")
    assert benchmark_run(fast) == BenchmarkRun(0.002, False, 0.001, 50)


def test_a_model_faster_than_litert_s_list_can_tell_has_no_time() -> None:
    assert benchmark_run(LITERT.replace("1.15 ms", "0.00 ms").replace("1.11 ms", "0.00 ms")) is None


@pytest.mark.parametrize(
    ("told", "run"),
    [
        (
            "count=9 first=2,5 curr=2,5 min=1,5 max=1,2e+07 avg=1,14039e+06 std=5",
            BenchmarkRun(1140.39, True, 0.0015, 9),
        ),
        ("count=9 min=1,110.5 max=1,190.5 avg=1,150.5", BenchmarkRun(1.1505, True, 1.1105, 9)),
        ("count=9 min=1.110,5 max=1.190,5 avg=1.150,5", BenchmarkRun(1.1505, True, 1.1105, 9)),
        ("count=9 min=1110 max=1190 avg=1,150", None),
        ("count=9 min=1110 max=1190 avg=1,150,", None),
        ("count=9 min=1200 max=1300 avg=1150", None),
    ],
)
def test_commas_are_decimal_points_and_times_that_contradict_each_other_are_none(
    told: str, run: BenchmarkRun | None
) -> None:
    assert benchmark_run(f"{told}\nInference timings in us: Init: 1") == run


def test_what_litert_s_program_says_of_its_delegate() -> None:
    assert delegation(LITERT, "xnnpack") == Delegation(True, True)
    assert delegation(LITERT, "gpu") == Delegation(True, True)
    part = (
        "VERBOSE: Replacing 48 out of 90 node(s) with delegate (LITERT_CL) node, yielding 2 partitions.\n"
        "VERBOSE: Replacing 32 out of 43 node(s) with delegate (TfLiteXNNPackDelegate) node, yielding 4 partitions.\n"
    )
    assert delegation(part + LITERT, "gpu") == Delegation(False, True, 90, 48)
    assert delegation(part.replace("48", "90") + LITERT, "gpu") == Delegation(True, True, 90, 90)


def test_a_loader_s_warning_is_not_the_fault() -> None:
    warning = "WARNING: linker: libOpenCL.so: unsupported flags, not found\n"
    assert fault(f"{warning}INFO: STARTING!\nERROR: Failed to load model.") == "Failed to load model."
    assert fault("INFO: STARTING!\nINFO: done\n") == "no time of an inference in what it printed, up to 'INFO: done'"


def test_a_profile_with_decimal_commas() -> None:
    csv = "Operator-wise Profiling Info for Regular Benchmark Runs:\n= Run Order =\nnode type, first, avg_ms, name\n"
    assert operator_times(f"{csv}CONV_2D, 4,2, 4,5, [a, b]:0\n") == [OperatorTime("CONV_2D", 4.5, "[a, b]:0")]
