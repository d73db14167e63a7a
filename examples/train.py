"""Train one network on the demo set, or on folders of your own.

Run: python examples/train.py MODEL.safetensors [STEPS] [RAW RGB]
"""

import sys
from pathlib import Path

import nas_isp


def main(output: str, steps: str = "40", raw: str | None = None, rgb: str | None = None) -> None:
    """A network described here, not a published one, that works at half the picture's rows and columns."""
    network = nas_isp.PlainArchitecture.model_validate(
        {
            "blocks": [
                {"kind": "conv3", "channels": 12, "activation": "tanh"},
                {"kind": "rep3", "channels": 12, "activation": "relu", "residual": True},
            ]
        }
    )
    settings = nas_isp.load_recipe("default").train.overridden(steps=int(steps), warm_steps=4 * int(steps))
    folders = nas_isp.TrainingFolders(Path(raw), Path(rgb)) if raw and rgb else nas_isp.TrainingFolders()

    trained = nas_isp.train_model(network, output, folders, settings=settings, note=print)

    print(f"{trained.outcome.score_kind}: {trained.outcome.quality:.3f} after {trained.outcome.step} steps")


if __name__ == "__main__":
    main(*sys.argv[1:])
