"""The door for frozen feature networks: which there are, by name, and where their weights come from."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch

from nas_isp.errors import InputError
from nas_isp.perceptual.download import download, weights_or_download
from nas_isp.perceptual.network import FeatureNetwork
from nas_isp.perceptual.weight_files import WeightsFile, cache_folder
from nas_isp.registry import Registry

WeightsLoader = Callable[[Path, bool], FeatureNetwork]
"""Makes a network of a file of weights; the second argument is `normalize`."""


@dataclass(frozen=True)
class FeatureSource:
    """Where a feature network comes from: a member of the registry.

    Attributes:
        unfilled: makes it from nothing, with random weights; the argument is `normalize`.
        loaders: for each file of weights that serves, the preferred first, what reads it.
        packaged: makes it with weights that its package holds, for a network that needs no file.

    Raises:
        ValueError: neither loaders nor packaged weights.
    """

    unfilled: Callable[[bool], FeatureNetwork]
    loaders: tuple[tuple[WeightsFile, WeightsLoader], ...] = ()
    packaged: Callable[[bool], FeatureNetwork] | None = None

    def __post_init__(self) -> None:
        if not self.loaders and self.packaged is None:
            raise ValueError("a feature network without weights: give loaders, or packaged")

    @property
    def files(self) -> tuple[WeightsFile, ...]:
        """The files of weights that serve."""
        return tuple(file for file, _ in self.loaders)


FEATURE_NETWORKS: Registry[FeatureSource] = Registry(
    "feature network",
    "nas_isp.features",
    {
        "lite": "nas_isp.perceptual.lite:SOURCE",
        "squeezenet": "nas_isp.perceptual.squeezenet:SOURCE",
        "alexnet": "nas_isp.perceptual.alexnet:SOURCE",
        "vgg19": "nas_isp.perceptual.vgg19:SOURCE",
        "vit-b16": "nas_isp.perceptual.vit:SOURCE",
    },
)


def load_features(name: str = "lite", weights_dir: Path | None = None, normalize: bool = True) -> FeatureNetwork:
    """A frozen feature network, ready to use.

    Weights that are not packaged are looked for in `weights_dir`, in the folder that the environment variable
    NAS_ISP_WEIGHTS names and in the user's cache, and else downloaded there from their official address.

    Args:
        name: of `FEATURE_NETWORKS`; `lite` has its weights in the package.
        weights_dir: a folder with weights' files.
        normalize: False feeds raw 0..1 images, as the published recipe does for `alexnet` and `vit-b16`.

    Raises:
        InputError: unknown name, or weights that are missing and cannot be fetched, or unreadable.
    """
    source = FEATURE_NETWORKS[name]
    with torch.random.fork_rng(devices=[]):  # what the caller draws next must not depend on this
        if source.packaged:
            return source.packaged(normalize)
        needed_by = f"feature network '{name}'"
        found, path = weights_or_download(source.files, weights_dir, needed_by, "'lite', which needs no file")
        return dict(source.loaders)[found](path, normalize)


def fetch_weights(name: str) -> Path:
    """Download the weights of a network into the user's cache, unless they are there already.

    Raises:
        InputError: unknown name, a network without a download, or a download that failed.
    """
    source = FEATURE_NETWORKS[name]
    remote = next((file for file in source.files if file.address), None)
    if remote is None:
        where = "are in the package" if source.packaged else "have no download"
        raise InputError(f"feature network '{name}' has nothing to fetch: its weights {where}")
    path = cache_folder() / remote.name
    return path if path.is_file() else download(remote, cache_folder())


def unfilled_features(name: str = "lite", normalize: bool = True) -> FeatureNetwork:
    """The network of that name with random weights: for timing, which weights do not change, and for tests.

    Raises:
        InputError: unknown name.
    """
    return FEATURE_NETWORKS[name].unfilled(normalize)
