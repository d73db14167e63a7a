"""Search spaces: every shipped one, sampling, encoding, enumeration, and what a file may not say."""

from pathlib import Path

import numpy as np
import optuna
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from nas_isp import resources
from nas_isp.errors import InputError
from nas_isp.generators.architecture import Block, PlainArchitecture
from nas_isp.generators.conv_spec import PACKED_CHANNELS
from nas_isp.latency.kernels.from_architecture import kernels_of
from nas_isp.search.space import SearchSpace, load_space

MINIMAL = """
description: d
scales: [2]
depths: [1]
widths: [4, 8]
kinds: [conv3]
activations: [relu]
first_activations: [relu]
"""


@pytest.mark.parametrize("name", resources.names("search_spaces"))
def test_every_shipped_space_loads_and_has_anchors_within(name: str) -> None:
    space = load_space(name)

    assert len(set(space.anchors)) >= 2
    for anchor in space.anchors:
        space.encode(anchor)


def test_mobile_is_the_space_that_the_design_names() -> None:
    space = load_space("mobile")

    assert space.scales == (2, 4)
    assert space.depths == (1, 2, 3, 4, 5)
    assert set(space.kinds) == {"conv1", "conv3", "conv5", "dwsep3", "dwsep5", "rep3"}
    assert space.color_heads == (False, True)


@settings(max_examples=100, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_a_sampled_member_can_be_encoded_and_suggested_again(seed: int) -> None:
    space = load_space("mobile")
    member = space.sample(np.random.default_rng(seed))

    parameters = space.encode(member)

    assert space.suggest(optuna.trial.FixedTrial(parameters)) == member
    assert 1 <= len(member.blocks) <= max(space.depths)


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_residuals_only_where_shapes_agree_and_no_strided_1x1(seed: int) -> None:
    member = load_space("mobile").sample(np.random.default_rng(seed))

    channels = PACKED_CHANNELS
    for index, block in enumerate(member.blocks):
        if block.residual:
            assert block.channels == channels
            assert index > 0 or member.scale == 2
        channels = block.channels
    assert not (member.scale == 4 and member.blocks[0].kind == "conv1")


def test_the_members_are_all_different_and_as_many_as_counted() -> None:
    space = load_space("tiny").model_copy(update={"scales": (2, 4), "kinds": ("conv1", "conv3"), "anchors": ()})

    members = list(space.members())

    assert len(members) == len(set(members)) == space.size()


def test_the_size_of_a_space_by_hand() -> None:
    space = load_space("tiny")

    # One block: 2 widths, 2 kinds, 2 activations; the width 4 equals the input's and may have a residual.
    one = (1 * 2 + 1) * 2 * 2
    # Two blocks: after each of the 12 first blocks, 2 kinds; of 2 widths the equal one may have a residual.
    two = one * 2 * 3
    assert space.size() == one + two


def test_short_networks_hold_exactly_the_kernels_of_all_members() -> None:
    text = MINIMAL.replace("depths: [1]", "depths: [1, 3]").replace("kinds: [conv3]", "kinds: [conv1, dwsep3]")
    text = text.replace("scales: [2]", "scales: [2, 4]").replace("first_activations: [relu", "first_activations: [tanh")
    text += "residuals: [false, true]\ncolor_heads: [false, true]\n"
    space = SearchSpace.model_validate(yaml.safe_load(text))
    kernels = {kernel for member in space.members() for kernel in kernels_of(member, 32, 32)}
    assert {kernel for network in space.short_networks() for kernel in kernels_of(network, 32, 32)} == kernels


def test_equal_seeds_give_equal_samples() -> None:
    space = load_space("mobile")

    first = [space.sample(np.random.default_rng(7)) for _ in range(3)]

    assert len(set(first)) == 1


def test_a_network_outside_of_the_space_is_refused_with_what_is_allowed() -> None:
    space = load_space("tiny")
    wide = PlainArchitecture(blocks=(Block(kind="conv3", channels=64),))

    with pytest.raises(InputError, match=r"block0.channels 64 .* allowed are 4, 8"):
        space.encode(wide)
    with pytest.raises(InputError, match="does not offer"):
        space.encode(PlainArchitecture(blocks=(Block(kind="conv3", channels=4),), color_head=True))


def test_one_optuna_study_can_hold_every_member(tmp_path: Path) -> None:
    """Conditional names never meet with other options."""
    space, rng = load_space("mobile"), np.random.default_rng(1)
    study = optuna.create_study(storage=optuna.storages.InMemoryStorage(), directions=["maximize", "minimize"])

    for _ in range(60):
        study.enqueue_trial(space.encode(space.sample(rng)))
        space.suggest(study.ask())


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ("widths: [4, 4]", "twice"),
        ("widths: []", "at least 1"),
        ("widths: [0]", "greater than or equal to 1"),
        ("depths: [99]", "less than or equal to 16"),
        ("kinds: [conv7]", "conv1"),
        ("scales: [3]", "2 or 4"),
        ("surprise: 1", "Extra inputs"),
        ("residuals: [true]", "false must be among them"),
        ("anchors: [{blocks: [{kind: conv3, channels: 16}]}]", "block0.channels 16"),
    ],
)
def test_a_file_with_a_fault_is_refused_with_the_field(tmp_path: Path, line: str, complaint: str) -> None:
    name = line.split(":")[0]
    kept = [row for row in MINIMAL.splitlines() if row and not row.startswith(f"{name}:")]
    path = tmp_path / "space.yaml"
    path.write_text("\n".join([*kept, line]) + "\n")

    with pytest.raises(InputError, match=complaint) as caught:
        load_space(str(path))
    assert str(path) in str(caught.value)


def test_an_unknown_name_lists_the_known_ones() -> None:
    with pytest.raises(InputError, match="mobile"):
        load_space("nowhere")


def test_a_space_survives_its_own_json() -> None:
    space = load_space("mobile")

    assert SearchSpace.model_validate_json(space.model_dump_json()) == space
