"""What is known of an architecture before training."""

from pathlib import Path

import numpy as np
import pytest

from nas_isp.errors import InputError
from nas_isp.generators.cost import count
from nas_isp.latency.kernels.from_architecture import kernels_of
from nas_isp.latency.measure.devices import load_table
from nas_isp.latency.measure.host import HostTarget
from nas_isp.latency.measure.measurements import Measurements, write_measurements
from nas_isp.latency.predict.predictor import predict
from nas_isp.search.cost_model import TableCostModel
from nas_isp.search.space import load_space


@pytest.fixture(scope="module")
def cost_model() -> TableCostModel:
    return TableCostModel("pixel4-gpu")


@pytest.mark.parametrize("seed", range(12))
def test_the_size_is_that_of_the_deployed_network(cost_model: TableCostModel, seed: int) -> None:
    architecture = load_space("mobile").sample(np.random.default_rng(seed))

    params, gmacs = cost_model.size(architecture)

    cost = count(architecture)
    assert params == cost.params
    assert gmacs == pytest.approx(cost.gmacs, rel=1e-12)


def test_the_latency_is_the_tables_prediction(cost_model: TableCostModel) -> None:
    architecture = load_space("mobile").anchors[1]

    assert cost_model.latency_ms(architecture) == predict(load_table("pixel4-gpu"), kernels_of(architecture)).latency_ms
    balanced = TableCostModel("pixel4-gpu", balanced=True).latency_ms(architecture)
    assert balanced == predict(load_table("pixel4-gpu"), kernels_of(architecture, balanced=True)).latency_ms
    assert balanced > cost_model.latency_ms(architecture)


def test_the_digest_tells_tables_apart(cost_model: TableCostModel) -> None:
    assert cost_model.digest == TableCostModel("pixel4-gpu").digest
    assert cost_model.digest != TableCostModel("iphone7-gpu").digest


def test_measurements_of_another_machine_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NAS_ISP_CACHE", str(tmp_path))
    here = HostTarget(threads=3)
    write_measurements(tmp_path / "host.json", Measurements(device=here.device, setup=here.setup))
    TableCostModel("host")
    elsewhere = here.device.model_copy(update={"name": "another machine"})
    write_measurements(tmp_path / "host.json", Measurements(device=elsewhere, setup=here.setup))

    with pytest.raises(InputError, match="measured on another machine"):
        TableCostModel("host")


def test_an_unknown_device_is_refused_with_the_known_ones() -> None:
    with pytest.raises(InputError, match="pixel4-gpu"):
        TableCostModel("nowhere")
