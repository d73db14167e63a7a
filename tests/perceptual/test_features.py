"""What every feature network promises: with its weights where they are, with random ones where they are not."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import Tensor

from nas_isp.errors import InputError
from nas_isp.perceptual.features import FEATURE_NETWORKS, load_features, unfilled_features
from nas_isp.perceptual.network import FeatureNetwork, feature_distance
from nas_isp.perceptual.vit import VitSize, unfilled_vit

SMALL_VIT = VitSize(width=24, heads=2, inner=48, blocks=3, patch=8, side=64)

WITHOUT_FILES: dict[str, Callable[[bool], FeatureNetwork]] = {
    "lite": lambda normalize: load_features("lite", normalize=normalize),
    "alexnet": lambda normalize: unfilled_features("alexnet", normalize),
    "vgg19": lambda normalize: unfilled_features("vgg19", normalize),
    "small vit": lambda normalize: unfilled_vit(normalize, SMALL_VIT),
}
FROM_SHARED_FILES = {"squeezenet (Caffe)": "squeezenet", "vgg19 (normalized)": "vgg19"}


def scene(height: int = 64, width: int = 96, seed: int = 0) -> Tensor:
    """(1, 3, H, W), 0..1: overlapping colored rectangles under soft light, so with edges, flats and gradients."""
    generator = torch.Generator().manual_seed(seed)
    image = torch.rand(3, 1, 1, generator=generator).expand(3, height, width).clone()
    for _ in range(40):
        top, left = (int(torch.randint(0, side - 4, (), generator=generator)) for side in (height, width))
        tall, wide = (int(torch.randint(4, 30, (), generator=generator)) for _ in range(2))
        image[:, top : top + tall, left : left + wide] = torch.rand(3, 1, 1, generator=generator)
    return (image * torch.linspace(0.5, 1.0, width))[None]


@pytest.fixture(params=[*WITHOUT_FILES, *FROM_SHARED_FILES], scope="module")
def build(request: pytest.FixtureRequest) -> Callable[[bool], FeatureNetwork]:
    if request.param in WITHOUT_FILES:
        return WITHOUT_FILES[request.param]
    weights_dir = request.getfixturevalue("shared_data") / "weights"
    return lambda normalize: load_features(FROM_SHARED_FILES[request.param], weights_dir, normalize)


@pytest.fixture(scope="module")
def network(build: Callable[[bool], FeatureNetwork]) -> FeatureNetwork:
    torch.manual_seed(0)
    return build(True)


class TestEveryFeatureNetwork:
    def test_layers_have_the_promised_channels_and_strides(self, network: FeatureNetwork) -> None:
        features = network(scene(64, 96).repeat(2, 1, 1, 1))
        assert tuple(features) == network.layers
        height, width = (network.side or side for side in (64, 96))
        for layer, values in features.items():
            stride = network.strides[layer]
            assert values.shape[:2] == (2, network.channels[layer])
            assert values.shape[2] in (height // stride, height // stride - 1)
            assert values.shape[3] in (width // stride, width // stride - 1)

    def test_maps_are_exact_fractions_of_the_image_but_for_alexnets_edges(self, network: FeatureNetwork) -> None:
        if network.name == "alexnet":
            pytest.skip("keeps the original's edges, which lose a row and a column")
        height, width = (network.side or side for side in (64, 96))
        for layer, values in network(scene(64, 96)).items():
            assert values.shape[2:] == (height // network.strides[layer], width // network.strides[layer])

    def test_layers_run_from_shallow_to_deep(self, network: FeatureNetwork) -> None:
        strides = [network.strides[layer] for layer in network.layers]
        assert strides == sorted(strides)
        assert tuple(network.channels) == tuple(network.strides) == network.layers

    def test_wanted_layers_equal_those_of_a_full_pass_in_their_order(self, network: FeatureNetwork) -> None:
        first, last = network.layers[0], network.layers[-1]
        every, two = network(scene()), network(scene(), (last, first))
        assert list(two) == [first, last]
        assert all(torch.equal(two[layer], every[layer]) for layer in two)

    def test_nothing_runs_beyond_the_deepest_wanted_layer(self, network: FeatureNetwork) -> None:
        ran: list[str] = []
        hooks = [
            stage.register_forward_hook(lambda *_, layer=layer: ran.append(layer))
            for layer, stage in network.stages.items()
        ]
        network(scene(), (network.layers[1],))
        for hook in hooks:
            hook.remove()
        assert tuple(ran) == network.layers[:2]

    def test_roles_name_layers_from_shallow_to_deep(self, network: FeatureNetwork) -> None:
        places = [network.layers.index(network.roles[role]) for role in ("shallow", "middle", "deep")]
        assert places == sorted(set(places))

    def test_unknown_layer_is_refused_with_the_known_ones(self, network: FeatureNetwork) -> None:
        with pytest.raises(InputError, match=rf"'attic'.*{network.layers[0]}"):
            network(scene(), (network.layers[0], "attic"))

    def test_weights_are_frozen_and_get_no_gradient(self, network: FeatureNetwork) -> None:
        images = scene().requires_grad_()
        sum(values.square().mean() for values in network(images).values()).backward()
        assert all(not weight.requires_grad and weight.grad is None for weight in network.parameters())

    def test_every_layer_sends_a_gradient_to_every_pixel_region(self, network: FeatureNetwork) -> None:
        for layer in network.layers:
            images = scene().requires_grad_()
            network(images, (layer,))[layer].square().mean().backward()
            assert images.grad is not None
            assert images.grad.isfinite().all()
            blocks = torch.nn.functional.avg_pool2d(images.grad.abs(), 32)
            assert (blocks > 0).all()

    def test_stays_in_evaluation_mode_inside_a_model_in_training(self, network: FeatureNetwork) -> None:
        torch.nn.ModuleList([network]).train()
        assert not any(part.training for part in network.modules())

    def test_same_images_give_the_same_features(self, network: FeatureNetwork) -> None:
        one, two = network(scene()), network(scene())
        assert all(torch.equal(one[layer], two[layer]) for layer in network.layers)

    def test_an_image_does_not_feel_its_neighbors_in_the_batch(self, network: FeatureNetwork) -> None:
        alone, together = network(scene(seed=1)), network(torch.cat([scene(seed=0), scene(seed=1)]))
        for layer in network.layers:
            torch.testing.assert_close(together[layer][1:], alone[layer], rtol=1e-4, atol=1e-4)

    def test_memory_format_of_the_images_does_not_matter(self, network: FeatureNetwork) -> None:
        plain, last = network(scene()), network(scene().contiguous(memory_format=torch.channels_last))
        for layer in network.layers:
            torch.testing.assert_close(last[layer], plain[layer], rtol=1e-4, atol=1e-4)

    def test_runs_in_bfloat16_close_to_float32(self, network: FeatureNetwork) -> None:
        exact = network(scene())
        with torch.autocast("cpu", torch.bfloat16):
            rounded = network(scene())
        for layer in network.layers:
            error = (rounded[layer].float() - exact[layer]).norm() / exact[layer].norm()
            assert 0 < error < 0.03

    def test_values_outside_the_range_still_get_a_gradient(self, network: FeatureNetwork) -> None:
        images = (scene() * 3 - 1).requires_grad_()
        network(images, network.layers[:1])[network.layers[0]].square().mean().backward()
        assert images.grad is not None
        assert images.grad[images > 1].abs().sum() > 0
        assert images.grad[images < 0].abs().sum() > 0

    def test_normalizing_is_what_raw_images_lack(self, build: Callable[[bool], FeatureNetwork]) -> None:
        normalizing, raw = build(True), build(False)
        raw.load_state_dict(normalizing.state_dict())
        mean = -normalizing.get_buffer("shift") / normalizing.get_buffer("scale")
        layer = normalizing.layers[1]
        expected = normalizing(scene(), (layer,))[layer]
        given = (scene() - mean) * normalizing.get_buffer("scale")
        torch.testing.assert_close(raw(given, (layer,))[layer], expected, rtol=1e-3, atol=1e-3)
        assert not torch.allclose(raw(scene(), (layer,))[layer], expected, rtol=0.1)

    def test_smallest_image_of_each_layer_has_it_and_a_smaller_one_is_refused(self, network: FeatureNetwork) -> None:
        if network.side:
            assert all(values.numel() for values in network(scene(16, 16)).values())
            return
        for layer in (network.layers[0], network.layers[-1]):
            side = network.smallest[layer]
            assert network(scene(64, 64)[..., :side, :side], (layer,))[layer].numel() > 0
            with pytest.raises(InputError, match=rf"'{layer}'.*at least {side} pixels, not {side - 1}"):
                network(scene(64, 64)[..., : side - 1, :], (layer,))


@pytest.mark.parametrize("name", ["lite", "squeezenet"])
def test_channels_have_about_unit_variance_on_photos(name: str, shared_data: Path) -> None:
    photos = torch.cat([_photo(shared_data / "rgb" / "kodak" / f"kodim{index:02}.png") for index in (3, 8, 13)])
    for values in load_features(name, shared_data / "weights")(photos).values():
        assert 0.5 < values.var(dim=(0, 2, 3)).mean() < 2


class TestEveryNetworkByName:
    @pytest.mark.parametrize("name", [name for name in FEATURE_NETWORKS if name != "vit-b16"])
    def test_can_be_built_without_weights(self, name: str) -> None:
        network = unfilled_features(name)
        assert network.name == name
        assert network(scene(), (network.roles["deep"],))

    def test_vit_b16_has_196_tokens_of_768_values_for_images_of_any_size(self) -> None:
        network = unfilled_features("vit-b16")
        assert sum(weight.numel() for weight in network.parameters()) == 85_798_656
        with torch.no_grad():
            assert network(scene(48, 80), ("patch_tokens",))["patch_tokens"].shape == (1, 768, 14, 14)

    def test_what_needs_a_file_has_an_official_download_with_a_whole_sha256(self) -> None:
        for name in FEATURE_NETWORKS:
            remote = [file for file in FEATURE_NETWORKS[name].files if file.address]
            assert FEATURE_NETWORKS[name].packaged or remote
            assert all(len(bytes.fromhex(file.sha256 or "")) == 32 for file in remote)

    @pytest.mark.parametrize("name", ["alexnet", "vgg19", "squeezenet"])
    def test_hashes_begin_as_torchvisions_file_names_say(self, name: str) -> None:
        (remote,) = (file for file in FEATURE_NETWORKS[name].files if file.address)
        assert remote.name.rpartition("-")[2] == f"{(remote.sha256 or '')[:8]}.pth"
        assert (remote.address or "").endswith(f"/{remote.name}")


class TestFeatureDistance:
    def test_is_zero_for_equal_images_and_symmetric(self, network: FeatureNetwork) -> None:
        one, other = scene(seed=1), scene(seed=2)
        assert feature_distance(network, one, one).item() == 0
        torch.testing.assert_close(feature_distance(network, one, other), feature_distance(network, other, one))

    def test_is_one_number_for_each_image_and_differentiable(self, network: FeatureNetwork) -> None:
        batch = torch.cat([scene(seed=1), scene(seed=2)]).requires_grad_()
        distances = feature_distance(network, batch, scene(seed=3).expand_as(batch))
        assert distances.shape == (2,)
        distances.sum().backward()
        assert batch.grad is not None
        assert batch.grad.abs().sum() > 0

    def test_flat_black_images_give_finite_gradients(self, network: FeatureNetwork) -> None:
        images = torch.zeros(1, 3, 64, 64, requires_grad=True)
        feature_distance(network, images, scene(64, 64)).sum().backward()
        assert images.grad is not None
        assert images.grad.isfinite().all()

    def test_grows_with_noise(self, network: FeatureNetwork) -> None:
        noise = torch.randn(1, 3, 64, 96, generator=torch.Generator().manual_seed(0))
        levels = [
            feature_distance(network, scene(), scene() + sigma * noise).item() for sigma in (0.02, 0.05, 0.1, 0.2)
        ]
        assert levels == sorted(levels)
        assert levels[0] > 0


def test_loading_leaves_the_callers_random_numbers_alone() -> None:
    torch.manual_seed(7)
    expected = torch.rand(3)
    torch.manual_seed(7)
    load_features("lite")
    assert torch.equal(torch.rand(3), expected)


def test_unknown_network_is_refused_with_the_known_ones() -> None:
    with pytest.raises(InputError, match=r"'vgg99'.*lite, squeezenet, alexnet, vgg19, vit-b16"):
        load_features("vgg99")


def _photo(path: Path) -> Tensor:
    """(1, 3, 256, 256): the middle of a photo."""
    import numpy as np
    from PIL import Image

    with Image.open(path) as image:
        pixels = torch.from_numpy(np.asarray(image.convert("RGB")).copy()).permute(2, 0, 1)[None].float() / 255
    top, left = (pixels.shape[2] - 256) // 2, (pixels.shape[3] - 256) // 2
    return pixels[:, :, top : top + 256, left : left + 256]
