"""Build the latency tables of six phone GPUs from the per-operator measurements of the USC mobile-ml-benchmark.

    python tools/build_phone_tables.py --data FOLDER -o latency_tables
    python tools/build_phone_tables.py --data FOLDER --cross-validate

FOLDER holds `tflite_gpu_ops.csv` and `tflite_gpu_end_to_end.csv` (microseconds).
"""

import argparse
import ast
import csv
import re
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from nas_isp.latency.correction import Correction, fit_correction
from nas_isp.latency.kernel import Kernel
from nas_isp.latency.predict import Predictor
from nas_isp.latency.tables import (
    DeviceRecord,
    LatencyTable,
    MeasuredKernel,
    SourceRecord,
    build_table,
    write_table,
)

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


def phone_table(phone: str, rows: Iterable[Row], networks_ms: dict[str, dict[str, float]]) -> LatencyTable:
    """The table of one phone from the given rows, its correction fitted to the networks that the rows belong to."""
    rows = list(rows)
    table = build_table(DEVICES[phone], SOURCE, _entries(phone, rows))
    predictor = Predictor(table)
    networks = _by_network(rows)
    predictions = [predictor.predict(kernels) for kernels in networks.values()]
    correction = fit_correction(
        [prediction.kernels_ms for prediction in predictions],
        [len(kernels) for kernels in networks.values()],
        [networks_ms[network][phone] for network in networks],
        [predictor.extras(prediction.kernels) for prediction in predictions],
    )
    return table.model_copy(update={"correction": correction})


def cross_validate(phone: str, measurements: Measurements, group_of: Callable[[str], str]) -> np.ndarray:
    """Signed relative errors of networks whose whole group was left out of table, models and correction."""
    errors = []
    for held_out in sorted({group_of(row.network) for row in measurements.rows}):
        kept = [row for row in measurements.rows if group_of(row.network) != held_out]
        left_out = [row for row in measurements.rows if group_of(row.network) == held_out]
        predictor = Predictor(phone_table(phone, kept, measurements.networks_ms))
        for network, kernels in _by_network(left_out).items():
            predicted = predictor.predict([_as_a_user_gives_it(kernel) for kernel in kernels]).latency_ms
            errors.append(predicted / measurements.networks_ms[network][phone] - 1)
    return np.array(errors)


def family(network: str) -> str:
    """The family of a network, such as `resnet` for `resnet18_wd4`."""
    match = FAMILY.match(network)
    assert match is not None
    return match.group()


def wide_family(network: str) -> str:
    """The family with its near relatives, a harder split."""
    return RELATIVES.get(family(network), family(network))


def main() -> None:
    """Read the arguments, then write the tables or print the cross-validation."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder of the source's two CSV files")
    parser.add_argument("-o", "--output", type=Path, help="folder that the tables are written to")
    parser.add_argument("--cross-validate", action="store_true", help="print errors with whole families left out")
    arguments = parser.parse_args()
    measurements = read_measurements(arguments.data)
    if arguments.cross_validate:
        _print_cross_validation(measurements)
    if arguments.output is not None:
        for phone, device in DEVICES.items():
            table = phone_table(phone, measurements.rows, measurements.networks_ms)
            errors = cross_validate(phone, measurements, family)
            write_table(arguments.output / f"{device.id}.json", _with_errors(table, errors))
            print(f"{device.id}: {len(table.measured)} kernels")


def _print_cross_validation(measurements: Measurements) -> None:
    for title, group_of in (("families", family), ("families with their relatives", wide_family)):
        print(f"left out: {title} ({len({group_of(row.network) for row in measurements.rows})})")
        all_errors = {phone: np.abs(cross_validate(phone, measurements, group_of)) for phone in DEVICES}
        for phone, errors in all_errors.items():
            print(_figures(DEVICES[phone].id, errors))
        print(_figures("mean of the phones", np.concatenate(list(all_errors.values()))))


def _figures(name: str, errors: np.ndarray) -> str:
    return f"  {name:20s} mean error {100 * errors.mean():5.2f} %   within 10 %: {100 * (errors <= 0.1).mean():5.1f} %"


def _with_errors(table: LatencyTable, errors: np.ndarray) -> LatencyTable:
    found = {
        "mean_error": round(float(np.abs(errors).mean()), 4),
        "within_10_percent": round(float((np.abs(errors) <= 0.1).mean()), 4),
    }
    correction = Correction.model_validate(table.correction.model_dump() | found)
    return table.model_copy(update={"correction": correction})


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


def _entries(phone: str, rows: list[Row]) -> list[MeasuredKernel]:
    values: dict[Kernel, list[float]] = defaultdict(list)
    for row in rows:
        if phone in row.times_ms:
            values[row.kernel].append(row.times_ms[phone])
    return [_entry(kernel, times) for kernel, times in values.items()]


def _entry(kernel: Kernel, times: list[float]) -> MeasuredKernel:
    low, median, high = (round(float(value), 6) for value in np.percentile(times, [10, 50, 90]))
    if len(times) < 3:
        return MeasuredKernel(kernel=kernel, median_ms=median, runs=len(times))
    return MeasuredKernel(kernel=kernel, median_ms=median, p10_ms=low, p90_ms=high, runs=len(times))


def _by_network(rows: Iterable[Row]) -> dict[str, list[Kernel]]:
    networks: dict[str, list[Kernel]] = defaultdict(list)
    for row in rows:
        networks[row.network].append(row.kernel)
    return networks


def _as_a_user_gives_it(kernel: Kernel) -> Kernel:
    """The kernel by the documented keys alone, which do not say how borders are padded."""
    return kernel.model_copy(update={"padding": None})


if __name__ == "__main__":
    main()
