"""What an export says about the file that it wrote."""

from dataclasses import asdict, dataclass, field
from typing import Any

from nas_isp.formats.record import InputForm, OutputForm
from nas_isp.precision import Precision
from nas_isp.raw.sensor import Gains


@dataclass(frozen=True)
class PairsScore:
    """Mean PSNR over true pairs, on the 8-bit pictures that `develop` saves.

    Attributes:
        pairs: how many.
        torch_psnr_db: of the model in PyTorch.
        file_psnr_db: of the exported file.
    """

    pairs: int
    torch_psnr_db: float
    file_psnr_db: float


@dataclass(frozen=True)
class ExportReport:
    """What an export wrote and how it compares with PyTorch.

    Attributes:
        file: where it is.
        bytes: its size.
        runtime: what it was written for, such as "tflite".
        precision: how weights are stored.
        input: "normalised" or "raw".
        output: "float" or "uint8".
        packed_size: rows and columns of the packed input, or None for any.
        folded_gains: white-balance gains that every capture gets, within the weights; None: none are.
        gains_input: whether the file takes the gains of each capture as a second input.
        ops: how often each operator occurs.
        max_abs_error: largest difference to PyTorch in fp32, unclipped output.
        max_error_in_precision: the same against PyTorch with weights rounded as the file stores them; for int8 equal
            to `max_abs_error`.
        psnr_vs_torch_db: of the output clipped to 0..1 against PyTorch in fp32; None if equal.
        checked_on: pictures compared, and what they were; None if nothing on this machine can run the file, so that it
            was not checked, and then neither error, PSNR nor time is known.
        host_ms: median time of one run on this machine at `host_size`, on `host_threads` threads.
        host_ms_min: the least of the times, nearer the truth on a busy machine.
        host_size: packed size that was timed.
        host_threads: threads that were used.
        opset: version of the operators, where the format has one.
        calibrated_on: pictures that the ranges of an int8 file were observed on, else None.
        left_to_cpu: for each target, the operators that it does not take.
        pairs: PSNR on true pairs of PyTorch and of the file, where pairs were given.
    """

    file: str
    bytes: int
    runtime: str
    precision: Precision
    input: InputForm
    output: OutputForm
    packed_size: tuple[int, int] | None
    ops: dict[str, int]
    max_abs_error: float | None
    max_error_in_precision: float | None
    psnr_vs_torch_db: float | None
    checked_on: str | None
    host_ms: float | None
    host_ms_min: float | None
    host_size: tuple[int, int] | None
    host_threads: int | None
    opset: int | None = None
    calibrated_on: str | None = None
    left_to_cpu: dict[str, list[str]] = field(default_factory=dict)
    pairs: PairsScore | None = None
    folded_gains: Gains | None = None
    gains_input: bool = False

    def to_json(self) -> dict[str, Any]:
        """As plain data."""
        return asdict(self)
