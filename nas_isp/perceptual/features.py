"""Which feature networks there are, by name, and where their weights come from."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch

from nas_isp.errors import InputError
from nas_isp.perceptual import alexnet, lite, squeezenet, vgg19, vit
from nas_isp.perceptual.download import download, weights_or_download
from nas_isp.perceptual.network import FeatureNetwork, feature_distance
from nas_isp.perceptual.weight_files import WeightsFile, cache_folder

__all__ = ["NETWORKS", "FeatureNetwork", "feature_distance", "fetch_weights", "load_features", "unfilled_features"]

Loader = Callable[[Path, bool], FeatureNetwork]


@dataclass(frozen=True)
class Network:
    """How one network is built.

    Attributes:
        unfilled: from nothing, with random weights; the argument is `normalize`.
        loaders: for each file of weights that serves, the preferred first, what reads it.
        packaged: with the weights of the package, for a network that needs no file.
    """

    unfilled: Callable[[bool], FeatureNetwork]
    loaders: tuple[tuple[WeightsFile, Loader], ...] = ()
    packaged: Callable[[bool], FeatureNetwork] | None = None

    @property
    def files(self) -> tuple[WeightsFile, ...]:
        """The files of weights that serve."""
        return tuple(file for file, _ in self.loaders)


NETWORKS: dict[str, Network] = {
    "lite": Network(lite.unfilled_lite, packaged=lite.load_lite),
    "squeezenet": Network(
        squeezenet.unfilled_squeezenet,
        (
            (squeezenet.CAFFE_WEIGHTS, squeezenet.load_caffe_squeezenet),
            (squeezenet.WEIGHTS, squeezenet.load_squeezenet),
        ),
    ),
    "alexnet": Network(alexnet.unfilled_alexnet, ((alexnet.WEIGHTS, alexnet.load_alexnet),)),
    "vgg19": Network(
        vgg19.unfilled_vgg19,
        ((vgg19.WEIGHTS, vgg19.load_vgg19), (vgg19.NORMALIZED_WEIGHTS, vgg19.load_normalized_vgg19)),
    ),
    "vit-b16": Network(vit.unfilled_vit, ((vit.WEIGHTS, vit.load_vit),)),
}


def load_features(name: str = "lite", weights_dir: Path | None = None, normalize: bool = True) -> FeatureNetwork:
    """A frozen feature network, ready to use.

    Weights that are not packaged are looked for in `weights_dir`, in the folder that the environment variable
    NAS_ISP_WEIGHTS names and in the user's cache, and else downloaded there from their official address.

    Args:
        name: of `NETWORKS`; `lite` has its weights in the package.
        weights_dir: a folder with weights' files.
        normalize: False feeds raw 0..1 images, as the published recipe does for `alexnet` and `vit-b16`.

    Raises:
        InputError: unknown name, or weights that are missing and cannot be fetched, or unreadable.
    """
    network = _network(name)
    with torch.random.fork_rng(devices=[]):  # what the caller draws next must not depend on this
        if network.packaged:
            return network.packaged(normalize)
        needed_by = f"feature network '{name}'"
        found, path = weights_or_download(network.files, weights_dir, needed_by, "--features lite, which needs no file")
        return dict(network.loaders)[found](path, normalize)


def fetch_weights(name: str) -> Path:
    """Download the weights of a network into the user's cache, unless they are there already.

    Raises:
        InputError: unknown name, a network without a download, or a download that failed.
    """
    remote = next((file for file in _network(name).files if file.address), None)
    if remote is None:
        raise InputError(f"feature network '{name}' has nothing to fetch: its weights are in the package")
    path = cache_folder() / remote.name
    return path if path.is_file() else download(remote, cache_folder())


def unfilled_features(name: str = "lite", normalize: bool = True) -> FeatureNetwork:
    """The network of that name with random weights: for timing, which weights do not change, and for tests.

    Raises:
        InputError: unknown name.
    """
    return _network(name).unfilled(normalize)


def _network(name: str) -> Network:
    if name not in NETWORKS:
        raise InputError(f"unknown feature network '{name}': known are {', '.join(NETWORKS)}")
    return NETWORKS[name]
