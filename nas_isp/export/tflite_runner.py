"""Running an exported TFLite file in LiteRT."""

from collections.abc import Callable
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import Lock
from typing import Any

import numpy as np
from ai_edge_litert.interpreter import Interpreter
from numpy.typing import NDArray

from nas_isp.errors import InputError
from nas_isp.export import tflite_file
from nas_isp.export.metadata import read_record
from nas_isp.export.quiet import without_info_lines
from nas_isp.export.runners import Floats, Runner, read_bytes
from nas_isp.raw.packing import to_sensor_values

Array = NDArray[Any]

_ALLOCATING = Lock()
"""Silencing a stream of the process is for one thread at a time."""


class TfliteRunner(Runner):
    """A TFLite file with a nas_isp record; pictures of another size than the file's resize its input.

    Raises:
        InputError: not such a file.
    """

    def __init__(self, path: Path, threads: int) -> None:
        content = read_bytes(path)
        record = read_record(tflite_file.find_record(tflite_file.parse(content, path)), path)
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
        self._whole = _Sessions(content, path, threads)
        if self.has_global_head:
            to_mean, from_mean = tflite_file.split_at_mean(content, path)
            self._to_mean, self._from_mean = (_Sessions(part, path, threads) for part in (to_mean, from_mean))

    def run(self, packed: Floats, pooled: Floats | None = None) -> Floats:
        picture = self._picture(packed)
        if pooled is None:
            return _channels_first(self._whole.run(picture))
        return _channels_first(self._from_mean.run(picture, pooled[None, None, None]))

    def pooled(self, packed: Floats) -> Floats:
        return self._to_mean.run(self._picture(packed)).reshape(-1)

    def prepared(self, packed: Floats) -> Callable[[], object]:
        session = self._whole.spare()
        session.set_inputs(self._picture(packed))
        return session.invoke

    def _picture(self, packed: Floats) -> Array:
        """The picture with channels last, in sensor values where the file takes those."""
        values: Array = packed
        if self.record.input == "raw":
            values = to_sensor_values(packed, *self.record.levels).astype(np.int32)
        return np.ascontiguousarray(values.transpose(1, 2, 0)[None])


class _Sessions:
    """As many interpreters as threads run one at a time: an interpreter serves one thread."""

    def __init__(self, content: bytes, path: Path, threads: int) -> None:
        self._make = lambda: Session(content, path, threads)
        self._free: SimpleQueue[Session] = SimpleQueue()
        self._free.put(self._make())

    def spare(self) -> "Session":
        """An interpreter that nobody uses; it comes back by `run` alone."""
        try:
            return self._free.get_nowait()
        except Empty:
            return self._make()

    def run(self, *inputs: Array) -> Floats:
        session = self.spare()
        try:
            return session.run(*inputs)
        finally:
            self._free.put(session)


class Session:
    """An interpreter that keeps its buffers while the picture's size stays the same."""

    def __init__(self, content: bytes, path: Path, threads: int) -> None:
        try:
            self._interpreter = Interpreter(model_content=content, num_threads=threads)
        except ValueError as error:
            reason = " ".join(str(error).split())[:200]
            raise InputError(f"{path}: LiteRT does not take this file ({reason}); export it again") from error
        self._inputs = self._interpreter.get_input_details()
        self._output = self._interpreter.get_output_details()[0]
        self._shape: tuple[int, ...] | None = None

    def run(self, *inputs: Array) -> Floats:
        """The output in floats."""
        self.set_inputs(*inputs)
        self.invoke()
        return _numbers(self._interpreter.get_tensor(self._output["index"]), self._output)

    def set_inputs(self, *inputs: Array) -> None:
        """Give the inputs: floats become codes where the network computes in those."""
        if inputs[0].shape != self._shape:
            self._interpreter.resize_tensor_input(self._inputs[0]["index"], inputs[0].shape)
            with _ALLOCATING, without_info_lines():
                self._interpreter.allocate_tensors()
            self._shape = inputs[0].shape
        for entry, value in zip(self._inputs, inputs, strict=True):
            self._interpreter.set_tensor(entry["index"], _codes(value, entry))

    def invoke(self) -> None:
        self._interpreter.invoke()


def _codes(value: Array, entry: dict[str, Any]) -> Array:
    """A tensor's codes for a value in floats; sensor values and float tensors stay as they are."""
    if value.dtype != np.float32 or entry["dtype"] == np.float32:
        return value
    (scale, zero), limits = entry["quantization"], np.iinfo(entry["dtype"])
    codes: Array = np.clip(np.rint(value / np.float32(scale)) + zero, limits.min, limits.max).astype(entry["dtype"])
    return codes


def _numbers(codes: Array, entry: dict[str, Any]) -> Floats:
    """The value in floats of a tensor's codes."""
    if codes.dtype == np.float32:
        return codes
    scale, zero = entry["quantization"]
    numbers: Floats = (codes.astype(np.float32) - zero) * np.float32(scale)
    return numbers


def _channels_first(rgb: Floats) -> Floats:
    return rgb[0].transpose(2, 0, 1)
