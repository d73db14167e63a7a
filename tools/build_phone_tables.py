"""Build the latency tables of six phone GPUs from the per-operator measurements of the USC mobile-ml-benchmark.

    python tools/build_phone_tables.py --data FOLDER -o latency_tables
    python tools/build_phone_tables.py --data FOLDER --cross-validate [--compare [METHOD ...]]

FOLDER holds `tflite_gpu_ops.csv` and `tflite_gpu_end_to_end.csv` (microseconds). `--compare` sets other ways to predict
beside the shipped one; boosted trees need scikit-learn, which this project does not install.
"""

import argparse
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from phone_cross_validation import (
    METHODS,
    SHIPPED,
    LeftOut,
    Method,
    Trees,
    calibrated,
    coverage,
    cross_validate,
    extrapolation_errors,
)
from phone_fitting import phone_table
from phone_measurements import DEVICES, Measurements, family, read_measurements, wide_family

from nas_isp.latency.predict.correction import Correction
from nas_isp.latency.predict.table import LatencyTable, write_table

SPLITS: tuple[tuple[str, Callable[[str], str]], ...] = (
    ("families", family),
    ("families with their relatives", wide_family),
)


def main() -> None:
    """Read the arguments, then write the tables or print the cross-validation."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder of the source's two CSV files")
    parser.add_argument("-o", "--output", type=Path, help="folder that the tables are written to")
    parser.add_argument("--cross-validate", action="store_true", help="print errors with whole families left out")
    parser.add_argument(
        "--compare",
        nargs="*",
        choices=list(METHODS),
        help="ways to predict that are cross-validated; alone: all of them",
    )
    parser.add_argument("--phone", choices=list(DEVICES), action="append", help="only this one; may be repeated")
    arguments = parser.parse_args()
    if arguments.output is None and not arguments.cross_validate:
        parser.error("nothing to do: give -o FOLDER, --cross-validate or both")
    if arguments.compare is not None and not arguments.cross_validate:
        parser.error("--compare belongs to --cross-validate")
    measurements, phones = read_measurements(arguments.data), arguments.phone or list(DEVICES)
    if arguments.cross_validate:
        compared = ["process"] if arguments.compare is None else arguments.compare or list(METHODS)
        _print_cross_validation(measurements, phones, [METHODS[name] for name in compared])
    if arguments.output is not None:
        for phone in phones:
            table = shipped_table(phone, measurements)
            write_table(arguments.output / f"{table.device.id}.json", table)
            print(f"{table.device.id}: {len(table.measured)} kernels", flush=True)


def shipped_table(phone: str, measurements: Measurements) -> LatencyTable:
    """The table of all rows, with the errors and the uncertainty that networks left out have shown."""
    splits = [cross_validate(phone, measurements, group_of) for _, group_of in SPLITS]
    table = phone_table(phone, measurements.rows, measurements.networks_ms)
    left_out = [network for split in splits for network in split]
    uncertainty = calibrated(left_out, extrapolation_errors(phone, measurements))
    return _with_errors(table, splits[0]).model_copy(update={"uncertainty": uncertainty})


def _print_cross_validation(measurements: Measurements, phones: Sequence[str], methods: Sequence[Method]) -> None:
    extrapolated = {phone: extrapolation_errors(phone, measurements) for phone in phones}
    for method in methods:
        if method.make_interpolator is Trees and find_spec("sklearn") is None:
            print(f"{method.name}: left out, scikit-learn is not installed")
            continue
        for title, group_of in SPLITS:
            groups = len({group_of(row.network) for row in measurements.rows})
            print(f"{method.name}; left out: {title} ({groups})", flush=True)
            everything: list[LeftOut] = []
            for phone in phones:
                found = cross_validate(phone, measurements, group_of, method)
                inside = f"   in the interval: {100 * coverage(found, extrapolated[phone]):5.1f} %"
                print(_figures(DEVICES[phone].id, found) + (inside if method is SHIPPED else ""), flush=True)
                everything += found
            print(_figures("mean of the phones", everything), flush=True)


def _figures(name: str, found: Sequence[LeftOut]) -> str:
    errors = np.abs([network.error for network in found])
    return f"  {name:20s} mean error {100 * errors.mean():5.2f} %   within 10 %: {100 * (errors <= 0.1).mean():5.1f} %"


def _with_errors(table: LatencyTable, left_out: Sequence[LeftOut]) -> LatencyTable:
    errors = np.abs([network.error for network in left_out])
    found = {
        "mean_error": round(float(errors.mean()), 4),
        "within_10_percent": round(float((errors <= 0.1).mean()), 4),
    }
    correction = Correction.model_validate(table.correction.model_dump() | found)
    return table.model_copy(update={"correction": correction})


if __name__ == "__main__":
    main()
