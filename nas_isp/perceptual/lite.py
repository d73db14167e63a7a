"""`lite`: a small feature network whose weights are part of the package, cheap enough for every step on a CPU."""

from pathlib import Path

from safetensors.torch import load_file
from torch import nn

from nas_isp.perceptual.network import FeatureNetwork

WEIGHTS_FILE = Path(__file__).parent / "weights" / "lite.safetensors"

_CHANNELS = {"shallow": 16, "middle": 32, "deep": 64}
_STRIDES = {"shallow": 2, "middle": 4, "deep": 8}


def untrained_lite() -> FeatureNetwork:
    """The structure with random weights: six convolutions, each with ReLU; what the training program starts from."""
    stages = {
        "shallow": nn.Sequential(_halve(3, 16), nn.ReLU()),
        "middle": nn.Sequential(_halve(16, 32), nn.ReLU(), _keep(32, 32), nn.ReLU()),
        "deep": nn.Sequential(_halve(32, 64), nn.ReLU(), _keep(64, 32), nn.ReLU(), _keep(32, 64), nn.ReLU()),
    }
    mean, std = (0.5, 0.5, 0.5), (0.25, 0.25, 0.25)
    return FeatureNetwork(stages, _CHANNELS, _STRIDES, mean, std)


def load_lite() -> FeatureNetwork:
    """The network as trained by `tools/train_lite_features.py` on SqueezeNet's features; see docs/lite_features.md."""
    network = untrained_lite()
    network.load_state_dict(load_file(WEIGHTS_FILE))
    return network


def _halve(into: int, out: int) -> nn.Conv2d:
    """A 4x4 kernel at stride 2 meets every pixel equally often; 3x3 would put a checkerboard into gradients."""
    convolution = nn.Conv2d(into, out, kernel_size=4, stride=2, padding=1)
    nn.init.kaiming_normal_(convolution.weight, nonlinearity="relu")
    return convolution


def _keep(into: int, out: int) -> nn.Conv2d:
    convolution = nn.Conv2d(into, out, kernel_size=3, padding=1)
    nn.init.kaiming_normal_(convolution.weight, nonlinearity="relu")
    return convolution
