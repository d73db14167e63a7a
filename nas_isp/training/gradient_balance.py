"""Gradient-norm balance with one backward pass a term, or with fewer.

The published step (arXiv 2505.10420) divides every term by the norm of its own generator gradient, and takes eleven
backward passes to do so and to log it. The sum's gradient is the sum of the unit gradients already at hand, so it is
formed directly; and because the terms meet in the generator's output, each needs the frozen networks only once. With
norms kept from step to step, the steps between two measurings need one backward pass over the weighted sum.
"""

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

from nas_isp.recipe import BalanceSettings

TINY = 1e-12

WeightedValues = Mapping[str, tuple[Tensor, float]]


class GradientBalance:
    """Weighted sum of the terms' gradients, each divided by its norm."""

    def __init__(self, settings: BalanceSettings) -> None:
        self.settings = settings
        self.norms: dict[str, Tensor] = {}

    def gradients(
        self, step: int, output: Tensor, leaf: Tensor, terms: WeightedValues, parameters: Sequence[nn.Parameter]
    ) -> list[Tensor]:
        """The gradient of each parameter, without host synchronisation; the norms used stay in `norms`.

        Args:
            step: the norms are measured at the first step seen and where it is a multiple of `settings.every`.
            output: the generator's output `(B, 3, H, W)` with its graph.
            leaf: a detached copy of `output` that requires a gradient.
            terms: name to (scalar, weight); the graph of each scalar ends in `leaf`.
            parameters: the generator's parameters.
        """
        if self.norms.keys() == terms.keys() and step % self.settings.every:
            scaled = [value * self._scale(name, weight) for name, (value, weight) in terms.items()]
            (at_output,) = torch.autograd.grad(torch.stack(scaled).sum(), leaf)
            return _at_parameters(output, at_output, parameters, last=True)
        at_outputs = _at_output(leaf, terms)
        if self.settings.norms == "output":
            return self._balanced_at_output(output, at_outputs, terms, parameters)
        return self._balanced_at_parameters(output, at_outputs, terms, parameters)

    def _balanced_at_output(
        self, output: Tensor, at_outputs: dict[str, Tensor], terms: WeightedValues, parameters: Sequence[nn.Parameter]
    ) -> list[Tensor]:
        """Norms of the gradients at the output: the generator is passed once in all."""
        total = torch.zeros_like(output)
        for name, gradient in at_outputs.items():
            self._measure(name, [gradient])
            total.addcmul_(gradient, self._scale(name, terms[name][1]))
        return _at_parameters(output, total, parameters, last=True)

    def _balanced_at_parameters(
        self, output: Tensor, at_outputs: dict[str, Tensor], terms: WeightedValues, parameters: Sequence[nn.Parameter]
    ) -> list[Tensor]:
        """Norms of the generator's gradients, as published: the generator is passed once a term."""
        total = [torch.zeros_like(parameter) for parameter in parameters]
        for name, at_output in at_outputs.items():
            gradients = _at_parameters(output, at_output, parameters)
            self._measure(name, gradients)
            for accumulated, gradient in zip(total, gradients, strict=True):
                accumulated.addcmul_(gradient, self._scale(name, terms[name][1]))
        return total

    def _measure(self, name: str, gradients: list[Tensor]) -> None:
        norm = torch.linalg.vector_norm(torch.stack([torch.linalg.vector_norm(part) for part in gradients]))
        known = self.norms.get(name)
        self.norms[name] = norm if known is None else torch.lerp(norm, known, self.settings.decay)

    def _scale(self, name: str, weight: float) -> Tensor:
        return weight / (self.norms[name] + TINY)


def _at_output(leaf: Tensor, terms: WeightedValues) -> dict[str, Tensor]:
    """Each term's gradient at the generator's output."""
    values = [value for value, _ in terms.values()]
    return {
        name: torch.autograd.grad(value, leaf, retain_graph=value is not values[-1])[0]
        for name, value in zip(terms, values, strict=True)
    }


def _at_parameters(
    output: Tensor, at_output: Tensor, parameters: Sequence[nn.Parameter], last: bool = False
) -> list[Tensor]:
    """Gradients of the parameters; zero for one that the output does not depend on."""
    return list(torch.autograd.grad(output, parameters, at_output, retain_graph=not last, materialize_grads=True))
