"""One backward pass a term gives the gradient that the published eleven passes give."""

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from nas_isp.recipe import BalanceSettings
from nas_isp.training.gradient_balance import GradientBalance

AT_PARAMETERS, AT_OUTPUT = BalanceSettings(norms="parameters"), BalanceSettings(norms="output")


def _terms(output: Tensor) -> dict[str, tuple[Tensor, float]]:
    return {"l1": (output.abs().mean(), 1.0), "tv": ((output[..., 1:] - output[..., :-1]).square().mean(), 0.5)}


def _balanced(
    balance: GradientBalance,
    net: nn.Module,
    x: Tensor,
    step: int = 0,
    terms: dict[str, tuple[Tensor, float]] | None = None,
) -> list[Tensor]:
    output = net(x)
    leaf = output.detach().requires_grad_()
    return balance.gradients(step, output, leaf, terms or _terms(leaf), list(net.parameters()))


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


def _small_net() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(4, 8, 3, padding=1), nn.ReLU(), nn.Conv2d(8, 3, 3, padding=1))


def test_equals_the_published_two_stage_computation() -> None:
    net, x = _small_net(), torch.rand(2, 4, 16, 16)
    ours = _balanced(GradientBalance(AT_PARAMETERS), net, x)
    for mine, theirs in zip(ours, _published_gradients(net, x), strict=True):
        torch.testing.assert_close(mine, theirs, rtol=1e-4, atol=1e-6)


def test_a_lone_term_gives_a_gradient_as_long_as_its_weight() -> None:
    net = _small_net()
    output = net(torch.rand(1, 4, 4, 4))
    leaf = output.detach().requires_grad_()
    value = functional.mse_loss(leaf, torch.ones_like(leaf))
    balance = GradientBalance(AT_PARAMETERS)
    gradients = balance.gradients(0, output, leaf, {"only": (value, 0.7)}, list(net.parameters()))
    length = torch.sqrt(sum(g.square().sum() for g in gradients))
    torch.testing.assert_close(length, torch.tensor(0.7), rtol=1e-5, atol=1e-6)
    assert balance.norms["only"] > 0


@pytest.mark.parametrize("settings", [AT_PARAMETERS, AT_OUTPUT])
def test_scaling_a_term_changes_nothing(settings: BalanceSettings) -> None:
    net, x = _small_net(), torch.rand(1, 4, 8, 8)

    def scaled(factor: float) -> list[Tensor]:
        output = net(x)
        leaf = output.detach().requires_grad_()
        terms = {"a": (factor * leaf.square().mean(), 1.0)}
        return GradientBalance(settings).gradients(0, output, leaf, terms, list(net.parameters()))

    for first, second in zip(scaled(1.0), scaled(1000.0), strict=True):
        torch.testing.assert_close(first, second)


def test_at_the_output_each_term_gets_its_weight_and_the_generator_one_pass() -> None:
    net, x = _small_net(), torch.rand(2, 4, 8, 8)
    balance = GradientBalance(AT_OUTPUT)
    ours = _balanced(balance, net, x)
    output = net(x)
    leaf = output.detach().requires_grad_()
    expected = torch.zeros_like(leaf)
    for name, (value, weight) in _terms(leaf).items():
        (gradient,) = torch.autograd.grad(value, leaf, retain_graph=True)
        torch.testing.assert_close(balance.norms[name], gradient.norm())
        expected = expected + weight * gradient / gradient.norm()
    for mine, theirs in zip(ours, torch.autograd.grad(output, list(net.parameters()), expected), strict=True):
        torch.testing.assert_close(mine, theirs)


@pytest.mark.parametrize("norms", ["output", "parameters"])
def test_between_measurings_the_kept_norms_scale_one_pass_over_the_sum(norms: str) -> None:
    net = _small_net()
    balance = GradientBalance(BalanceSettings.model_validate({"norms": norms, "every": 4}))
    first, second = torch.rand(2, 4, 8, 8), torch.rand(2, 4, 8, 8)
    _balanced(balance, net, first, step=0)
    kept = dict(balance.norms)
    ours = _balanced(balance, net, second, step=1)
    assert balance.norms == kept
    output = net(second)
    weighted = torch.stack([weight * value / kept[name] for name, (value, weight) in _terms(output).items()]).sum()
    for mine, theirs in zip(ours, torch.autograd.grad(weighted, list(net.parameters())), strict=True):
        torch.testing.assert_close(mine, theirs)


def test_the_running_average_decays_towards_what_is_measured() -> None:
    net = _small_net()
    balance = GradientBalance(BalanceSettings(norms="output", every=2, decay=0.75))
    x = torch.rand(1, 4, 8, 8)
    _balanced(balance, net, x, step=0)
    before = balance.norms["l1"].clone()
    output = net(x)
    leaf = output.detach().requires_grad_()
    louder = {name: (10 * value, weight) for name, (value, weight) in _terms(leaf).items()}
    balance.gradients(2, output, leaf, louder, list(net.parameters()))
    torch.testing.assert_close(balance.norms["l1"], 0.75 * before + 0.25 * 10 * before)
