"""The generators published with arXiv 2505.10420, by name; `checkpoints` reads their published weights."""

from nas_isp.generators.architecture import Architecture, Block, PlainArchitecture, RmfaArchitecture

PUBLISHED: dict[str, Architecture] = {
    "efficient-isp": PlainArchitecture(
        blocks=(
            Block(kind="conv3", channels=12, activation="tanh"),
            Block(kind="conv3", channels=12, activation="relu"),
        ),
        tail_activation="relu",
    ),
    "robust-isp": PlainArchitecture(
        blocks=(
            Block(kind="conv3", channels=16, activation="tanh"),
            Block(kind="conv3", channels=4, activation="relu"),
        ),
        tail_activation="relu",
    ),
    "rmfa-tiny": RmfaArchitecture(width=16, depth=2),
}
"""Name -> description: 3,060, 1,616 and 29,223 parameters."""
