"""What several conformance tests need: a model of any description, and the demo set ready for training."""

from functools import cache

import torch

from nas_isp.data.demo import demo_folders
from nas_isp.data.patches import load_unpaired
from nas_isp.generators.architecture import Architecture
from nas_isp.generators.build import build
from nas_isp.generators.bundle import Bundle, BundleRecord
from nas_isp.preparation.prepare import prepare
from nas_isp.preparation.prepared import Prepared
from nas_isp.raw.sensor import SensorDescription
from nas_isp.recipe import TrainSettings
from nas_isp.scratch import scratch_folder

SENSOR = SensorDescription(name="conformance", cfa="RGGB", bits=10, black=64, white=1023)

PATCH = 64
"""Side of the demo set's patches, RGB pixels."""

PATCHES = 16


def moved_bundle(architecture: Architecture, seed: int = 0) -> Bundle:
    """A model whose every weight, also those that start at zero, has been moved a little at random."""
    torch.manual_seed(seed)
    net = build(architecture)
    with torch.no_grad():
        for parameter in net.parameters():
            parameter.add_(torch.randn_like(parameter), alpha=0.05)
    return Bundle(BundleRecord(architecture=architecture, sensor=SENSOR, origin={}), net.state_dict())


@cache
def prepared_demo() -> Prepared:
    """A few patches of the demo set with its true pairs, prepared for any unpaired training; made once a process."""
    with scratch_folder() as scratch:
        raw, rgb, pairs = demo_folders(scratch / "demo")
        data = load_unpaired(raw, rgb, scratch, PATCH, val_dir=pairs, limit=PATCHES)
        return prepare(data, TrainSettings(patch=PATCH), seed=0)
