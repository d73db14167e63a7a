"""Conformance of frozen feature networks: frozen, of the sizes that are said, and the same every time."""

import torch
from torch import Tensor

from nas_isp.errors import InputError
from nas_isp.perceptual.features import FEATURE_NETWORKS, load_features, unfilled_features
from nas_isp.perceptual.network import FeatureNetwork

ROLES = {"shallow", "middle", "deep"}


class FeatureNetworkConformance:
    """All that a feature network promises, with random weights, and with its own where its package holds them.

    Attributes:
        name: of the network in `FEATURE_NETWORKS`.
    """

    name: str

    def test_its_weights_are_frozen(self) -> None:
        """Also when a model that holds it is trained; a gradient reaches the pictures alone."""
        network = self._network()
        pictures = _pictures(network).requires_grad_()
        assert not any(parameter.requires_grad for parameter in network.parameters()), "a weight asks for a gradient"
        assert not network.train().training, "it goes into training mode"
        sum(maps.square().mean() for maps in network(pictures).values()).backward()
        assert pictures.grad is not None, "no gradient reaches the pictures"
        assert pictures.grad.isfinite().all()
        assert pictures.grad.any(), "the pictures' gradient is 0"

    def test_every_role_is_a_layer(self) -> None:
        """What recipes name where they name no layer."""
        network = self._network()
        assert network.roles.keys() == ROLES, f"roles {', '.join(network.roles)}; wanted are {', '.join(sorted(ROLES))}"
        network.checked(list(network.roles.values()))

    def test_its_layers_have_the_channels_and_strides_that_it_says(self) -> None:
        """A side may be one less where edges are kept."""
        network = self._network()
        pictures = _pictures(network)
        side = network.side or pictures.shape[-1]
        found = network(pictures)
        assert tuple(found) == network.layers, f"gives the layers {', '.join(found)}"
        for layer, maps in found.items():
            batch, channels, height, width = maps.shape
            assert (batch, channels) == (len(pictures), network.channels[layer]), f"{layer} is {tuple(maps.shape)}"
            whole = side // network.strides[layer]
            assert {height, width} <= {whole, whole - 1}, f"{layer} is {height}x{width}; its stride says {whole}"

    def test_it_computes_no_more_than_asked_and_refuses_what_it_lacks(self) -> None:
        """One layer alone is the same as among all."""
        network = self._network()
        pictures = _pictures(network)
        shallow = network.roles["shallow"]
        assert torch.equal(network(pictures, [shallow])[shallow], network(pictures)[shallow])
        try:
            network(pictures, ["no such layer"])
        except InputError:
            return
        raise AssertionError("a layer that it lacks is not refused")

    def test_it_computes_the_same_every_time(self) -> None:
        """Of each picture by itself."""
        network = self._network()
        pictures = _pictures(network)
        first, second, alone = network(pictures), network(pictures), network(pictures[:1])
        for layer in network.layers:
            assert torch.equal(first[layer], second[layer]), f"{layer} differs the second time"
            torch.testing.assert_close(first[layer][:1], alone[layer], rtol=1e-4, atol=1e-4)

    def test_loading_it_leaves_the_random_numbers_as_they_are(self) -> None:
        """What a training draws next must not depend on its feature networks."""
        if FEATURE_NETWORKS[self.name].packaged is None:
            return
        torch.manual_seed(0)
        wanted = torch.rand(4)
        torch.manual_seed(0)
        load_features(self.name)
        assert torch.equal(torch.rand(4), wanted)

    def _network(self) -> FeatureNetwork:
        """With its own weights where no file is needed for them, else with random ones."""
        torch.manual_seed(0)
        packaged = FEATURE_NETWORKS[self.name].packaged is not None
        return load_features(self.name) if packaged else unfilled_features(self.name)


def _pictures(network: FeatureNetwork) -> Tensor:
    """Two pictures that have every layer."""
    deepest = max(*network.strides.values(), *network.smallest.values())
    side = network.side or -(-64 // deepest) * deepest
    return torch.rand(2, 3, side, side, generator=torch.Generator().manual_seed(0))
