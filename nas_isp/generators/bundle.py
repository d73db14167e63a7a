"""The model bundle: one `.safetensors` file with weights and everything downstream needs to know."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal

import torch
from pydantic import Field
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import nn

from nas_isp.errors import InputError
from nas_isp.files import BUNDLE_SUFFIX, AnyPath, write_whole
from nas_isp.generators.architecture import Architecture, Border
from nas_isp.generators.build import assemble
from nas_isp.raw.network_input import NetworkInput
from nas_isp.raw.sensor import SensorDescription
from nas_isp.settings import Settings, parse_json, validated

METADATA_KEY = "nas_isp"

RAW_FOLDER = "raw"
"""Entry of a record's `origin`: the folder of the training RAW, for the calibration of an int8 export."""


class BundleRecord(Settings):
    """The JSON object in a bundle's metadata."""

    format_version: Annotated[Literal[1], Field(description="Version of the bundle format.")] = 1
    architecture: Annotated[Architecture, Field(discriminator="family", description="The generator's description.")]
    sensor: Annotated[SensorDescription, Field(description="Sensor and levels of the training RAW.")]
    network_input: Annotated[NetworkInput, Field(description="How a capture becomes the network's input.")] = (
        NetworkInput()
    )
    border: Annotated[Border, Field(description="What the network sees outside of a developed picture.")] = "mirror"
    recipe: Annotated[dict[str, Any], Field(description="Settings of the training, resolved.")] = {}
    scores: Annotated[dict[str, Any], Field(description="What was measured of this model.")] = {}
    origin: Annotated[dict[str, Any], Field(description="Program version, command, data, parent models.")] = {}


@dataclass(frozen=True)
class Bundle:
    """Weights of the training network (not fused) and the record about them."""

    record: BundleRecord
    weights: dict[str, torch.Tensor] = field(repr=False)


def network_of(bundle: Bundle, name: str) -> nn.Module:
    """The training network of a bundle with its weights, frozen and in evaluation mode.

    Raises:
        InputError: weights that do not fit the architecture; `name` says whose.
    """
    with torch.device("meta"):
        # Before memory is taken: a record may claim a network of gigabytes.
        wanted = {key: tensor.shape for key, tensor in assemble(bundle.record.architecture).state_dict().items()}
    given = {key: tensor.shape for key, tensor in bundle.weights.items()}
    misfit = next((key for key in [*wanted, *given] if wanted.get(key) != given.get(key)), None)
    if misfit is not None:
        sides = [tuple(shapes[misfit]) if misfit in shapes else "missing" for shapes in (given, wanted)]
        reason = f"'{misfit[:80]}' is {sides[0]}, of the architecture {sides[1]}"
        raise InputError(f"{name}: its weights do not fit its architecture ({reason}); make the model anew")
    if not all(tensor.is_floating_point() and tensor.float().isfinite().all() for tensor in bundle.weights.values()):
        raise InputError(f"{name}: its weights are not all finite numbers; make the model anew")
    net = assemble(bundle.record.architecture)
    net.load_state_dict(bundle.weights)
    return net.eval().requires_grad_(False)


def save_bundle(path: AnyPath, bundle: Bundle) -> None:
    """Write a bundle (`.safetensors`); the file appears whole or not at all.

    Raises:
        InputError: another suffix.
        UnwritableError: the folder does not exist, or cannot be written or has no room.
    """
    path = Path(path)
    if path.suffix != BUNDLE_SUFFIX:
        raise InputError(f"{path}: a model bundle is named *{BUNDLE_SUFFIX}; give such a name", "path")
    metadata = {METADATA_KEY: bundle.record.model_dump_json()}
    weights = {name: tensor.detach().cpu().contiguous() for name, tensor in bundle.weights.items()}
    # Not written by safetensors, which wraps what the operating system says.
    write_whole(path, save(weights, metadata=metadata))


def load_bundle(path: Path) -> Bundle:
    """Read a bundle.

    Raises:
        InputError: no such file, not a safetensors file, or not a nas_isp bundle of a known version.
    """
    if not path.is_file():
        raise InputError(f"{path}: no such model bundle; give a .safetensors file written by nas-isp")
    try:
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
            weights = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - not a dict
    except (SafetensorError, OSError, ValueError) as error:
        raise InputError(f"{path}: not a readable .safetensors file ({error})") from error
    if METADATA_KEY not in metadata:
        raise InputError(f"{path}: holds no nas_isp record; give a bundle written by nas-isp")
    return Bundle(validated(parse_json(metadata[METADATA_KEY], f"{path}, its record"), BundleRecord, path), weights)
