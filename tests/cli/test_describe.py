"""`nas-isp describe`: what it says of a network in either format, and how it refuses."""

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from nas_isp.cli.app import build_app
from nas_isp.errors import InputError
from nas_isp.generators.architecture import Block, PlainArchitecture
from nas_isp.generators.published import PUBLISHED

HALF = PlainArchitecture(
    scale=4,
    blocks=(Block(kind="conv3", channels=16), Block(kind="dwsep3", channels=16, residual=True)),
    color_head=True,
)


def run(*arguments: object) -> Result:
    return CliRunner().invoke(build_app(), ["describe", *map(str, arguments)])


def described(*arguments: object) -> dict[str, Any]:
    result = run(*arguments, "--format", "json")
    assert result.exit_code == 0, result.output
    answer: dict[str, Any] = json.loads(result.stdout)
    return answer


def refusal(*arguments: object) -> str:
    result = run(*arguments)
    assert isinstance(result.exception, InputError)
    assert result.stdout == ""
    return str(result.exception)


def test_published_network_in_numbers() -> None:
    answer = described("efficient-isp")
    assert answer["params"] == 3060
    assert answer["gmacs"] == pytest.approx(1.579, abs=0.001)
    assert answer["receptive_field"] == 3
    assert answer["digest"] == PUBLISHED["efficient-isp"].digest()
    assert [kernel["op"] for kernel in answer["kernels"]] == ["conv2d", "conv2d", "conv2d", "depth_to_space"]


def test_costs_follow_the_input_size() -> None:
    assert described("robust-isp", "--input-size", "272x480")["gmacs"] == pytest.approx(0.8272 / 4, rel=0.001)


def test_kernels_of_an_architecture_file_hold_the_counted_work(tmp_path: Path) -> None:
    file = tmp_path / "arch.json"
    file.write_text(HALF.to_json())
    answer = described(file, "--input-size", "64x64")
    convolutions = [kernel for kernel in answer["kernels"] if "conv" in kernel["op"]]
    work = 0
    for kernel in convolutions:
        pixels = kernel["height"] * kernel["width"] // kernel["stride"][0] ** 2
        inputs = 1 if kernel["op"] == "depthwise_conv2d" else kernel["in_channels"]
        work += pixels * inputs * kernel["out_channels"] * kernel["kernel"][0] ** 2
    assert answer["gmacs"] * 1e9 == pytest.approx(work)


def test_a_device_adds_the_time_of_every_kernel() -> None:
    answer = described("efficient-isp", "--device", "pixel4-gpu")
    assert answer["device"] == "pixel4-gpu"
    assert answer["latency_ms"] > 0
    assert all(kernel["latency_ms"] > 0 for kernel in answer["kernels"])
    shares = [answer[f"{basis}_share"] for basis in ("measured", "interpolated", "extrapolated")]
    assert sum(shares) == pytest.approx(1)


def test_table_for_people_names_the_facts() -> None:
    result = run("robust-isp", "--device", "pixel4-gpu")
    assert result.exit_code == 0
    for fact in ("1,616", "0.8272", "544x960", "conv2d 3x3 4->16", "latency on pixel4-gpu"):
        assert fact in result.stdout


def test_a_network_whose_kernels_are_unknown_is_still_described() -> None:
    assert described("rmfa-tiny")["params"] == 29223


@pytest.mark.parametrize("size", ["544", "0x10", "axb", "-2x4", "1e3x4", "100000x2"])
def test_bad_sizes_are_refused(size: str) -> None:
    assert "544x960" in refusal("efficient-isp", "--input-size", size)


def test_odd_sides_are_refused_where_the_trunk_halves_them(tmp_path: Path) -> None:
    file = tmp_path / "arch.json"
    file.write_text(HALF.to_json())
    assert "even sides" in refusal(file, "--input-size", "9x8")


def test_unknown_device_lists_the_known_ones() -> None:
    assert "pixel4-gpu" in refusal("efficient-isp", "--device", "pixel99")


def test_operators_are_counted_by_fvcore_beside_our_own_count() -> None:
    answer = described("robust-isp", "--operators", "--input-size", "32x32")
    assert sum(row["macs"] for row in answer["operators"]["rows"]) == answer["operators"]["macs"]
    assert answer["operators"]["macs"] == pytest.approx(1e9 * answer["gmacs"])
    assert answer["operators"]["params"] == answer["operators"]["cost"]["params"] == answer["params"]
    shown = run("robust-isp", "--operators", "--input-size", "32x32").stdout
    assert "tail.conv" in shown
    assert "not counted: tanh x1, pixel_shuffle x1, relu x2" in shown
    assert "operators" not in described("robust-isp")
