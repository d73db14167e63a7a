"""Conformance of exporters: every form that one says it writes equals PyTorch, and any other is refused."""

from dataclasses import replace
from pathlib import Path
from typing import Any, get_args

from nas_isp.errors import InputError
from nas_isp.export.export import describe, export_bundle
from nas_isp.export.exporters import EXPORTERS, Form
from nas_isp.export.report import ExportReport
from nas_isp.formats.record import InputForm, OutputForm
from nas_isp.generators.architecture import Block, PlainArchitecture
from nas_isp.precision import Precision
from nas_isp.raw.network_input import NetworkInput
from nas_isp.runtimes.base import FileRunner
from nas_isp.testing.material import moved_bundle

SIZE = (32, 48)
"""Packed rows and columns of the files."""

NETWORK = PlainArchitecture(
    blocks=(
        Block(kind="conv3", channels=8, activation="tanh"),
        Block(kind="dwsep3", channels=8, residual=True),
        Block(kind="conv1", channels=12, activation="relu6"),
    ),
    color_head=True,
)


class ExporterConformance:
    """All that an exporter promises, for a network of several kinds of operator.

    Attributes:
        name: of the exporter in `EXPORTERS`.
    """

    name: str

    def test_it_says_what_it_writes(self) -> None:
        """A suffix, and members of what there is."""
        exporter = EXPORTERS[self.name]
        assert exporter.suffix.startswith("."), f"suffix '{exporter.suffix}'; it begins with a dot"
        kinds = ((exporter.precisions, Precision), (exporter.inputs, InputForm), (exporter.outputs, OutputForm))
        for given, known in kinds:
            assert given, f"it writes none of {get_args(known)}"
            assert set(given) <= set(get_args(known)), f"{given} are not all of {get_args(known)}"

    def test_every_form_of_it_equals_pytorch(self, tmp_path: Path) -> None:
        """The export itself compares; where nothing here runs such a file, the report says so."""
        for changes in self._forms():
            report = self._exported(tmp_path, **changes)
            runner = EXPORTERS[self.name].open(Path(report.file), threads=1)
            assert (report.checked_on is None) == (runner is None), f"{changes}: checked on {report.checked_on}"
            assert report.bytes == Path(report.file).stat().st_size
            assert sum(report.ops.values()) > 0, f"{changes}: no operator is reported"

    def test_a_file_carries_its_record(self, tmp_path: Path) -> None:
        """By which it is run right without anything else."""
        for changes in self._forms():
            report = self._exported(tmp_path, **changes)
            runner = EXPORTERS[self.name].open(Path(report.file), threads=1)
            if isinstance(runner, FileRunner):
                assert runner.record == describe(moved_bundle(NETWORK), self._form(**changes)), f"{changes}"

    def test_a_network_of_balanced_raw_gets_its_gains_or_is_refused(self, tmp_path: Path) -> None:
        """As a second input, which the file is checked with, where the exporter says that it writes one."""
        moved = moved_bundle(NETWORK)
        takes = NetworkInput(kind="balanced", white_balance=(2.0, 1.0, 1.5))
        bundle = replace(moved, record=moved.record.model_copy(update={"network_input": takes}))
        exporter, form = EXPORTERS[self.name], self._form()
        path = tmp_path / f"m{exporter.suffix}"
        if exporter.gains_input:
            assert export_bundle(bundle, path, form).gains_input
        else:
            try:
                export_bundle(bundle, path, form)
            except InputError:
                pass
            else:
                raise AssertionError("it writes no input for the gains, and is not refused")
        folded = export_bundle(bundle, path, replace(form, folded_gains=takes.white_balance))
        assert not folded.gains_input

    def test_what_it_does_not_write_is_refused(self) -> None:
        """By the form, before any work."""
        exporter = EXPORTERS[self.name]
        lacking: list[dict[str, Any]] = [
            *({"precision": other} for other in get_args(Precision) if other not in exporter.precisions),
            *({"input": other} for other in get_args(InputForm) if other not in exporter.inputs),
            *({"output": other} for other in get_args(OutputForm) if other not in exporter.outputs),
            *([] if exporter.free_size else [{"packed_size": None}]),
        ]
        for changes in lacking:
            try:
                self._form(**changes)
            except InputError:
                continue
            raise AssertionError(f"a form with {changes} is not refused")

    def _forms(self) -> list[dict[str, Any]]:
        """What is changed in the plain form, one thing at a time."""
        exporter = EXPORTERS[self.name]
        return [
            *({"precision": precision} for precision in exporter.precisions),
            *({"input": input} for input in exporter.inputs[1:]),
            *({"output": output} for output in exporter.outputs[1:]),
            *([{"packed_size": None}] if exporter.free_size else []),
        ]

    def _form(self, **changes: Any) -> Form:
        exporter = EXPORTERS[self.name]
        plain = {
            "precision": exporter.precisions[0],
            "packed_size": SIZE,
            "input": exporter.inputs[0],
            "output": exporter.outputs[0],
        }
        return Form(self.name, **(plain | changes))

    def _exported(self, folder: Path, **changes: Any) -> ExportReport:
        path = folder / f"m{EXPORTERS[self.name].suffix}"
        return export_bundle(moved_bundle(NETWORK), path, self._form(**changes))
