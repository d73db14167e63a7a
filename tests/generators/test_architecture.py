"""Architectures as records: JSON, equality, digests and what is refused."""

from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from nas_isp.generators.architecture import (
    ARCHITECTURE,
    Architecture,
    Block,
    PlainArchitecture,
    RmfaArchitecture,
)
from nas_isp.generators.blocks import BLOCKS
from nas_isp.generators.conv_spec import PACKED_CHANNELS, Activation


@st.composite
def plain(draw: st.DrawFn) -> PlainArchitecture:
    scale = draw(st.sampled_from([2, 4]))
    channels, blocks = PACKED_CHANNELS, []
    for index in range(draw(st.integers(1, 6))):
        width = draw(st.integers(1, 64))
        legal = width == channels and not (index == 0 and scale == 4)
        residual = legal and draw(st.booleans())
        kind, activation = draw(st.sampled_from(list(BLOCKS))), draw(st.sampled_from(get_args(Activation)))
        blocks.append(Block(kind=kind, channels=width, activation=activation, residual=residual))
        channels = width
    return PlainArchitecture(
        scale=scale,  # type: ignore[arg-type]
        blocks=tuple(blocks),
        tail_kernel=draw(st.sampled_from([1, 3, 5])),
        tail_activation=draw(st.sampled_from(["none", "relu"])),
        color_head=draw(st.booleans()),
    )


architectures = plain() | st.builds(RmfaArchitecture, width=st.integers(1, 32).map(lambda n: 2 * n))


@given(architectures)
def test_json_round_trip_keeps_equality_hash_and_digest(architecture: Architecture) -> None:
    again = ARCHITECTURE.validate_json(architecture.to_json())
    assert again == architecture
    assert hash(again) == hash(architecture)
    assert again.digest() == architecture.digest()
    assert again.to_json() == architecture.to_json()


@given(architectures, architectures)
def test_digests_differ_exactly_where_descriptions_do(one: Architecture, other: Architecture) -> None:
    assert (one == other) == (one.digest() == other.digest())


@pytest.mark.parametrize(
    "text",
    [
        '{"family": "plain", "blocks": []}',
        '{"family": "plain", "blocks": [{"kind": "conv7", "channels": 8}]}',
        '{"family": "plain", "blocks": [{"kind": "conv3", "channels": 0}]}',
        '{"family": "plain", "blocks": [{"kind": "conv3", "channels": 8, "residual": true}]}',
        '{"family": "plain", "scale": 4, "blocks": [{"kind": "conv3", "channels": 4, "residual": true}]}',
        '{"family": "plain", "format_version": 2, "blocks": [{"kind": "conv3", "channels": 8}]}',
        '{"family": "plain", "unknown": 1, "blocks": [{"kind": "conv3", "channels": 8}]}',
        '{"family": "other"}',
    ],
)
def test_impossible_descriptions_are_refused(text: str) -> None:
    with pytest.raises(ValidationError):
        ARCHITECTURE.validate_json(text)
