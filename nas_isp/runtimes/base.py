"""One interface over the runtimes that can develop a picture: PyTorch, TFLite and ONNX."""

import statistics
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nas_isp.errors import InputError
from nas_isp.formats.record import ExportRecord
from nas_isp.generators.architecture import Border
from nas_isp.raw.levels import to_sensor_values
from nas_isp.raw.network_input import NetworkInput, of_planes
from nas_isp.raw.sensor import SensorDescription

Floats = NDArray[np.float32]
Sums = NDArray[np.float64]

MEASURED_SECONDS = 3.0

FOLDED = "they are in its weights; export it without fixed light for captures of any"
PLAIN = "it was made for RAW as the sensor gives it"


class Runner(ABC):
    """A loaded model.

    Attributes:
        name: for messages.
        tile: packed rows and columns that the model was written for, or None for any.
        halo: radius of the receptive field, packed pixels.
        step: sides and tile positions must be multiples of this, packed pixels.
        has_global_head: the output also depends on the mean over the whole picture; see `feature_sums`.
        whole_picture: tiles would not join: only a whole picture comes out right, and only at the size of `tile`
            where there is one.
        border: what the network sees outside of a picture: "mirror" for its mirror image, "zeros" for nothing added.
        sensor: that the model was made for; None where it does not say.
        network_input: how a capture becomes what the network sees: by the factors that `run` takes with its planes.
        workers: threads that may call `run` and `feature_sums` at once, and should for a picture of many tiles.
    """

    sensor: SensorDescription | None = None
    network_input: NetworkInput = NetworkInput()
    workers: int = 1

    def __init__(
        self,
        name: str,
        tile: tuple[int, int] | None,
        halo: int,
        step: int,
        has_global_head: bool = False,
        whole_picture: bool = False,
        border: Border = "mirror",
    ) -> None:
        self.name = name
        self.tile = tile
        self.halo = halo
        self.step = step
        self.has_global_head = has_global_head
        self.whole_picture = whole_picture
        self.border = border

    @abstractmethod
    def run(self, packed: Floats, pooled: Floats | None = None, factors: Floats | None = None) -> Floats:
        """RGB `(3, 2h, 2w)`, not clipped, of packed `(4, h, w)` of any size that `step` divides.

        Args:
            packed: the picture, or a tile of it, 0 at black and 1 at white.
            pooled: the means over the whole picture that its tiles share; None takes those of `packed`.
            factors: what the planes of R, G and B are multiplied by before the network sees them, `(3,)`, for a network
                whose input is balanced; see `raw.network_input`. None for 1.

        Raises:
            InputError: factors that are not three, or that the model does not take.
        """

    @abstractmethod
    def feature_sums(self, packed: Floats, factors: Floats | None = None) -> Sums:
        """Sums over `packed` of the features whose mean the color head looks at, `(8,)`; only with `has_global_head`.

        The sides need not be multiples of `step`. The factors are those of `run`.
        """

    @abstractmethod
    def prepared(self, packed: Floats) -> Callable[[], object]:
        """A function that runs the network once on `packed` and nothing else, for timing."""

    def measure_ms(self, packed: Floats, runs: int = 20) -> tuple[float, float]:
        """Median and least time of the network on `packed`, after two runs that do not count; at most about 3 s."""
        run_once = self.prepared(packed)
        run_once()
        run_once()
        times: list[float] = []
        until = time.perf_counter() + MEASURED_SECONDS
        while len(times) < runs and (not times or time.perf_counter() < until):
            start = time.perf_counter()
            run_once()
            times.append(time.perf_counter() - start)
        return 1000 * statistics.median(times), 1000 * min(times)


class FileRunner(Runner):
    """A model in an exported file, with the record that the file carries."""

    def __init__(self, path: Path, record: ExportRecord) -> None:
        super().__init__(
            str(path),
            record.packed_size,
            record.halo,
            record.step,
            record.global_head,
            record.whole_picture,
            record.border,
        )
        self.record = record
        self.sensor = record.sensor
        self.network_input = record.network_input

    def given(self, packed: Floats) -> NDArray[Any]:
        """What the file takes for a picture: its sensor values, or the picture itself."""
        if self.record.input == "raw":
            return to_sensor_values(packed, *self.record.levels).astype(np.int32)
        return packed

    def given_gains(self, factors: Floats | None) -> tuple[NDArray[np.float32], ...]:
        """What the file takes for factors `(3,)`: its second input, if it has one.

        Raises:
            InputError: factors that are not three, or for a file without that input.
        """
        if not self.record.gains_input:
            if factors is not None:
                raise InputError(f"{self.name}: takes no gains, {FOLDED if self.record.folded_gains else PLAIN}")
            return ()
        planes = plane_factors(np.ones(3, np.float32) if factors is None else factors, self.name)
        return (planes.reshape(self.record.gains_shape),)

    def check_gains_input(self, inputs: Sequence[tuple[Sequence[object], bool]]) -> None:
        """Refuse a file whose second input is not what its record says.

        Args:
            inputs: shape of each input, and whether it is float32.

        Raises:
            InputError: another input than the gains, or none.
        """
        if not self.record.gains_input:
            return
        shape = self.record.gains_shape
        given = inputs[1] if len(inputs) > 1 else ((), False)
        if len(inputs) != 2 or tuple(given[0]) != shape or not given[1]:
            found = f"its second input has shape {tuple(given[0])}" if len(inputs) > 1 else "it has one input"
            raise InputError(
                f"{self.name}: says that it takes gains, float32 of shape {shape}, but {found[:100]}; export it again"
            )


def plane_factors(factors: Floats, name: str) -> Floats:
    """Factors of the planes R, G1, G2, B, as `(4, 1, 1)`, of those of R, G, B `(3,)`.

    Raises:
        InputError: they are not three.
    """
    if factors.shape != (3,):
        raise InputError(f"{name}: gains of shape {factors.shape}; give three, of R, G and B", "factors")
    return of_planes(factors.astype(np.float32))


def checked_picture(rgb: Floats, packed: Floats, name: str) -> Floats:
    """The picture that a model made of `packed` `(4, h, w)`.

    Raises:
        InputError: it is none: a file may be whole and its network another one.
    """
    wanted = (3, 2 * packed.shape[1], 2 * packed.shape[2])
    if rgb.shape != wanted or rgb.dtype != np.float32:
        raise InputError(
            f"{name}: gives {rgb.dtype} of shape {rgb.shape} where a picture is float32 of {wanted}; export it again"
        )
    return rgb
