"""Where the predicted time of a front's networks goes."""

from pathlib import Path

import pytest

from nas_isp.generators.published import PUBLISHED
from nas_isp.recipe import load_recipe
from nas_isp.report.latency import front_latency, kernels_html
from nas_isp.report.page import page_html
from nas_isp.search.config import StudyConfig
from nas_isp.search.records import TrialRecord
from nas_isp.search.space import load_space
from nas_isp.search.study import Study


def study(folder: Path, device: str, packed_height: int = 544) -> Study:
    config = StudyConfig(
        program="t",
        device=device,
        packed_height=packed_height,
        recipe=load_recipe("default"),
        space=load_space("tiny"),
    )
    opened = Study.begin(folder / "s", config)
    for trial, name in enumerate(("robust-isp", "efficient-isp")):
        fields = {
            "trial": trial,
            "state": "complete",
            "quality": 20.0 + trial,
            "latency_ms": 1.0 + trial,
            "digest": "d",
        }
        opened.begin_trial(TrialRecord.model_validate(fields | {"score_kind": "psnr"}), PUBLISHED[name])
    return opened


def test_every_kernel_of_every_front_network_is_in_the_report(tmp_path: Path) -> None:
    html = page_html(study(tmp_path, "pixel4-gpu"))

    assert "Where the time goes" in html
    assert html.count("<details><summary>trial") == 2
    assert html.count("conv2d 3x3 12-&gt;12 @ 544x960 +relu") == 2
    assert "100 % of the predicted time is extrapolated" in html
    assert "at most 230 pixels a side" in html


def test_shares_of_a_network_add_up(tmp_path: Path) -> None:
    latency = front_latency(study(tmp_path, "mi8se-gpu"))

    assert latency is not None
    prediction = latency.predictions[1]
    shares = [part.latency_ms / prediction.kernels_ms for part in prediction.kernels]
    assert sum(shares) == pytest.approx(1)
    assert f"{100 * shares[0]:.0f} %" in kernels_html(prediction)
    assert f"+-{100 * prediction.uncertainty:.0f} %" in latency.note


def test_networks_are_predicted_at_the_size_of_their_study(tmp_path: Path) -> None:
    full, half = (front_latency(study(tmp_path / str(rows), "pixel4-gpu", rows)) for rows in (544, 272))

    assert full is not None
    assert half is not None
    assert {part.kernel.height for part in half.predictions[0].kernels if part.kernel.op == "conv2d"} == {272}
    assert half.predictions[0].latency_ms < 0.7 * full.predictions[0].latency_ms


def test_a_table_that_is_gone_leaves_the_rest_of_the_report(tmp_path: Path) -> None:
    opened = study(tmp_path, "phone")

    assert front_latency(opened) is None
    assert "Where the time goes" not in page_html(opened)
