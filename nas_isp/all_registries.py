"""Where the registries stand through which other packages add to this one, and what was registered in a process."""

import sys
from collections.abc import Mapping
from importlib import import_module
from typing import Any

from nas_isp.registry import Registry

REGISTRIES = (
    "nas_isp.generators.blocks:BLOCKS",
    "nas_isp.perceptual.features:FEATURE_NETWORKS",
    "nas_isp.raw.sensor:SENSORS",
    "nas_isp.recipe.loss_registry:LOSSES",
    "nas_isp.recipe.score_registry:SCORES",
    "nas_isp.search.samplers:SAMPLERS",
    "nas_isp.latency.measure.targets:TARGETS",
    "nas_isp.export.exporters:EXPORTERS",
)
"""Every registry, as ``module:attribute``: none is imported before it is used."""

Members = Mapping[str, Mapping[str, Any]]
"""Members by the place of their registry and their name."""


def open_registry(place: str) -> Registry[Any]:
    """The registry at one of the `REGISTRIES`."""
    module, _, attribute = place.partition(":")
    registry: Registry[Any] = getattr(import_module(module), attribute)
    return registry


def registered_members() -> Members:
    """What this process has added by calls of `register`; what is installed is found by every process itself."""
    imported = [place for place in REGISTRIES if place.partition(":")[0] in sys.modules]
    members = {place: open_registry(place).registered for place in imported}
    return {place: added for place, added in members.items() if added}


def adopt_members(members: Members) -> None:
    """Take over what another process has registered, such as the driver of a search whose worker this is."""
    for place, added in members.items():
        open_registry(place).adopt(added)
