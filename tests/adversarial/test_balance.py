"""One backward pass a term gives the gradient that the published eleven passes give."""

import torch
from torch import Tensor, nn
from torch.nn import functional

from nas_isp.adversarial.balance import balanced_at_output, balanced_at_parameters


def _terms(output: Tensor) -> dict[str, tuple[Tensor, float]]:
    return {"l1": (output.abs().mean(), 1.0), "tv": ((output[..., 1:] - output[..., :-1]).square().mean(), 0.5)}


def _published_gradients(net: nn.Module, x: Tensor) -> list[Tensor]:
    """Norm of each term's own gradient, then one backward pass over the rescaled sum."""
    parameters = list(net.parameters())
    total = torch.zeros(())
    for name in _terms(net(x)):
        value, weight = _terms(net(x))[name]
        gradients = torch.autograd.grad(value, parameters, retain_graph=True)
        norm = torch.sqrt(sum(g.square().sum() for g in gradients))
        total = total + weight * value / norm
    return list(torch.autograd.grad(total, parameters))


def test_equals_the_published_two_stage_computation() -> None:
    torch.manual_seed(0)
    net = nn.Sequential(nn.Conv2d(4, 8, 3, padding=1), nn.ReLU(), nn.Conv2d(8, 3, 3, padding=1))
    x = torch.rand(2, 4, 16, 16)
    output = net(x)
    leaf = output.detach().requires_grad_()
    ours, _ = balanced_at_parameters(output, leaf, _terms(leaf), list(net.parameters()))
    for mine, theirs in zip(ours, _published_gradients(net, x), strict=True):
        torch.testing.assert_close(mine, theirs, rtol=1e-4, atol=1e-6)


def test_a_lone_term_gives_a_gradient_as_long_as_its_weight() -> None:
    torch.manual_seed(0)
    net = nn.Conv2d(4, 3, 1)
    output = net(torch.rand(1, 4, 4, 4))
    leaf = output.detach().requires_grad_()
    value = functional.mse_loss(leaf, torch.ones_like(leaf))
    gradients, norms = balanced_at_parameters(output, leaf, {"only": (value, 0.7)}, list(net.parameters()))
    length = torch.sqrt(sum(g.square().sum() for g in gradients))
    torch.testing.assert_close(length, torch.tensor(0.7), rtol=1e-5, atol=1e-6)
    assert norms["only"] > 0


def test_scaling_a_term_changes_nothing() -> None:
    torch.manual_seed(0)
    net = nn.Conv2d(4, 3, 3)
    output = net(torch.rand(1, 4, 8, 8))
    leaf = output.detach().requires_grad_()
    value = leaf.square().mean()
    small, _ = balanced_at_parameters(output, leaf, {"a": (value, 1.0)}, list(net.parameters()))
    large, _ = balanced_at_parameters(output, leaf, {"a": (1000 * value, 1.0)}, list(net.parameters()))
    for first, second in zip(small, large, strict=True):
        torch.testing.assert_close(first, second)


def test_at_the_output_each_term_gets_its_weight_and_the_generator_one_pass() -> None:
    torch.manual_seed(0)
    net = nn.Conv2d(4, 3, 3)
    parameters = list(net.parameters())
    output = net(torch.rand(2, 4, 8, 8))
    leaf = output.detach().requires_grad_()
    ours, norms = balanced_at_output(output, leaf, _terms(leaf), parameters)
    expected = torch.zeros_like(leaf)
    for name, (value, weight) in _terms(leaf).items():
        (gradient,) = torch.autograd.grad(value, leaf, retain_graph=True)
        torch.testing.assert_close(norms[name], gradient.norm())
        expected = expected + weight * gradient / gradient.norm()
    for mine, theirs in zip(ours, torch.autograd.grad(output, parameters, expected), strict=True):
        torch.testing.assert_close(mine, theirs)
