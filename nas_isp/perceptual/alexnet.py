"""AlexNet (Krizhevsky, 2014, arXiv 1404.5997) with torchvision's weights."""

from pathlib import Path

from torch import nn

from nas_isp.perceptual.features import FeatureSource
from nas_isp.perceptual.network import IMAGENET, FeatureNetwork, Layer, Role
from nas_isp.perceptual.state import fill, read_state
from nas_isp.perceptual.weight_files import WeightsFile

WEIGHTS = WeightsFile(
    "alexnet-owt-7be5be79.pth",
    address="https://download.pytorch.org/models/alexnet-owt-7be5be79.pth",
    sha256="7be5be791159472b1fbf3c69796f7cb30dca7ad8466c2df70058c37116cdee02",
)

_ROLES: dict[Role, str] = {"shallow": "relu1", "middle": "relu4", "deep": "relu5"}
_TORCHVISION_POSITIONS = (0, 3, 6, 8, 10)


def unfilled_alexnet(normalize: bool = True) -> FeatureNetwork:
    """The layers relu1 to relu5, LPIPS's features 0 to 4, with random weights; its speed is that of the trained one.

    Convolutions and poolings keep the original's edges: a map may be a row and a column smaller than its stride says.
    """
    layers = {
        "relu1": Layer(nn.Sequential(nn.Conv2d(3, 64, 11, stride=4, padding=2), _relu()), 64, 4, 7),
        "relu2": Layer(nn.Sequential(_pool(), nn.Conv2d(64, 192, 5, padding=2), _relu()), 192, 8, 15),
        "relu3": Layer(nn.Sequential(_pool(), nn.Conv2d(192, 384, 3, padding=1), _relu()), 384, 16, 31),
        "relu4": Layer(nn.Sequential(nn.Conv2d(384, 256, 3, padding=1), _relu()), 256, 16, 31),
        "relu5": Layer(nn.Sequential(nn.Conv2d(256, 256, 3, padding=1), _relu()), 256, 16, 31),
    }
    network = FeatureNetwork("alexnet", layers, _ROLES, IMAGENET, normalize)
    for convolution in _convolutions(network):
        nn.init.kaiming_normal_(convolution.weight, nonlinearity="relu")
    return network


def load_alexnet(path: Path, normalize: bool = True) -> FeatureNetwork:
    """The layers relu1 to relu5 from a state dictionary with torchvision's key names.

    Raises:
        InputError: the file is unreadable or holds other weights.
    """
    network = unfilled_alexnet(normalize)
    fill(_convolutions(network), read_state(path), [f"features.{at}" for at in _TORCHVISION_POSITIONS], path)
    return network


SOURCE = FeatureSource(unfilled_alexnet, ((WEIGHTS, load_alexnet),))


def _relu() -> nn.ReLU:
    return nn.ReLU(inplace=True)


def _pool() -> nn.MaxPool2d:
    return nn.MaxPool2d(3, stride=2)


def _convolutions(network: FeatureNetwork) -> list[nn.Conv2d]:
    return [part for part in network.stages.modules() if isinstance(part, nn.Conv2d)]
