"""Networks that every exporter and runner must handle."""

import torch

from nas_isp.generators.architecture import Architecture, Block, PlainArchitecture
from nas_isp.generators.build import build
from nas_isp.generators.bundle import Bundle, BundleRecord
from nas_isp.raw.sensor import SensorDescription

SENSOR = SensorDescription(name="test", cfa="RGGB", bits=10, black=64, white=1023)

FIRST = Block(kind="conv3", channels=8, activation="tanh")

PLAIN_CASES: dict[str, PlainArchitecture] = {
    "plain": PlainArchitecture(blocks=(FIRST, Block(kind="conv1", channels=12)), tail_activation="relu"),
    "wide-kernels": PlainArchitecture(blocks=(Block(kind="conv5", channels=6),), tail_kernel=5),
    "residual": PlainArchitecture(
        blocks=(
            Block(kind="conv3", channels=4, activation="none", residual=True),
            FIRST,
            Block(kind="conv3", channels=8, residual=True),
        ),
        tail_kernel=1,
    ),
    "separable": PlainArchitecture(
        blocks=(
            Block(kind="dwsep3", channels=8),
            Block(kind="dwsep5", channels=8, activation="tanh", residual=True),
        )
    ),
    "reparameterized": PlainArchitecture(
        blocks=(Block(kind="rep3", channels=8, activation="relu6"), Block(kind="rep3", channels=8, residual=True))
    ),
    "quarter": PlainArchitecture(scale=4, blocks=(FIRST, Block(kind="conv3", channels=8, residual=True))),
    "quarter-separable": PlainArchitecture(scale=4, blocks=(Block(kind="dwsep5", channels=8), FIRST)),
    "color-head": PlainArchitecture(blocks=(FIRST, Block(kind="conv3", channels=10)), color_head=True),
    "quarter-color-head": PlainArchitecture(
        scale=4, blocks=(Block(kind="conv5", channels=8, activation="relu6"),), color_head=True
    ),
}
"""One of every kind of block, activation, tail and head."""


def bundle_of(architecture: Architecture, seed: int = 0) -> Bundle:
    """A model whose every weight, also those that start at zero, has been moved."""
    torch.manual_seed(seed)
    net = build(architecture)
    with torch.no_grad():
        for parameter in net.parameters():
            parameter += 0.05 * torch.randn_like(parameter)
    return Bundle(
        BundleRecord(architecture=architecture, sensor=SENSOR, origin={"made by": "a test"}), net.state_dict()
    )
