"""What is known of an architecture before training."""

import numpy as np
import pytest

from nas_isp.errors import InputError
from nas_isp.generators.cost import count
from nas_isp.latency.kernels import kernels_of
from nas_isp.latency.predict import predict
from nas_isp.latency.tables import load_table
from nas_isp.search.rater import TableRater
from nas_isp.search.space import load_space


@pytest.fixture(scope="module")
def rater() -> TableRater:
    return TableRater("pixel4-gpu")


@pytest.mark.parametrize("seed", range(12))
def test_the_size_is_that_of_the_deployed_network(rater: TableRater, seed: int) -> None:
    architecture = load_space("mobile").sample(np.random.default_rng(seed))

    params, gmacs = rater.size(architecture)

    cost = count(architecture)
    assert params == cost.params
    assert gmacs == pytest.approx(cost.gmacs, rel=1e-12)


def test_the_latency_is_the_tables_prediction(rater: TableRater) -> None:
    architecture = load_space("mobile").anchors[1]

    assert rater.latency_ms(architecture) == predict(load_table("pixel4-gpu"), kernels_of(architecture)).latency_ms


def test_the_digest_tells_tables_apart(rater: TableRater) -> None:
    assert rater.digest == TableRater("pixel4-gpu").digest
    assert rater.digest != TableRater("iphone7-gpu").digest


def test_an_unknown_device_is_refused_with_the_known_ones() -> None:
    with pytest.raises(InputError, match="pixel4-gpu"):
        TableRater("nowhere")
