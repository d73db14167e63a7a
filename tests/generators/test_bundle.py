"""Writing a bundle: it appears whole, or not at all and with one line that says why."""

from pathlib import Path

import pytest
import torch

from nas_isp.errors import InputError
from nas_isp.generators.architecture import Block, PlainArchitecture
from nas_isp.generators.build import assemble
from nas_isp.generators.bundle import Bundle, BundleRecord, load_bundle, save_bundle
from nas_isp.raw.sensor import SensorDescription
from tests.full_disk import REASON, room_for

NETWORK = PlainArchitecture(blocks=(Block(kind="conv3", channels=4),))
RECORD = BundleRecord(architecture=NETWORK, sensor=SensorDescription(cfa="RGGB", black=64, white=1023))


def test_what_was_saved_is_read_back(tmp_path: Path) -> None:
    weights = assemble(NETWORK).state_dict()
    save_bundle(tmp_path / "m.safetensors", Bundle(RECORD, weights))

    read = load_bundle(tmp_path / "m.safetensors")

    assert read.record == RECORD
    assert read.weights.keys() == weights.keys()
    assert all(torch.equal(read.weights[name], weights[name]) for name in weights)


def test_a_full_disk_gives_one_line_and_leaves_nothing(tmp_path: Path) -> None:
    path = tmp_path / "m.safetensors"

    with room_for(1000), pytest.raises(InputError, match=rf"m\.safetensors: cannot be written .*{REASON}"):
        save_bundle(path, Bundle(RECORD, assemble(NETWORK).state_dict()))

    assert not list(tmp_path.iterdir())
