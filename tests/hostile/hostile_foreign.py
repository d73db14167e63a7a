"""Whole weights of others in every format, and reading them."""

from pathlib import Path

import h5py
import torch
from safetensors.torch import save_file

from nas_isp.generators.build import assemble
from nas_isp.generators.published import PUBLISHED
from nas_isp.generators.published_checkpoints import import_checkpoint, published_weights
from nas_isp.perceptual.squeezenet import load_caffe_squeezenet, unfilled_squeezenet
from nas_isp.perceptual.vit import VitSize, load_vit
from nas_isp.raw.sensor import SensorDescription

SENSOR = SensorDescription(name="test", cfa="RGGB", bits=10, black=64, white=1023)
VIT = VitSize(width=16, heads=2, inner=32, blocks=2, side=32)


def make_pth(folder: Path) -> None:
    torch.save(_published(), folder / "a.pth")


def make_old_pth(folder: Path) -> None:
    torch.save(_published(), folder / "a.pth", _use_new_zipfile_serialization=False)


def _published() -> dict[str, torch.Tensor]:
    """Under the names of the published file."""
    names = {"blocks.0.conv": "conv1", "blocks.1.conv": "conv2", "tail.conv": "conv3"}
    state = assemble(PUBLISHED["efficient-isp"]).state_dict()
    foreign = {f"{names[key.rpartition('.')[0]]}.{key.rpartition('.')[2]}": value for key, value in state.items()}
    published_weights("efficient-isp", foreign, SENSOR)
    return foreign


def import_pth(folder: Path) -> None:
    bundle = import_checkpoint(folder / "a.pth", "efficient-isp", SENSOR)
    assert all(weight.isfinite().all() for weight in bundle.weights.values())


def make_vit(folder: Path) -> None:
    save_file(_vit_state(), folder / "a.safetensors")


def make_vit_pth(folder: Path) -> None:
    torch.save(_vit_state(), folder / "a.pth")


def _vit_state() -> dict[str, torch.Tensor]:
    """Under transformers' names."""
    width, inner = VIT.width, VIT.inner
    shapes: dict[str, tuple[int, ...]] = {
        "embeddings.cls_token": (1, 1, width),
        "embeddings.position_embeddings": (1, (VIT.side // VIT.patch) ** 2 + 1, width),
        "embeddings.patch_embeddings.projection.weight": (width, 3, VIT.patch, VIT.patch),
        "embeddings.patch_embeddings.projection.bias": (width,),
        **{f"layernorm.{kind}": (width,) for kind in ("weight", "bias")},
    }
    for index in range(VIT.blocks):
        linear = {f"attention.attention.{part}": (width, width) for part in ("query", "key", "value")}
        linear |= {"attention.output.dense": (width, width), "intermediate.dense": (inner, width)}
        for name, shape in {**linear, "output.dense": (width, inner)}.items():
            shapes |= {f"encoder.layer.{index}.{name}.weight": shape, f"encoder.layer.{index}.{name}.bias": shape[:1]}
        norms = [f"layernorm_{place}.{kind}" for place in ("before", "after") for kind in ("weight", "bias")]
        shapes |= {f"encoder.layer.{index}.{norm}": (width,) for norm in norms}
    return {f"vit.{name}": torch.rand(shape) for name, shape in shapes.items()}


def fill_vit(folder: Path) -> None:
    network = load_vit(next(folder.iterdir()), size=VIT)
    maps = network(torch.rand(1, 3, VIT.side, VIT.side))
    assert all(found.shape[0] == 1 for found in maps.values())


def make_h5(folder: Path) -> None:
    """Each convolution a group with its kernel (h, w, in, out) and its bias."""
    stages = unfilled_squeezenet().stages
    names = [name for name, part in _named_convolutions(stages)]
    parts = [part for _, part in _named_convolutions(stages)]
    with h5py.File(folder / "a.h5", "w") as file:
        for name, part in zip(names, parts, strict=True):
            file[f"{name}/weights"] = part.weight.permute(2, 3, 1, 0).numpy()
            file[f"{name}/bias"] = part.get_parameter("bias").numpy()


def _named_convolutions(stages: torch.nn.Module) -> list[tuple[str, torch.nn.Conv2d]]:
    """Under the names of the parts: conv1, fire2/squeeze1x1, ..."""
    convolutions = [part for part in stages.modules() if isinstance(part, torch.nn.Conv2d)]
    inner = ("squeeze1x1", "expand1x1", "expand3x3")
    names = ["conv1", *(f"fire{number}/{part}" for number in range(2, 10) for part in inner)]
    return list(zip(names, convolutions, strict=True))


def fill_squeezenet(folder: Path) -> None:
    network = load_caffe_squeezenet(folder / "a.h5")
    assert network(torch.rand(1, 3, 32, 32), ("conv1",))["conv1"].shape[1] == 64
