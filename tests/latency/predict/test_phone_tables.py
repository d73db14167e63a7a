"""The committed script and the tables that it made."""

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from nas_isp.latency.measure.devices import load_table

TOOLS = Path(__file__).resolve().parents[3] / "tools"


@pytest.fixture(scope="module")
def tools() -> Iterator[SimpleNamespace]:
    """The modules of the script, importable as they are when it runs."""
    sys.path.insert(0, str(TOOLS))
    names = ("phone_measurements", "phone_fitting", "phone_cross_validation", "build_phone_tables")
    yield SimpleNamespace(**{name.removeprefix("phone_"): importlib.import_module(name) for name in names})
    sys.path.remove(str(TOOLS))


@pytest.mark.slow
def test_the_script_makes_the_shipped_tables(tools: SimpleNamespace, shared_data: Path) -> None:
    measurements = tools.measurements.read_measurements(shared_data / "latency" / "usc_mobile")
    for phone in ("pixel4", "iphone7"):
        made = tools.fitting.phone_table(phone, measurements.rows, measurements.networks_ms)
        shipped = load_table(tools.measurements.DEVICES[phone].id)
        assert made.measured == shipped.measured
        assert made.models == shipped.models
        unscored = {"mean_error": None, "within_10_percent": None}
        assert made.correction == shipped.correction.model_copy(update=unscored)


@pytest.mark.slow
def test_networks_of_families_left_out_are_predicted(tools: SimpleNamespace, shared_data: Path) -> None:
    measurements = tools.measurements.read_measurements(shared_data / "latency" / "usc_mobile")
    left_out = tools.cross_validation.cross_validate("mi8se", measurements, tools.measurements.family)
    shipped = load_table("mi8se-gpu").correction
    errors = np.abs([network.error for network in left_out])
    assert len(errors) == 81
    assert errors.mean() < 0.025
    assert round(float(errors.mean()), 4) == shipped.mean_error
    assert round(float((errors <= 0.1).mean()), 4) == shipped.within_10_percent


def test_families_are_told_apart(tools: SimpleNamespace) -> None:
    names = {
        "resnet18_wd4": "resnet",
        "mobilenetv2b_w1": "mobilenetv2b",
        "efficientnet_edge_large_b": "efficientnet_edge",
    }
    assert {name: tools.measurements.family(name) for name in names} == names
    wide = tools.measurements.wide_family
    assert wide("mobilenetv2b_w1") == "mobilenetv2"
    assert wide("sepreresnet10") == wide("resnet18_wd4") == "resnet"


def test_fused_steps_are_read_from_kernel_names(tools: SimpleNamespace) -> None:
    linked = tools.measurements._linked
    assert linked("convolution_2d_7_linked_:_add_8_linked_:_relu_9") == "add_relu"
    assert linked("convolution_2d_7_linked_:_hard_swish_9") == "hard_swish"
    assert linked("mean_121") == "none"
