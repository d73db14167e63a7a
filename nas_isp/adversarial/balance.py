"""Gradient-norm balance with one backward pass a term.

The published step (arXiv 2505.10420) divides every term by the norm of its own generator gradient and then runs one
more backward pass over the sum. That sum's gradient is the sum of the unit gradients already at hand, so it is formed
directly; and because the terms meet in the generator's output, each needs the generator only once.
"""

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

TINY = 1e-12


def balanced_gradients(
    output: Tensor, leaf: Tensor, terms: Mapping[str, tuple[Tensor, float]], parameters: Sequence[nn.Parameter]
) -> tuple[list[Tensor], dict[str, Tensor]]:
    """Weighted sum of the terms' unit generator gradients.

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
        gradients = torch.autograd.grad(output, parameters, at_output, retain_graph=True, allow_unused=True)
        present = [gradient for gradient in gradients if gradient is not None]
        norms[name] = torch.linalg.vector_norm(torch.stack([torch.linalg.vector_norm(g) for g in present]))
        scale = weight / (norms[name] + TINY)
        for accumulated, gradient in zip(total, gradients, strict=True):
            if gradient is not None:
                accumulated.addcmul_(gradient, scale.to(gradient))
    return total, norms
