"""Build the latency tables of six phone GPUs from the per-operator measurements of the USC mobile-ml-benchmark.

    python tools/build_phone_tables.py --data FOLDER -o latency_tables
    python tools/build_phone_tables.py --data FOLDER --cross-validate
    python tools/build_phone_tables.py --data FOLDER --compare

FOLDER holds `tflite_gpu_ops.csv` and `tflite_gpu_end_to_end.csv` (microseconds). How to predict is chosen by a nested
cross-validation, whose outer errors are those that the tables state: ten minutes of one core. `--compare` prints the
errors of every way to predict that it chooses from, each with one family left out after the other: two minutes.
"""

import argparse
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from phone_cross_validation import (
    CrossValidation,
    LeftOut,
    coverage,
    extrapolation_errors,
    family_weights,
    stated,
)
from phone_fitting import phone_table
from phone_measurements import DEVICES, Measurements, by_network, family, read_measurements, wide_family
from phone_methods import CORRECTION_FORMS, KERNEL_METHODS, PROCESS, CorrectionForm

from nas_isp.latency.predict.correction import Correction, fit_correction
from nas_isp.latency.predict.predictor import Predictor
from nas_isp.latency.predict.table import LatencyTable, write_table

ByPhone = dict[str, list[LeftOut]]


def main() -> None:
    """Read the arguments, then write the tables or print the cross-validation."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder of the source's two CSV files")
    parser.add_argument("-o", "--output", type=Path, help="folder that the tables are written to")
    parser.add_argument("--cross-validate", action="store_true", help="print errors of the nested cross-validation")
    parser.add_argument("--compare", action="store_true", help="print errors of every way to predict")
    parser.add_argument("--phone", choices=list(DEVICES), action="append", help="only this one; may be repeated")
    arguments = parser.parse_args()
    if arguments.output is None and not arguments.cross_validate and not arguments.compare:
        parser.error("nothing to do: give -o FOLDER, --cross-validate or --compare")
    measurements, phones = read_measurements(arguments.data), arguments.phone or list(DEVICES)
    validation = CrossValidation(measurements, wide_family, phones)
    if arguments.cross_validate or arguments.output is not None:
        left_out, choices = nested(validation)
        for choice, times in choices.most_common():
            print(f"chosen in {times} of {len(validation.groups)} outer folds: {choice}", flush=True)
        _print_figures("nested; left out: families with their relatives", left_out, measurements)
    if arguments.compare:
        _print_comparison(validation)
        _print_comparison(CrossValidation(measurements, family, phones))
    if arguments.output is not None:
        method, form = validation.chosen()
        print(f"chosen with all families: {method.name}, {form.name}", flush=True)
        if method is not PROCESS:
            raise SystemExit(f"tables are read with '{PROCESS.name}'; the choice is another one")
        for phone in phones:
            table = shipped_table(phone, measurements, form, left_out[phone])
            write_table(arguments.output / f"{table.device.id}.json", table)
            print(f"{table.device.id}: {len(table.measured)} kernels", flush=True)


def nested(validation: CrossValidation) -> tuple[ByPhone, Counter[str]]:
    """Every network predicted in the way that is chosen without its family, and how often each way was chosen."""
    left_out: ByPhone = {phone: [] for phone in validation.phones}
    choices: Counter[str] = Counter()
    for group in validation.groups:
        method, form = validation.chosen(group)
        choices[f"{method.name}, {form.name}"] += 1
        for phone in validation.phones:
            left_out[phone] += validation.left_out(phone, group, method, form)
    return left_out, choices


def shipped_table(
    phone: str, measurements: Measurements, form: CorrectionForm, left_out: Sequence[LeftOut]
) -> LatencyTable:
    """The table of all rows, with the errors and the uncertainty that networks left out have shown."""
    table = corrected(phone_table(phone, measurements.rows), phone, measurements, form)
    mean_error, within = figures(left_out)
    scores = {"mean_error": round(mean_error, 4), "within_10_percent": round(within, 4)}
    correction = Correction.model_validate(table.correction.model_dump() | scores)
    uncertainty = stated(left_out, extrapolation_errors(phone, measurements))
    return table.model_copy(update={"correction": correction, "uncertainty": uncertainty})


def corrected(table: LatencyTable, phone: str, measurements: Measurements, form: CorrectionForm) -> LatencyTable:
    """The table with a correction fitted to all networks, every family counting the same."""
    predictor = Predictor(table)
    networks = by_network(measurements.rows)
    predictions = [predictor.predict(kernels) for kernels in networks.values()]
    correction = fit_correction(
        [prediction.kernels_ms for prediction in predictions],
        [len(kernels) for kernels in networks.values()],
        [measurements.networks_ms[network][phone] for network in networks],
        [predictor.extras(prediction.kernels) for prediction in predictions],
        terms=form.terms,
        shrinkage=form.shrinkage,
        weights=family_weights([wide_family(network) for network in networks]),
    )
    return table.model_copy(update={"correction": correction})


def figures(left_out: Sequence[LeftOut]) -> tuple[float, float]:
    """Mean relative error and share within 10 %, every family counting the same."""
    errors = np.abs([network.error for network in left_out])
    weights = family_weights([network.group for network in left_out])
    return float(np.average(errors, weights=weights)), float(np.average(errors <= 0.1, weights=weights))


def _print_comparison(validation: CrossValidation) -> None:
    for method in KERNEL_METHODS:
        for form in CORRECTION_FORMS:
            left_out = {
                phone: [
                    network
                    for group in validation.groups
                    for network in validation.left_out(phone, group, method, form)
                ]
                for phone in validation.phones
            }
            _print_figures(f"{method.name}, {form.name}; left out: {len(validation.groups)} families", left_out)


def _print_figures(title: str, left_out: ByPhone, measurements: Measurements | None = None) -> None:
    print(title)
    for phone, found in left_out.items():
        inside = ""
        if measurements is not None:
            inside = f"   in the interval: {100 * coverage(found, extrapolation_errors(phone, measurements)):5.1f} %"
        print(_line(DEVICES[phone].id, [found]) + inside, flush=True)
    print(_line("mean of the phones", list(left_out.values())), flush=True)


def _line(name: str, phones: Sequence[Sequence[LeftOut]]) -> str:
    """Figures by family and by network, averaged over phones."""
    error, within = (100 * float(value) for value in np.mean([figures(found) for found in phones], axis=0))
    errors = np.abs([network.error for found in phones for network in found])
    return (
        f"  {name:20s} families: {error:5.2f} %, within 10 %: {within:5.1f} %"
        f"   networks: {100 * errors.mean():5.2f} %, {100 * (errors <= 0.1).mean():5.1f} %"
    )


if __name__ == "__main__":
    main()
