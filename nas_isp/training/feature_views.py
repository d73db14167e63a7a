"""What loss terms and discriminators see of a picture: layers of frozen networks, with as few passes as possible."""

from collections.abc import Callable, Iterable

import torch
from torch import Tensor
from torch.nn import functional

from nas_isp.evaluation.color import lightness_picture, luma_picture
from nas_isp.recipe import ColorSettings, ContentSettings, SeenLayer
from nas_isp.training.feature_extractors import ExtractorKey, FeatureExtractors, key_of

COLOR_GAIN = 4.0
"""One over the spread that `lite` takes colors to have, so that they count beside its features, whose spread is 1."""

ShownAs = Callable[[Tensor], Tensor]
"""What a view's network is shown of images `(B, 3, H, W)`."""

Views = dict[str, Tensor]
"""Name of the view (`content`, `texture_fine`, `texture_coarse`, `color`) to feature maps, float32 `(B, C, h, w)`."""


class FeatureViews:
    """Looks at pictures through the frozen networks; views of one network and one kind of picture share a pass."""

    def __init__(self, layers: dict[str, SeenLayer], networks: FeatureExtractors) -> None:
        """Prepare the named views.

        Args:
            layers: see `networks.layers_of`.

        Raises:
            InputError: a layer that its network does not have.
        """
        self.networks = networks
        self._pictures = {name: _picture_of(layer) for name, layer in layers.items()}
        self._keys = {name: key_of(layer) for name, layer in layers.items()}
        self._layers = {name: networks.layer_of(layer) for name, layer in layers.items()}
        color = layers.get("color")
        self._with_colors = isinstance(color, ColorSettings) and color.with_colors

    @property
    def names(self) -> tuple[str, ...]:
        """The views there are."""
        return tuple(self._layers)

    def see(self, images: Tensor, names: Iterable[str]) -> Views:
        """The named views of sRGB images `(B, 3, H, W)`."""
        pictures: dict[ShownAs, Tensor] = {}
        passes: dict[tuple[ShownAs, ExtractorKey], list[str]] = {}
        for name in names:
            picture = self._pictures[name]
            if picture not in pictures:
                pictures[picture] = picture(images)
            passes.setdefault((picture, self._keys[name]), []).append(name)
        views: Views = {}
        for (picture, key), together in passes.items():
            seen = self.networks[key](pictures[picture], [self._layers[name] for name in together])
            views |= {name: seen[self._layers[name]].float() for name in together}
        if "color" in views and self._with_colors:
            views["color"] = _beside_colors(views["color"], pictures[self._pictures["color"]])
        return views

    def shapes(self, names: Iterable[str], side: int, device: torch.device) -> dict[str, tuple[int, int, int]]:
        """(C, h, w) of the named views of pictures of a side."""
        with torch.no_grad():
            seen = self.see(torch.zeros(1, 3, side, side, device=device), names)
        return {name: (maps.shape[1], maps.shape[2], maps.shape[3]) for name, maps in seen.items()}


def blurred_picture(images: Tensor, settings: ColorSettings) -> Tensor:
    """Images shrunk, blurred and resized as the settings say."""
    small = functional.avg_pool2d(images, settings.shrink) if settings.shrink > 1 else images
    blurred = _blur(small, settings.blur_sigma, settings.blur_radius, settings.border)
    if settings.side is None or settings.side == blurred.shape[-1]:
        return blurred
    return functional.interpolate(blurred, (settings.side, settings.side), mode="bilinear")


def _picture_of(layer: SeenLayer) -> ShownAs:
    """The function that makes the picture; the same function for views that can share a pass."""
    if isinstance(layer, ColorSettings):
        return lambda images: blurred_picture(images, layer)
    is_lightness = isinstance(layer, ContentSettings) and layer.picture == "lightness"
    return lightness_picture if is_lightness else luma_picture


def _beside_colors(features: Tensor, picture: Tensor) -> Tensor:
    colors = functional.adaptive_avg_pool2d(picture, (features.shape[2], features.shape[3])) - 0.5
    return torch.cat((features, colors * COLOR_GAIN), 1)


def _blur(images: Tensor, sigma: float, radius: int, border: str) -> Tensor:
    at = torch.arange(-radius, radius + 1, dtype=images.dtype, device=images.device)
    line = torch.exp(-0.5 * (at / sigma) ** 2)
    line = (line / line.sum()).repeat(images.shape[1], 1, 1, 1)
    padded = functional.pad(images, (radius,) * 4, mode="replicate" if border == "replicate" else "constant")
    across = functional.conv2d(padded, line, groups=images.shape[1])
    return functional.conv2d(across, line.transpose(2, 3), groups=images.shape[1])
