"""`describe_network`: what a network costs, and what it is made of."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nas_isp.api.latency import predict_latency
from nas_isp.arguments import PATH, YES_NO, checked_arguments
from nas_isp.errors import InputError
from nas_isp.generators.architecture import Architecture
from nas_isp.generators.cost import Cost, count, receptive_field
from nas_isp.generators.operator_count import OperatorCount, count_operators
from nas_isp.latency.kernels.from_architecture import kernels_of
from nas_isp.latency.kernels.kernel import Kernel
from nas_isp.latency.measure.device_table import table_for
from nas_isp.latency.predict.answer import prediction_json
from nas_isp.latency.predict.predictor import Prediction
from nas_isp.latency.predict.table import LatencyTable
from nas_isp.picture_size import FULL_HD_PACKED, checked_size
from nas_isp.progress import Note, ReportsProgress, unheard, unseen
from nas_isp.search.models import load_architecture, takes_balanced

if TYPE_CHECKING:
    from nas_isp.generators.bundle import Bundle


@dataclass(frozen=True)
class Description:
    """A network in numbers.

    Attributes:
        architecture: the network.
        input_size: packed rows and columns that the costs are of.
        cost: parameters and GMACs of the deployed form.
        receptive_field: packed pixels to each side that an output pixel depends on.
        kernels: that the network runs as; None where they are not known.
        prediction: its latency, with the table that it is from; None where no device was asked about.
        operators: fvcore's count, where it was asked for.
    """

    architecture: Architecture
    input_size: tuple[int, int]
    cost: Cost
    receptive_field: int
    kernels: list[Kernel] | None
    prediction: tuple[Prediction, LatencyTable] | None
    operators: OperatorCount | None

    def to_json(self) -> dict[str, Any]:
        """As plain data."""
        return {
            "architecture": self.architecture.model_dump(mode="json"),
            "digest": self.architecture.digest(),
            "input_size": list(self.input_size),
            "params": self.cost.params,
            "gmacs": self.cost.gmacs,
            "receptive_field": self.receptive_field,
            **self._kernels_json(),
            **({"operators": _operators_json(self.operators)} if self.operators else {}),
        }

    def _kernels_json(self) -> dict[str, Any]:
        if self.prediction:
            answer = prediction_json(*self.prediction)
            del answer["network"]
            return answer
        if self.kernels is None:
            return {"kernels": None}
        return {"kernels": [{"label": kernel.label(), **kernel.model_dump(mode="json")} for kernel in self.kernels]}


@checked_arguments(device=PATH, operators=YES_NO)
def describe_network(
    model: "str | Path | Bundle | Architecture",
    device: str | Path | None = None,
    *,
    input_size: tuple[int, int] = FULL_HD_PACKED,
    operators: bool = False,
    note: Note = unheard,
    progress: ReportsProgress = unseen,
) -> Description:
    """Parameters, MACs, receptive field and kernels of a network, and its predicted latency on a device.

    Args:
        model: a published name, a bundle, an architecture, or STUDY:TRIAL.
        device: name of a shipped table, `host` or `host-int8` for this machine, or a table's file; None predicts none.
        input_size: packed rows and columns; 544 x 960 makes pictures of 1088 x 1920.
        operators: whether fvcore counts every operator too.
        note: told what is not known of the network.
        progress: told how far the timing of kernels on this machine is.

    Raises:
        InputError: a size the network does not take, an unknown model or device, or a kernel that the device's table
            cannot speak of.
    """
    architecture = load_architecture(model)
    cost = count(architecture, *checked_size(input_size))
    kernels, prediction = _deployed(architecture, takes_balanced(model), input_size, device, note, progress)
    return Description(
        architecture=architecture,
        input_size=input_size,
        cost=cost,
        receptive_field=receptive_field(architecture),
        kernels=kernels,
        prediction=prediction,
        operators=count_operators(architecture, input_size) if operators else None,
    )


def _deployed(
    architecture: Architecture,
    balanced: bool,
    input_size: tuple[int, int],
    device: str | Path | None,
    note: Note,
    progress: ReportsProgress,
) -> tuple[list[Kernel] | None, tuple[Prediction, LatencyTable] | None]:
    try:
        kernels = kernels_of(architecture, *input_size, balanced)
    except InputError as error:
        if device is not None:
            raise
        note(str(error))
        return None, None
    if device is None:
        return kernels, None
    table = table_for(device, kernels, 1, progress)
    return kernels, (predict_latency(kernels, table, note=note), table)


def _operators_json(counted: OperatorCount) -> dict[str, Any]:
    return {**asdict(counted), "macs": counted.macs, "remarks": counted.remarks()}
