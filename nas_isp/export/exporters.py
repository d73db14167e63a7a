"""The door for exporters: what writes a network as the bytes of a file for some runtime, by name."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from torch import nn

from nas_isp.errors import InputError
from nas_isp.formats.record import ExportRecord, InputForm, OutputForm, TensorLayout
from nas_isp.picture_size import FULL_HD_PACKED
from nas_isp.precision import Precision
from nas_isp.raw.sensor import Gains
from nas_isp.registry import Registry
from nas_isp.runtimes.base import Floats, Runner


@dataclass(frozen=True)
class Facts:
    """What a file holds.

    Attributes:
        operators: how often each occurs.
        left_to_cpu: for each accelerator, the operators that it does not take; empty where nothing is known.
        opset: version of the operators, where the format has one.
    """

    operators: dict[str, int]
    left_to_cpu: dict[str, list[str]] = field(default_factory=dict)
    opset: int | None = None


class Exporter(Protocol):
    """Writes files of one format.

    Attributes:
        suffix: of its files, such as ".tflite".
        layout: order of the dimensions of a file's input and output.
        precisions: that it can store weights in.
        inputs: what its files can take.
        outputs: what its files can give.
        free_size: whether a file can leave the sides of the picture to run time.
        gains_input: whether a file can take gains as a second input, for a network whose input is balanced.
    """

    suffix: str
    layout: TensorLayout
    precisions: Sequence[Precision]
    inputs: Sequence[InputForm]
    outputs: Sequence[OutputForm]
    free_size: bool
    gains_input: bool

    def write(self, net: nn.Module, form: "Form", record: ExportRecord, calibration: Sequence[Floats]) -> bytes:
        """The bytes of a file.

        Args:
            net: fused generator: packed `(1, 4, h, w)` to RGB `(1, 3, 2h, 2w)`.
            form: what the file is to be; this exporter says that it can.
            record: what the file says about itself, as JSON under `RECORD_NAME`; the ends' levels are taken from it,
                and whether the planes are multiplied by a second input before the network sees them.
            calibration: packed pictures `(4, h, w)`, as `net` is given them, to observe an int8 file's ranges on, else
                none.

        Raises:
            InputError: a network that cannot be written in this form.
        """
        ...

    def facts(self, content: bytes) -> Facts:
        """What a file that it wrote holds."""
        ...

    def open(self, path: Path, threads: int) -> Runner | None:
        """The file ready to run on this machine; None if nothing here can run it, and then it is not checked."""
        ...


EXPORTERS: Registry[Exporter] = Registry(
    "exporter",
    "nas_isp.exporters",
    {
        "tflite": "nas_isp.export.tflite.exporter:TFLITE",
        "onnx": "nas_isp.export.onnx.exporter:ONNX",
    },
)


@dataclass(frozen=True)
class Form:
    """What a file is to be.

    Attributes:
        runtime: what it is written for, a name in `EXPORTERS`.
        precision: of the weights; "int8" computes in 8-bit integers throughout.
        packed_size: rows and columns of the packed input; None leaves them to run time.
        input: "normalised" floats (codes for int8), or "raw": int32 sensor values.
        output: "float" (codes for int8), or "uint8": the levels of an 8-bit picture.
        folded_gains: white-balance gains, G = 1, that go into the weights of a network whose input is balanced; None
            lets its file take those of each capture.

    Raises:
        InputError: an unknown exporter, or one that does not write this.
    """

    runtime: str
    precision: Precision = "fp32"
    packed_size: tuple[int, int] | None = FULL_HD_PACKED
    input: InputForm = "normalised"
    output: OutputForm = "float"
    folded_gains: Gains | None = None

    def __post_init__(self) -> None:
        exporter = EXPORTERS[self.runtime]
        known = {"precision": exporter.precisions, "input": exporter.inputs, "output": exporter.outputs}
        for name, allowed in known.items():
            if getattr(self, name) not in allowed:
                raise InputError(
                    f"exporter '{self.runtime}' has no {name} '{getattr(self, name)}': it writes {', '.join(allowed)}; "
                    "give one of these, or another exporter",
                    "to",
                )
        if self.packed_size is None and not exporter.free_size:
            raise InputError(
                f"exporter '{self.runtime}' leaves no sides to run time; give a size, or another exporter",
                *("input_size", "to"),
            )

    @property
    def sides(self) -> tuple[int | None, int | None]:
        """Rows and columns of the packed input; both None where they are left to run time."""
        return self.packed_size or (None, None)
