"""Networks that several parts are tested with."""

from nas_isp.generators.architecture import Block, PlainArchitecture

EVERYTHING = PlainArchitecture(
    blocks=(
        Block(kind="dwsep5", channels=8),
        Block(kind="rep3", channels=8, residual=True, activation="relu6"),
        Block(kind="dwsep3", channels=8, residual=True, activation="none"),
        Block(kind="conv1", channels=12, activation="tanh"),
    ),
    scale=4,
    color_head=True,
    tail_kernel=5,
    tail_activation="relu",
)
"""Blocks of several kinds, and all else that a plain network can have."""
