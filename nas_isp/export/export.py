"""From a model bundle to a checked file for a phone or another runtime."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import NamedTuple

from torch import nn

from nas_isp.cores import available_cores
from nas_isp.data.pairs import Pairs, load_pairs
from nas_isp.develop.pipeline import develop
from nas_isp.errors import InputError
from nas_isp.evaluation.metrics import psnr
from nas_isp.export.calibration_set import DEMO, RawSource, calibration_pictures
from nas_isp.export.check_set import RealPictures, factors_in_several_lights, synthetic_pictures
from nas_isp.export.exporters import EXPORTERS, Form
from nas_isp.export.report import ExportReport, PairsScore
from nas_isp.export.verify import TIMED_THREADS, FileCheck, verify
from nas_isp.files import whole_file
from nas_isp.formats.record import CODES, GAINS_VALUES, INPUT_VALUES, OUTPUT_VALUES, ExportRecord
from nas_isp.generators.bundle import RAW_FOLDER, Bundle
from nas_isp.generators.cost import receptive_field
from nas_isp.generators.folded_gains import fold_gains
from nas_isp.raw.levels import from_sensor_values, to_sensor_values
from nas_isp.raw.network_input import NetworkInput
from nas_isp.raw.orientation import upright
from nas_isp.raw.packing import in_plane_order
from nas_isp.raw.sensor import SensorDescription
from nas_isp.runtimes.base import Floats, Runner
from nas_isp.runtimes.litert import choose_kernels
from nas_isp.runtimes.torch_runner import TorchRunner, fused_network

CHECKED_SIZES = ((64, 96), (100, 80))
"""Packed sizes at which a file of any input size is compared with PyTorch."""


@dataclass(frozen=True)
class ExportData:
    """The data of an export.

    Attributes:
        check: RAW to compare with PyTorch on; None takes a synthetic scene, and for int8 other files of `calibration`.
        calibration: RAW to observe an int8 file's ranges on.
        pairs: folder of true pairs on which PyTorch and the file are scored.
        sensor: description of bare mosaics in `pairs`.
    """

    check: RawSource | None = None
    calibration: RawSource = DEMO
    pairs: Path | None = None
    sensor: SensorDescription | None = None


def export_bundle(
    bundle: Bundle,
    path: Path,
    form: Form,
    data: ExportData | None = None,
    note: Callable[[str], None] = lambda line: None,
) -> ExportReport:
    """Write a bundle's fused network for a runtime, run the file and compare it with PyTorch.

    The file appears whole and checked, or not at all; one that nothing here can run appears unchecked.

    Args:
        bundle: the model.
        path: file to write; its suffix is the exporter's.
        form: what the file is to be.
        data: what it is calibrated and checked on.
        note: told of each RAW file that cannot be read.

    Raises:
        InputError: an unusable size, levels, network, RAW folder or target folder, or a file that fails the check.
    """
    choose_kernels()  # PyTorch computes below, which would be too late for a file that runs in LiteRT
    check_form(bundle, form)
    if not path.parent.is_dir():
        raise InputError(f"{path.parent}: no such folder; make it or give another file", "output")
    exporter, data = EXPORTERS[form.runtime], data or ExportData()
    net, record = _network(bundle, form, note), describe(bundle, form)
    pairs = None if data.pairs is None else load_pairs(data.pairs, sensor=data.sensor)
    calibrated = data.calibration.to_calibrate_on(record.network_input) if form.precision == "int8" else None
    checked = _checked(form, record, data, calibrated)
    for line in (*(pairs.notes if pairs else ()), *(calibrated.left_out if calibrated else ()), *checked.left_out):
        note(line)
    content = exporter.write(net, form, record, calibration_pictures(calibrated) if calibrated else ())
    facts, check, score = exporter.facts(content), FileCheck(), None
    with whole_file(path) as part:
        part.write_bytes(content)
        runner = exporter.open(part, TIMED_THREADS)
        if runner is not None:
            runner.name = str(path)
            check = verify(runner, net, form, checked.pictures, checked.name, checked.factors)
            if pairs is not None:
                score = _scored(pairs, TorchRunner(bundle, "model"), exporter.open(part, available_cores()) or runner)
    return ExportReport(
        file=str(path),
        bytes=len(content),
        **asdict(form),
        ops=facts.operators,
        **asdict(check),
        opset=facts.opset,
        calibrated_on=f"{len(calibrated.pictures)} files of {data.calibration.name}" if calibrated else None,
        left_to_cpu=facts.left_to_cpu,
        pairs=score,
        gains_input=record.gains_input,
    )


def _network(bundle: Bundle, form: Form, note: Callable[[str], None]) -> nn.Module:
    """The fused network, with fixed gains in its weights where those are wanted."""
    net = fused_network(bundle, "model")
    if form.folded_gains is None:
        return net
    if bundle.record.network_input.slope:
        note("light: the gains are fixed, and so is the exposure: the model's metering of each capture is left out")
    return fold_gains(net, form.folded_gains)


def describe(bundle: Bundle, form: Form) -> ExportRecord:
    """The record that the exported file carries; where the training RAW lay is left out of it."""
    architecture, sensor = bundle.record.architecture, bundle.record.sensor
    takes, folded, size = bundle.record.network_input, form.folded_gains, form.packed_size
    if folded is not None:
        # What is left takes RAW as the sensor gives it, and makes one light neutral.
        takes, sensor = NetworkInput(), sensor.model_copy(update={"white_balance": folded})
    balanced = takes.kind == "balanced"
    codes = form.precision == "int8"
    input_codes = codes and form.input == "normalised" and not balanced
    return ExportRecord(
        architecture=architecture,
        sensor=sensor,
        origin={name: value for name, value in bundle.record.origin.items() if name != RAW_FOLDER},
        precision=form.precision,
        input=form.input,
        output=form.output,
        layout=EXPORTERS[form.runtime].layout,
        packed_height=size[0] if size else None,
        packed_width=size[1] if size else None,
        input_values=INPUT_VALUES[form.input] + (f"; {CODES}" if input_codes else ""),
        input_black=in_plane_order(sensor.black_sites, sensor.cfa),
        input_white=sensor.white,
        output_values=OUTPUT_VALUES[form.output] + (f"; {CODES}" if codes and form.output == "float" else ""),
        halo=receptive_field(architecture),
        step=architecture.step,
        global_head=architecture.has_color_head,
        whole_picture=architecture.needs_whole_picture,
        network_input=takes,
        gains_input=balanced,
        gains_values=GAINS_VALUES if balanced else None,
        folded_gains=folded,
        border=bundle.record.border,
    )


def check_form(bundle: Bundle, form: Form) -> None:
    """Refuse a size that the network does not take, one sensor's levels for a model of several, and gains without use.

    Raises:
        InputError: a side that is no multiple of the network's step; the file would subtract one sensor's black; gains
            to fold for a network whose input is not balanced, or an exporter without an input for those of a capture.
    """
    is_balanced = bundle.record.network_input.kind == "balanced"
    if form.folded_gains is not None and not is_balanced:
        raise InputError("light: this model takes RAW as the sensor gives it, without gains; leave light out", "light")
    if form.folded_gains is None and is_balanced and not EXPORTERS[form.runtime].gains_input:
        raise InputError(
            f"exporter '{form.runtime}' gives its files no input for the gains of a capture, which this model takes; "
            "give fixed light, or another exporter",
            *("light", "to"),
        )
    packed_size = form.packed_size
    step = bundle.record.architecture.step
    if packed_size and (packed_size[0] % step or packed_size[1] % step):
        given = f"{packed_size[0]}x{packed_size[1]}"
        raise InputError(f"input size {given}: this network needs multiples of {step}; give another size", "input_size")
    if form.input == "raw" and bundle.record.sensor.other_levels:
        raise InputError(
            "input raw: the model was trained on captures of several black and white levels, and the file would hold "
            "those of one of them; take normalised values, or train on one group",
            "input_type",
        )


class _Checked(NamedTuple):
    """What a file is compared with PyTorch on.

    Attributes:
        pictures: packed `(4, h, w)` each.
        name: what a report calls them.
        factors: for the planes of each; None where the network takes them as they are.
        left_out: a line about each RAW file that could not be read.
    """

    pictures: list[Floats]
    name: str
    factors: list[Floats | None]
    left_out: Sequence[str] = ()


def _checked(form: Form, record: ExportRecord, data: ExportData, calibrated: RealPictures | None) -> _Checked:
    sizes = [form.packed_size] if form.packed_size else CHECKED_SIZES
    takes = record.network_input
    source = data.check or (data.calibration if calibrated else None)
    if source is None:
        pictures = [picture for size in sizes for picture in synthetic_pictures(*size)]
        factors = factors_in_several_lights(pictures, takes)
        return _Checked(_as_given(pictures, form, record), f"{len(pictures)} synthetic RAW pictures", factors)
    found = [source.to_compare_on(*size, calibrated, takes) for size in sizes]
    pictures = [picture for part in found for picture in part.pictures]
    factors = [gains for part in found for gains in part.factors]
    known = {file.name for file in calibrated.files} if calibrated else set()
    again = ", some of which it was calibrated on" if known & {file.name for file in found[0].files} else ""
    name = f"{len(pictures)} pictures of {source.name}{again}"
    return _Checked(_as_given(pictures, form, record), name, factors, found[0].left_out)


def _as_given(pictures: list[Floats], form: Form, record: ExportRecord) -> list[Floats]:
    """The pictures as they are after the sensor's integers, where the file takes those."""
    if form.input != "raw":
        return pictures
    black, white = record.levels
    return [from_sensor_values(to_sensor_values(picture, black, white), black, white) for picture in pictures]


def _scored(pairs: Pairs, torch_runner: Runner, file_runner: Runner) -> PairsScore:
    """Both runners on the true pairs."""
    means = []
    for runner in (torch_runner, file_runner):
        scores = [psnr(develop(runner, pair.raw), upright(pair.photo, pair.raw.flip)) for pair in pairs]
        means.append(sum(scores) / len(scores))
    return PairsScore(len(pairs), *means)
