"""fvcore's count of a deployed network, operator by operator, by hand and against our own."""

import subprocess
import sys

import pytest
import torch

from nas_isp.errors import InputError
from nas_isp.generators.architecture import Architecture, Block, PlainArchitecture, RmfaArchitecture
from nas_isp.generators.cost import Cost
from nas_isp.generators.operator_count import OperatorCount, OperatorRow, count_operators
from nas_isp.generators.published import PUBLISHED

SIZE = (16, 24)
PIXELS = 16 * 24


def rows(counted: OperatorCount) -> dict[tuple[str, str], tuple[int, int]]:
    return {(row.module, row.operator): (row.macs, row.params) for row in counted.rows}


def test_a_plain_network_by_hand() -> None:
    blocks = (Block(kind="rep3", channels=8, activation="tanh"), Block(kind="dwsep5", channels=8, residual=True))
    counted = count_operators(PlainArchitecture(blocks=blocks, tail_kernel=1), SIZE)
    assert rows(counted) == {
        ("layers.0.conv", "conv"): (4 * 9 * 8 * PIXELS, 4 * 9 * 8 + 8),
        ("layers.1.conv", "conv"): (25 * 8 * PIXELS, 25 * 8),
        ("layers.2.conv", "conv"): (8 * 8 * PIXELS, 8 * 8 + 8),
        ("tail.conv", "conv"): (8 * 12 * PIXELS, 8 * 12 + 12),
    }
    assert counted.uncounted == {"tanh": 1, "add": 1, "pixel_shuffle": 1, "relu": 1}
    assert sum(row.share for row in counted.rows) == pytest.approx(1)
    assert counted.rows[0].share == pytest.approx(4 * 9 * 8 / (4 * 9 * 8 + 25 * 8 + 8 * 8 + 8 * 12))


def test_a_half_resolution_trunk_with_a_color_head_by_hand() -> None:
    architecture = PlainArchitecture(scale=4, blocks=(Block(kind="conv3", channels=6),), tail_kernel=3, color_head=True)
    counted = count_operators(architecture, SIZE)
    assert rows(counted) == {
        ("layers.0.conv", "conv"): (4 * 9 * 6 * PIXELS // 4, 4 * 9 * 6 + 6),
        ("head.features", "conv"): (4 * 8 * PIXELS, 4 * 8 + 8),
        ("head.scale", "conv"): (8 * 6, 8 * 6 + 6),
        ("head.shift", "conv"): (8 * 6, 8 * 6 + 6),
        ("tail.conv", "conv"): (6 * 9 * 48 * PIXELS // 4, 6 * 9 * 48 + 48),
    }
    # The padding of the stride; the head's mean, its one more and its shift; both activations.
    assert counted.uncounted == {"pad": 1, "mean": 1, "mul": 1, "add": 2, "pixel_shuffle": 1, "relu": 2}


def test_rmfa_enlarges_what_our_own_count_leaves_out() -> None:
    """The three levels of its pyramid, of four channels each, become as large as the picture: 4 steps a value."""
    counted = count_operators(RmfaArchitecture(width=4, depth=1), SIZE)
    pixels = 4 * PIXELS
    found = rows(counted)
    assert found["input_module.0", "conv"] == (3 * 9 * 4 * pixels, 3 * 9 * 4 + 4)
    assert found["rmfa_blocks.0.channel_attention.fc.0", "conv"] == (2 * 4 * 1, 4)
    assert found["rmfa_blocks.0.spatial_attention.conv", "conv"] == (2 * 49 * pixels, 2 * 49)
    enlarged = 4 * 3 * 4 * pixels
    assert found["rmfa_blocks.0.tone_mapping", "upsample_bilinear2d"] == (enlarged, 0)
    assert counted.remarks()[0] == f"only fvcore counts upsample_bilinear2d: {enlarged:,} multiply-accumulates"
    assert {"sigmoid", "avg_pool2d", "amax", "relu", "cat"} <= counted.uncounted.keys()


@pytest.mark.parametrize(
    "architecture",
    [
        *PUBLISHED.values(),
        PlainArchitecture(scale=4, blocks=(Block(kind="dwsep3", channels=12),), color_head=True),
    ],
)
def test_both_counts_agree_on_convolutions_and_parameters(architecture: Architecture) -> None:
    counted = count_operators(architecture, SIZE)
    convolutions = sum(row.macs for row in counted.rows if row.operator == "conv")
    assert (counted.params, convolutions) == (counted.cost.params, round(1e9 * counted.cost.gmacs))
    assert not [line for line in counted.remarks() if "this program" in line]


def test_counts_that_differ_are_told() -> None:
    row = OperatorRow("tail", "conv", 2_000_000, 1.0, 10)
    lines = OperatorCount((row,), 10, {"tanh": 2}, Cost(11, 0.001)).remarks()
    assert lines == [
        "convolutions: fvcore counts 2,000,000 multiply-accumulates, this program 1,000,000",
        "parameters: fvcore counts 10, this program 11",
        "not counted: tanh x2",
    ]


def test_counting_leaves_the_random_numbers_alone() -> None:
    torch.manual_seed(0)
    expected = torch.rand(3)
    torch.manual_seed(0)
    count_operators(PUBLISHED["robust-isp"], SIZE)
    assert torch.equal(torch.rand(3), expected)


def test_a_size_that_the_network_does_not_take_is_refused() -> None:
    with pytest.raises(InputError, match="even sides"):
        count_operators(PlainArchitecture(scale=4, blocks=(Block(kind="conv3", channels=8),)), (9, 8))


def test_nothing_else_is_printed_and_fvcore_is_loaded_late() -> None:
    program = (
        "import sys; from nas_isp.generators.operator_count import count_operators;"
        "from nas_isp.generators.published import PUBLISHED;"
        "before = 'fvcore' in sys.modules; count_operators(PUBLISHED['robust-isp'], (16, 16));"
        "print(before, 'fvcore' in sys.modules)"
    )
    command = [sys.executable, "-W", "always", "-c", program]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("False True\n", "")
