"""Which feature networks there are, by name."""

from collections.abc import Callable
from pathlib import Path

import torch

from nas_isp.errors import InputError
from nas_isp.perceptual.lite import load_lite
from nas_isp.perceptual.network import FeatureNetwork, feature_distance
from nas_isp.perceptual.squeezenet import load_squeezenet

__all__ = ["LOADERS", "FeatureNetwork", "feature_distance", "load_features"]

LOADERS: dict[str, Callable[[Path | None], FeatureNetwork]] = {
    "lite": lambda _: load_lite(),
    "squeezenet": load_squeezenet,
}


def load_features(name: str = "lite", weights_dir: Path | None = None) -> FeatureNetwork:
    """A frozen feature network, ready to use.

    Args:
        name: `lite`, whose weights are in the package, or another of `LOADERS`.
        weights_dir: folder of the weights of networks that are not packaged; else the environment variable
            NAS_ISP_WEIGHTS names it.

    Raises:
        InputError: unknown name, or weights that are missing or unreadable.
    """
    if name not in LOADERS:
        raise InputError(f"unknown feature network '{name}': known are {', '.join(LOADERS)}")
    with torch.random.fork_rng(devices=[]):  # what the caller draws next must not depend on this
        return LOADERS[name](weights_dir)
