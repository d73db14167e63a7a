"""Gradient-norm balance with one backward pass a term.

The published step (arXiv 2505.10420) divides every term by the norm of its own generator gradient and then runs one
more backward pass over the sum. That sum's gradient is the sum of the unit gradients already at hand, so it is formed
directly; and because the terms meet in the generator's output, each needs the frozen networks only once.
"""

from collections.abc import Callable, Mapping, Sequence

import torch
from torch import Tensor, nn

from nas_isp.recipe import BalanceName

TINY = 1e-12

Terms = Mapping[str, tuple[Tensor, float]]
Balanced = tuple[list[Tensor], dict[str, Tensor]]


def balanced_at_parameters(output: Tensor, leaf: Tensor, terms: Terms, parameters: Sequence[nn.Parameter]) -> Balanced:
    """Weighted sum of the terms' unit generator gradients, as published; the generator is passed once a term.

    Args:
        output: the generator's output `(B, 3, H, W)` with its graph.
        leaf: a detached copy of `output` that requires a gradient.
        terms: name to (scalar, weight); the graph of each scalar ends in `leaf`.
        parameters: the generator's parameters.

    Returns:
        The gradient of each parameter, and the norm of each term's own gradient, both without host synchronisation.
    """
    total = [torch.zeros_like(parameter) for parameter in parameters]
    norms = {}
    for name, (value, weight) in terms.items():
        (at_output,) = torch.autograd.grad(value, leaf, retain_graph=True)
        gradients = _at_parameters(output, at_output, parameters)
        norms[name] = torch.linalg.vector_norm(torch.stack([torch.linalg.vector_norm(part) for part in gradients]))
        scale = weight / (norms[name] + TINY)
        for accumulated, gradient in zip(total, gradients, strict=True):
            accumulated.addcmul_(gradient, scale.to(gradient))
    return total, norms


def balanced_at_output(output: Tensor, leaf: Tensor, terms: Terms, parameters: Sequence[nn.Parameter]) -> Balanced:
    """The same with norms measured at the generator's output, so that the generator is passed once in all.

    Arguments and results are those of `balanced_at_parameters`; the norms are those of the gradients at `leaf`.
    """
    total = torch.zeros_like(leaf)
    norms = {}
    for name, (value, weight) in terms.items():
        (at_output,) = torch.autograd.grad(value, leaf, retain_graph=True)
        norms[name] = torch.linalg.vector_norm(at_output)
        total.addcmul_(at_output, weight / (norms[name] + TINY))
    return _at_parameters(output, total, parameters), norms


def _at_parameters(output: Tensor, at_output: Tensor, parameters: Sequence[nn.Parameter]) -> list[Tensor]:
    """Gradients of the parameters; zero for one that the output does not depend on."""
    gradients = torch.autograd.grad(output, parameters, at_output, retain_graph=True, allow_unused=True)
    pairs = zip(gradients, parameters, strict=True)
    return [torch.zeros_like(parameter) if gradient is None else gradient for gradient, parameter in pairs]


BALANCES: dict[BalanceName, Callable[[Tensor, Tensor, Terms, Sequence[nn.Parameter]], Balanced]] = {
    "parameters": balanced_at_parameters,
    "output": balanced_at_output,
}
