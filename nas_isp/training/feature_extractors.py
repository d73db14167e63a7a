"""The frozen networks of a training: each loaded once, in the precision that its device is fast at."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

import torch

from nas_isp.perceptual.features import load_features
from nas_isp.perceptual.network import FeatureNetwork
from nas_isp.recipe import FrozenPrecision, SeenLayer, TrainSettings
from nas_isp.training.active_terms import ActiveTerms
from nas_isp.training.loss_term import CONTENT_VIEW


class ExtractorKey(NamedTuple):
    """What tells frozen networks apart."""

    features: str
    normalize: bool


Loader = Callable[[ExtractorKey], FeatureNetwork]


class FeatureExtractors(Mapping[ExtractorKey, FeatureNetwork]):
    """Frozen networks by key; two terms with the same key share one network and its passes."""

    def __init__(
        self,
        layers: Iterable[SeenLayer],
        device: torch.device,
        precision: torch.dtype = torch.float32,
        load: Loader | None = None,
        weights_dir: Path | None = None,
    ) -> None:
        """Load what `layers` need.

        Args:
            precision: of weights and feature maps inside the networks.
            load: makes a network; the default reads its weights.
            weights_dir: folder of weights that are not packaged; see `load_features`.

        Raises:
            InputError: an unknown network, or weights that cannot be had.
        """
        make = load or (lambda key: load_features(key.features, weights_dir, normalize=key.normalize))
        keys = dict.fromkeys(key_of(layer) for layer in layers)
        self._networks = {key: _stored_in(precision, make(key).to(device)) for key in keys}

    def __getitem__(self, key: ExtractorKey) -> FeatureNetwork:
        return self._networks[key]

    def __iter__(self) -> Iterator[ExtractorKey]:
        return iter(self._networks)

    def __len__(self) -> int:
        return len(self._networks)

    def layer_of(self, seen: SeenLayer) -> str:
        """The layer's own name, where the settings may have given a role.

        Raises:
            InputError: the network has no such layer.
        """
        network = self[key_of(seen)]
        roles: Mapping[str, str] = {str(role): layer for role, layer in network.roles.items()}
        return network.checked((roles.get(seen.layer, seen.layer),))[0]


def check_extractors(settings: TrainSettings, weights_dir: Path | None = None) -> None:
    """Find out before anything else is done whether the frozen networks of a training can be had.

    Raises:
        InputError: an unknown network or layer, or weights that cannot be had.
    """
    layers = list(layers_of(settings).values())
    networks = FeatureExtractors(layers, torch.device("cpu"), weights_dir=weights_dir)
    for layer in layers:
        networks.layer_of(layer)
    load_features(settings.score_features, weights_dir)


def key_of(seen: SeenLayer) -> ExtractorKey:
    """The network of a layer."""
    return ExtractorKey(seen.features, seen.normalize)


def layers_of(settings: TrainSettings) -> dict[str, SeenLayer]:
    """The layers that take part in a training, by the name of their view; see `loss_term.VIEWS`."""
    warm = settings.warm_start
    used = set(ActiveTerms.of(settings).views if settings.steps else ())
    if warm.steps * warm.feature_weight > 0:
        used.add(CONTENT_VIEW)
    layers: dict[str, SeenLayer] = {
        CONTENT_VIEW: settings.content,
        "texture_fine": settings.texture.fine,
        "texture_coarse": settings.texture.coarse,
        "color": settings.color,
    }
    return {name: layer for name, layer in layers.items() if name in used}


def working_precision(setting: FrozenPrecision, device: torch.device) -> torch.dtype:
    """The precision of frozen networks on a device."""
    reduced = device.type == "cuda" if setting == "auto" else setting == "bfloat16"
    return torch.bfloat16 if reduced else torch.float32


def _stored_in(precision: torch.dtype, network: FeatureNetwork) -> FeatureNetwork:
    """The network with weights of a precision, so that they are not converted anew at every step as by autocast.

    Pictures are normalized in their own precision and converted before the first stage.
    """
    if precision == torch.float32:
        return network
    for parameter in network.parameters():
        parameter.data = parameter.data.to(precision)
    network.stages[network.layers[0]].register_forward_pre_hook(lambda _, inputs: (inputs[0].to(precision),))
    return network
