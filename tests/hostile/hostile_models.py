"""Whole models and weights in every format, and running them."""

from pathlib import Path

import h5py
import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper
from safetensors.torch import save_file

from nas_isp.export import onnx_file, tflite_file
from nas_isp.export.develop import whole_picture_means
from nas_isp.export.metadata import ExportRecord
from nas_isp.export.runners import load_runner
from nas_isp.export.tflite_kernels import kernels_of_tflite
from nas_isp.generators.architecture import Block, PlainArchitecture
from nas_isp.generators.build import assemble
from nas_isp.generators.bundle import Bundle, BundleRecord, save_bundle
from nas_isp.generators.checkpoints import import_checkpoint, published_weights
from nas_isp.generators.published import PUBLISHED
from nas_isp.latency.host_models import kernel_chain_model
from nas_isp.latency.kernel import Kernel, convolution, shuffle
from nas_isp.perceptual.squeezenet import load_caffe_squeezenet, unfilled_squeezenet
from nas_isp.perceptual.vit import VitSize, load_vit
from nas_isp.raw.sensor import SensorDescription

SENSOR = SensorDescription(name="test", cfa="RGGB", bits=10, black=64, white=1023)
SMALL = PlainArchitecture(blocks=(Block(kind="conv3", channels=4),))
SMALL_WITH_HEAD = SMALL.model_copy(update={"color_head": True})
VIT = VitSize(width=16, heads=2, inner=32, blocks=2, side=32)
SIDE = 8
"""Packed rows and columns of a model's input."""


def make_bundle(folder: Path) -> None:
    weights = assemble(SMALL_WITH_HEAD).state_dict()
    save_bundle(folder / "a.safetensors", Bundle(BundleRecord(architecture=SMALL_WITH_HEAD, sensor=SENSOR), weights))


def run_model(folder: Path) -> None:
    """As `develop` does, at the model's size and at another."""
    runner = load_runner(next(folder.iterdir()), threads=1)
    for side in (SIDE, 2 * SIDE):
        packed = np.random.default_rng(0).random((4, side, side), dtype=np.float32)
        rgb = runner.run(packed)
        assert rgb.shape == (3, 2 * side, 2 * side)
        assert rgb.dtype == np.float32
        if runner.has_global_head:
            assert runner.run(packed, whole_picture_means(runner, packed)).shape == rgb.shape


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


def record(layout: str, has_head: bool = False) -> str:
    """What an exported file says about itself."""
    return ExportRecord(
        architecture=SMALL_WITH_HEAD if has_head else SMALL,
        sensor=SENSOR,
        precision="fp32",
        layout=layout,
        packed_height=SIDE,
        packed_width=SIDE,
        halo=2,
        step=1,
        global_head=has_head,
        whole_picture=False,
    ).model_dump_json()


def make_tflite(folder: Path) -> None:
    kernels: list[Kernel] = [
        convolution(4, 4, 3, (SIDE, SIDE), activation="relu"),
        convolution(4, 12, 3, (SIDE, SIDE)),
        shuffle(3, 2, (SIDE, SIDE)),
    ]
    model = tflite_file.parse(kernel_chain_model(kernels), folder)
    tflite_file.add_record(model, record("NHWC"))
    (folder / "a.tflite").write_bytes(tflite_file.serialise(model))


def kernels(folder: Path) -> None:
    """As `latency validate` does with a folder of networks."""
    path = folder / "a.tflite"
    assert all(kernel.op for kernel in kernels_of_tflite(path.read_bytes(), path))


def make_onnx(folder: Path) -> None:
    (folder / "a.onnx").write_bytes(onnx_model(has_head=False).SerializeToString())


def make_onnx_with_head(folder: Path) -> None:
    (folder / "a.onnx").write_bytes(onnx_model(has_head=True).SerializeToString())


def onnx_model(has_head: bool = False) -> onnx.ModelProto:
    """Two convolutions, with the mean over the picture added in between if wanted, and depth to space."""
    rng = np.random.default_rng(0)
    weights = [
        numpy_helper.from_array(rng.random(shape, dtype=np.float32) / 36, name)
        for name, shape in (("first", (8, 4, 3, 3)), ("second", (12, 8, 3, 3)))
    ]
    nodes = [
        helper.make_node("Conv", ["packed", "first"], ["hidden"], pads=[1, 1, 1, 1]),
        helper.make_node("Conv", ["shifted" if has_head else "hidden", "second"], ["planes"], pads=[1, 1, 1, 1]),
        helper.make_node("DepthToSpace", ["planes"], ["rgb"], blocksize=2, mode="CRD"),
    ]
    if has_head:
        weights.append(numpy_helper.from_array(np.array([2, 3]), "axes"))
        nodes.insert(1, helper.make_node("ReduceMean", ["hidden", "axes"], ["mean"], keepdims=1))
        nodes.insert(2, helper.make_node("Add", ["hidden", "mean"], ["shifted"]))
    graph = helper.make_graph(
        nodes,
        "network",
        [helper.make_tensor_value_info("packed", TensorProto.FLOAT, [1, 4, SIDE, SIDE])],
        [helper.make_tensor_value_info("rgb", TensorProto.FLOAT, [1, 3, 2 * SIDE, 2 * SIDE])],
        weights,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)
    onnx_file.add_record(model, record("NCHW", has_head))
    return model
