"""What the USC mobile-ml-benchmark measured on six phones, read from its two files (microseconds, MIT licence)."""

import ast
import csv
import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from nas_isp.latency.kernels.kernel import Kernel
from nas_isp.latency.predict.table import DeviceRecord, SourceRecord

LINK = "https://github.com/qed-usc/mobile-ml-benchmark"
SOURCE = SourceRecord(
    how=(
        "TFLite GPU delegate, per-operator profile of 81 classification networks; each value is one figure of the "
        "source (how many runs it averages is not stated); networks end to end in separate runs"
    ),
    when="repository commit 40ba833",
    licence="MIT, Copyright qed-usc",
    link=LINK,
    caveat=(
        "measured on maps of at most 230 pixels a side, nearly all at most 112; larger maps are extrapolated. No "
        "depth-to-space, resize or standalone elementwise operator was measured: those are estimated from pooling and "
        "concatenation"
    ),
)
PRECISION = "float"


def _gpu(name_id: str, name: str, soc: str, gpu: str, winograd: bool) -> DeviceRecord:
    return DeviceRecord(
        id=name_id,
        name=name,
        soc=soc,
        processor="gpu",
        processor_name=gpu,
        runtime="TFLite",
        delegate="GPU",
        precision=PRECISION,
        winograd=winograd,
    )


DEVICES: dict[str, DeviceRecord] = {
    "pixel4": _gpu("pixel4-gpu", "Google Pixel 4", "Snapdragon 855", "Adreno 640", False),
    "s10": _gpu("galaxy-s10-gpu", "Samsung Galaxy S10", "Exynos 9820", "Mali-G76", True),
    "mi8se": _gpu("mi8se-gpu", "Xiaomi Mi 8 SE", "Snapdragon 710", "Adreno 616", False),
    "a03s": _gpu("galaxy-a03s-gpu", "Samsung Galaxy A03s", "Helio P35", "PowerVR GE8320", True),
    "iphone7": _gpu("iphone7-gpu", "Apple iPhone 7", "A10 Fusion", "Apple GPU", True),
    "iphonexs": _gpu("iphonexs-gpu", "Apple iPhone XS", "A12 Bionic", "Apple GPU", True),
}
"""By the source's name of the phone. `winograd`: the source shows Winograd kernels on it."""

OPS = {
    "CONV_2D": "conv2d",
    "CONV_2D_GROUP": "grouped_conv2d",
    "DEPTHWISE_CONV_2D": "depthwise_conv2d",
    "MEAN": "mean",
    "CONCATENATION": "concat",
    "FULLY_CONNECTED": "fully_connected",
    "AVERAGE_POOL_2D": "avg_pool",
    "MAX_POOL_2D": "max_pool",
}
CHANNELS_KEPT = ("depthwise_conv2d", "mean", "avg_pool", "max_pool")
TWO_ROWS_ONE_KERNEL = "depthwise_conv_plus"
"""Start of the names of kernels that hold two rows; both rows carry the time of the whole kernel."""

FAMILY = re.compile(
    r"efficientnet_edge|mobilenetv3_large|mobilenetv3_small|mobilenetv2b|mobilenetv2|mobilenetb|mobilenet|fdmobilenet"
    r"|sepreresnet|seresnet|preresnet|resnext|resnet|hrnet|densenet|mnasnet|regnety|dla|[a-z0-9]+"
)
RELATIVES = {
    "mobilenetb": "mobilenet",
    "fdmobilenet": "mobilenet",
    "mobilenetv2b": "mobilenetv2",
    "mobilenetv3_large": "mobilenetv3",
    "mobilenetv3_small": "mobilenetv3",
    "sepreresnet": "resnet",
    "seresnet": "resnet",
    "preresnet": "resnet",
}


@dataclass(frozen=True)
class Row:
    """One operator of one network, with its time on every phone that ran it as a kernel of its own."""

    network: str
    kernel: Kernel
    times_ms: dict[str, float]


@dataclass(frozen=True)
class Measurements:
    """Everything that the source says: operators, and whole networks as times per phone."""

    rows: list[Row]
    networks_ms: dict[str, dict[str, float]]


def read_measurements(folder: Path) -> Measurements:
    """Read both files of the source."""
    with (folder / "tflite_gpu_ops.csv").open(newline="", encoding="utf-8") as file:
        rows = [_row(record) for record in csv.DictReader(file)]
    with (folder / "tflite_gpu_end_to_end.csv").open(newline="", encoding="utf-8") as file:
        networks = {
            record["model"]: {phone: float(record[f"{phone}|gpu|float|mean"]) / 1e3 for phone in DEVICES}
            for record in csv.DictReader(file)
        }
    return Measurements(rows, networks)


def family(network: str) -> str:
    """The family of a network, such as `resnet` for `resnet18_wd4`."""
    match = FAMILY.match(network)
    assert match is not None
    return match.group()


def wide_family(network: str) -> str:
    """The family with its near relatives, a harder split."""
    return RELATIVES.get(family(network), family(network))


def by_network(rows: Iterable[Row]) -> dict[str, list[Kernel]]:
    """The kernels of every network, in order."""
    networks: dict[str, list[Kernel]] = defaultdict(list)
    for row in rows:
        networks[row.network].append(row.kernel)
    return networks


def _row(record: dict[str, str]) -> Row:
    feature = ast.literal_eval(record["feature"])
    op = OPS[record["operation"]]
    channels, side, window, stride = (
        _number(feature[name]) for name in ("Input_channel", "Input_shape", "Kernel", "Stride")
    )
    windowed = op not in ("mean", "concat", "fully_connected")
    kernel = Kernel.model_validate(
        {
            "op": op,
            "in_channels": channels,
            "out_channels": channels if op in CHANNELS_KEPT else _number(feature["Filter"]),
            "kernel": window,
            "stride": stride,
            "groups": _number(feature["Group"]),
            "height": side,
            "width": side,
            "activation": _linked(record["pixel4|gpu|kernel"]),
            "padding": _padding(side, window, stride, _number(feature["Output_shape"])) if windowed else None,
        }
    )
    times = {
        phone: float(record[f"{phone}|gpu|float"]) / 1e3
        for phone in DEVICES
        if not record[f"{phone}|gpu|kernel"].startswith(TWO_ROWS_ONE_KERNEL)
    }
    return Row(record["model"], kernel, times)


def _number(text: object) -> int:
    """A count of the source; `-` and 0 stand for not applicable."""
    digits = str(text)
    return max(int(digits), 1) if digits.isdigit() else 1


def _linked(kernel_name: str) -> str:
    """The fused steps from a name such as `convolution_2d_7_linked_:_add_8_linked_:_relu_9`."""
    return "_".join(re.sub(r"_\d+$", "", part) for part in kernel_name.split("_linked_:_")[1:]) or "none"


def _padding(side: int, window: int, stride: int, output_side: int) -> str:
    return "same" if -(-side // stride) == output_side else "valid"
