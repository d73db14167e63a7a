"""What a bundle claims about its network is compared with its weights before memory is taken."""

import json
import struct
from pathlib import Path

import pytest
import torch

from nas_isp.errors import InputError
from nas_isp.generators.architecture import Block, PlainArchitecture
from nas_isp.generators.build import assemble
from nas_isp.generators.bundle import Bundle, BundleRecord, load_bundle, network_of, save_bundle
from nas_isp.raw.sensor import SensorDescription

SMALL = PlainArchitecture(blocks=(Block(kind="conv3", channels=4),))
GIANT = PlainArchitecture(blocks=(Block(kind="conv5", channels=512),) * 64)
SENSOR = SensorDescription(cfa="RGGB", black=64, white=1023)


def test_a_record_of_a_network_of_gigabytes_is_refused_by_its_weights() -> None:
    bundle = Bundle(BundleRecord(architecture=GIANT, sensor=SENSOR), assemble(SMALL).state_dict())
    with pytest.raises(InputError, match=r"x: its weights do not fit its architecture \('blocks.0.conv.weight' is"):
        network_of(bundle, "x")


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_weights_that_are_not_finite_are_refused(value: float) -> None:
    weights = assemble(SMALL).state_dict()
    weights["tail.conv.bias"] = torch.full((12,), value)
    with pytest.raises(InputError, match="x: its weights are not all finite numbers"):
        network_of(Bundle(BundleRecord(architecture=SMALL, sensor=SENSOR), weights), "x")


def test_a_record_with_a_number_of_thousands_of_digits_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.safetensors"
    save_bundle(path, Bundle(BundleRecord(architecture=SMALL, sensor=SENSOR), assemble(SMALL).state_dict()))
    content = path.read_bytes()
    length = struct.unpack_from("<Q", content)[0]
    header = json.loads(content[8 : 8 + length])
    header["__metadata__"]["nas_isp"] = "9" * 5000
    text = json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + content[8 + length :])
    with pytest.raises(InputError, match=r"a\.safetensors, its record: malformed JSON \(a number of too many digits\)"):
        load_bundle(path)
