"""`lite`: a small feature network whose weights are part of the package, cheap enough for every step on a CPU."""

from pathlib import Path

from safetensors.torch import load_file
from torch import nn

from nas_isp.perceptual.features import FeatureSource
from nas_isp.perceptual.network import FeatureNetwork, InputRange, Layer, Role

WEIGHTS_FILE = Path(__file__).parent / "weights" / "lite.safetensors"

ROLES: dict[Role, str] = {"shallow": "shallow", "middle": "middle", "deep": "deep"}


def unfilled_lite(normalize: bool = True) -> FeatureNetwork:
    """The structure with random weights: six convolutions, each with ReLU; what the training program starts from."""
    layers = {
        "shallow": Layer(_chain(_halve(3, 16)), channels=16, stride=2),
        "middle": Layer(_chain(_halve(16, 32), _keep(32, 32)), channels=32, stride=4),
        "deep": Layer(_chain(_halve(32, 64), _keep(64, 32), _keep(32, 64)), channels=64, stride=8),
    }
    return FeatureNetwork("lite", layers, ROLES, InputRange((0.5, 0.5, 0.5), (0.25, 0.25, 0.25)), normalize)


def load_lite(normalize: bool = True) -> FeatureNetwork:
    """The network as trained by `tools/train_lite_features.py` on SqueezeNet's features; see docs/lite_features.md.

    Its channels have a variance of about 1 over photos.
    """
    network = unfilled_lite(normalize)
    network.load_state_dict(load_file(WEIGHTS_FILE))
    return network


SOURCE = FeatureSource(unfilled_lite, packaged=load_lite)


def _chain(*convolutions: nn.Conv2d) -> nn.Sequential:
    return nn.Sequential(*(part for convolution in convolutions for part in (convolution, nn.ReLU())))


def _halve(into: int, out: int) -> nn.Conv2d:
    """A 4x4 kernel at stride 2 meets every pixel equally often; 3x3 would put a checkerboard into gradients."""
    convolution = nn.Conv2d(into, out, kernel_size=4, stride=2, padding=1)
    nn.init.kaiming_normal_(convolution.weight, nonlinearity="relu")
    return convolution


def _keep(into: int, out: int) -> nn.Conv2d:
    convolution = nn.Conv2d(into, out, kernel_size=3, padding=1)
    nn.init.kaiming_normal_(convolution.weight, nonlinearity="relu")
    return convolution
