"""The committed script and the tables that it made."""

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from nas_isp.latency.devices import load_table

SCRIPT = Path(__file__).resolve().parents[2] / "tools" / "build_phone_tables.py"


@pytest.fixture(scope="module")
def script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("build_phone_tables", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["build_phone_tables"] = module
    spec.loader.exec_module(module)
    return module


@pytest.mark.slow
def test_the_script_makes_the_shipped_tables(script: ModuleType, shared_data: Path) -> None:
    measurements = script.read_measurements(shared_data / "latency" / "usc_mobile")
    for phone in ("pixel4", "iphone7"):
        made = script.phone_table(phone, measurements.rows, measurements.networks_ms)
        shipped = load_table(script.DEVICES[phone].id)
        assert made.measured == shipped.measured
        assert made.models == shipped.models
        unscored = {"mean_error": None, "within_10_percent": None}
        assert made.correction == shipped.correction.model_copy(update=unscored)


@pytest.mark.slow
def test_networks_of_families_left_out_are_predicted(script: ModuleType, shared_data: Path) -> None:
    measurements = script.read_measurements(shared_data / "latency" / "usc_mobile")
    errors = np.abs(script.cross_validate("mi8se", measurements, script.family))
    shipped = load_table("mi8se-gpu").correction
    assert len(errors) == 81
    assert errors.mean() < 0.03
    assert round(float(errors.mean()), 4) == shipped.mean_error
    assert round(float((errors <= 0.1).mean()), 4) == shipped.within_10_percent


def test_families_are_told_apart(script: ModuleType) -> None:
    names = {
        "resnet18_wd4": "resnet",
        "mobilenetv2b_w1": "mobilenetv2b",
        "efficientnet_edge_large_b": "efficientnet_edge",
    }
    assert {name: script.family(name) for name in names} == names
    assert script.wide_family("mobilenetv2b_w1") == "mobilenetv2"
    assert script.wide_family("sepreresnet10") == script.wide_family("resnet18_wd4") == "resnet"


def test_fused_steps_are_read_from_kernel_names(script: ModuleType) -> None:
    assert script._linked("convolution_2d_7_linked_:_add_8_linked_:_relu_9") == "add_relu"
    assert script._linked("convolution_2d_7_linked_:_hard_swish_9") == "hard_swish"
    assert script._linked("mean_121") == "none"
