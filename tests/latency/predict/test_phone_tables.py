"""The committed script and the tables that it made."""

from pathlib import Path

import pytest

from nas_isp.latency.measure.devices import load_table
from tests.latency.predict.conftest import Tools

FORM = "with memory, shrunk by 0.03"
"""What the nested cross-validation chooses with all families (minutes; `--cross-validate -o FOLDER` prints it)."""


@pytest.mark.slow
def test_the_script_makes_the_shipped_tables(tools: Tools, shared_data: Path) -> None:
    measurements = tools.measurements.read_measurements(shared_data / "latency" / "usc_mobile")
    form = next(form for form in tools.methods.CORRECTION_FORMS if form.name == FORM)
    for phone in ("pixel4", "iphone7"):
        made = tools.fitting.phone_table(phone, measurements.rows)
        made = tools.build_phone_tables.corrected(made, phone, measurements, form)
        shipped = load_table(tools.measurements.DEVICES[phone].id)
        assert made.measured == shipped.measured
        assert made.models == shipped.models
        unscored = {"mean_error": None, "within_10_percent": None}
        assert made.correction == shipped.correction.model_copy(update=unscored)


@pytest.mark.slow
def test_networks_of_families_left_out_are_predicted(tools: Tools, shared_data: Path) -> None:
    """As well as the table says, up to what the choice in each outer fold adds."""
    measurements = tools.measurements.read_measurements(shared_data / "latency" / "usc_mobile")
    form = next(form for form in tools.methods.CORRECTION_FORMS if form.name == FORM)
    validation = tools.cross_validation.CrossValidation(measurements, tools.measurements.wide_family, ["mi8se"])
    left_out = [
        network
        for group in validation.groups
        for network in validation.left_out("mi8se", group, tools.methods.PROCESS, form)
    ]
    mean_error, within = tools.build_phone_tables.figures(left_out)
    shipped = load_table("mi8se-gpu").correction
    assert len(left_out) == 81
    assert mean_error < 0.035
    assert mean_error == pytest.approx(shipped.mean_error, abs=0.004)
    assert within == pytest.approx(shipped.within_10_percent, abs=0.03)


def test_families_are_told_apart(tools: Tools) -> None:
    names = {
        "resnet18_wd4": "resnet",
        "mobilenetv2b_w1": "mobilenetv2b",
        "efficientnet_edge_large_b": "efficientnet_edge",
    }
    assert {name: tools.measurements.family(name) for name in names} == names
    wide = tools.measurements.wide_family
    assert wide("mobilenetv2b_w1") == "mobilenetv2"
    assert wide("sepreresnet10") == wide("resnet18_wd4") == "resnet"


def test_fused_steps_are_read_from_kernel_names(tools: Tools) -> None:
    linked = tools.measurements._linked
    assert linked("convolution_2d_7_linked_:_add_8_linked_:_relu_9") == "add_relu"
    assert linked("convolution_2d_7_linked_:_hard_swish_9") == "hard_swish"
    assert linked("mean_121") == "none"
