"""Conformance of scores: a number that is higher for better pictures, and always the same for the same generator."""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

from nas_isp.perceptual.features import load_features
from nas_isp.recipe.score_registry import SCORES
from nas_isp.testing.material import prepared_demo
from nas_isp.training.scores import Scored

NOT_FOR_PARTS = {"quality", "score_kind", "step"}


class ScoreConformance:
    """All that a score promises, on a few patches and true pairs of the demo set.

    Attributes:
        name: of the score in `SCORES`.
    """

    name: str

    def test_it_is_finite(self) -> None:
        """Also of a black and of a white picture; its parts are numbers with names of their own."""
        for generator in (_Rendering(), _Constant(0.0), _Constant(1.0)):
            scored = self._scored(generator)
            assert math.isfinite(scored.quality), f"quality {scored.quality}"
            odd = {name: value for name, value in scored.parts.items() if not math.isfinite(value)}
            assert not odd, f"parts that are not finite: {odd}"
            taken = NOT_FOR_PARTS & scored.parts.keys()
            assert not taken, f"parts with names that are taken: {', '.join(taken)}"

    def test_better_pictures_score_higher(self) -> None:
        """A crude rendering beats itself with a tint, with noise, and its own negative."""
        good = self._scored(_Rendering()).quality
        for what, worse in (("a tint", _Tinted()), ("noise", _Noisy()), ("the negative", _Negative())):
            found = self._scored(worse).quality
            assert found < good, f"a rendering scores {good:.4g}, with {what} {found:.4g}"

    def test_the_same_generator_gets_the_same_score(self) -> None:
        """Whatever random numbers have been drawn meanwhile."""
        first = self._scored(_Rendering())
        torch.manual_seed(1)
        second = self._scored(_Rendering())
        assert first == second, f"{first}, then {second}"

    def _scored(self, generator: nn.Module) -> Scored:
        scoring, features = prepared_demo().scoring, load_features("lite")
        with torch.no_grad():
            return SCORES[self.name].measure(generator, scoring, features, torch.device("cpu"))


class _Rendering(nn.Module):
    """White balance of daylight, and a gamma."""

    def forward(self, packed: Tensor) -> Tensor:
        red, green, blue = packed[:, :1] * 1.8, packed[:, 1:3].mean(1, keepdim=True), packed[:, 3:] * 1.6
        linear = functional.interpolate(torch.cat((red, green, blue), 1), scale_factor=2, mode="bilinear")
        return linear.clamp(0, 1) ** (1 / 2.2)


class _Tinted(_Rendering):
    def forward(self, packed: Tensor) -> Tensor:
        return super().forward(packed) + torch.tensor([0.25, -0.2, 0.25]).view(1, 3, 1, 1)


class _Noisy(_Rendering):
    def forward(self, packed: Tensor) -> Tensor:
        rgb = super().forward(packed)
        return rgb + 0.25 * torch.randn(rgb.shape, generator=torch.Generator().manual_seed(0))


class _Negative(_Rendering):
    def forward(self, packed: Tensor) -> Tensor:
        return 1 - super().forward(packed)


class _Constant(nn.Module):
    def __init__(self, level: float) -> None:
        super().__init__()
        self.level = level

    def forward(self, packed: Tensor) -> Tensor:
        return packed.new_full((len(packed), 3, 2 * packed.shape[2], 2 * packed.shape[3]), self.level)
