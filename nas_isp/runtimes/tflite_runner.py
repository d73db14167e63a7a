"""Running an exported TFLite file in LiteRT."""

from collections.abc import Callable
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nas_isp.errors import InputError
from nas_isp.files import read_bytes
from nas_isp.formats import tflite_file
from nas_isp.formats.record import read_record
from nas_isp.formats.tflite_checks import refuse_meaningless_codes
from nas_isp.runtimes.base import FileRunner, Floats, Sums, checked_picture
from nas_isp.runtimes.litert import allocate, open_interpreter

Array = NDArray[Any]


class TfliteRunner(FileRunner):
    """A TFLite file with a nas_isp record; pictures of another size than the file's resize its input.

    Raises:
        InputError: not such a file.
    """

    def __init__(self, path: Path, threads: int) -> None:
        content = read_bytes(path)
        model = tflite_file.parse(content, path)
        super().__init__(path, read_record(tflite_file.find_record(model), path))
        refuse_meaningless_codes(model, path)
        self._whole = _SessionPool(content, path, threads)
        if self.has_global_head:
            parts = tflite_file.split_at_mean(content, path)
            self._to_features, self._from_mean = (_SessionPool(part, path, threads) for part in parts)
        self.check_gains_input(self._whole.inputs())

    def run(self, packed: Floats, pooled: Floats | None = None, factors: Floats | None = None) -> Floats:
        given = self._picture(packed), *self.given_gains(factors)
        rgb = self._whole.run(*given) if pooled is None else self._from_mean.run(*given, pooled[None, None, None])
        return checked_picture(_channels_first(rgb) if rgb.ndim == 4 else rgb, packed, self.name)

    def feature_sums(self, packed: Floats, factors: Floats | None = None) -> Sums:
        features = self._to_features.run(self._picture(packed), *self.given_gains(factors))
        if features.ndim != 4 or features.shape[:3] != (1, *packed.shape[1:]):
            raise InputError(f"{self.name}: gives a color head features of shape {features.shape}; export it again")
        # In 64 bits sums of 8-bit codes are exact, so that no way of cutting the picture changes their mean.
        return features[0].sum(axis=0, dtype=np.float64).sum(axis=0)

    def prepared(self, packed: Floats) -> Callable[[], object]:
        session = self._whole.spare()
        session.set_inputs(self._picture(packed), *self.given_gains(None))
        return session.invoke

    def _picture(self, packed: Floats) -> Array:
        """What the file takes, channels last."""
        return np.ascontiguousarray(self.given(packed).transpose(1, 2, 0)[None])


class _SessionPool:
    """As many interpreters as threads run one at a time: an interpreter serves one thread."""

    def __init__(self, content: bytes, path: Path, threads: int) -> None:
        self._make = lambda: LiteRtSession(content, path, threads)
        self._free: SimpleQueue[LiteRtSession] = SimpleQueue()
        self._free.put(self._make())

    def spare(self) -> "LiteRtSession":
        """An interpreter that nobody uses; it comes back by `run` alone."""
        try:
            return self._free.get_nowait()
        except Empty:
            return self._make()

    def inputs(self) -> list[tuple[tuple[int, ...], bool]]:
        """Shape of each input, and whether it is float32."""
        session = self.spare()
        self._free.put(session)
        return session.inputs()

    def run(self, *inputs: Array) -> Floats:
        session = self.spare()
        try:
            return session.run(*inputs)
        finally:
            self._free.put(session)


class LiteRtSession:
    """An interpreter that keeps its buffers while the picture's size stays the same."""

    def __init__(self, content: bytes, path: Path, threads: int) -> None:
        self._path = path
        try:
            self._interpreter = open_interpreter(content, threads)
            self._inputs, outputs = self._interpreter.get_input_details(), self._interpreter.get_output_details()
        except ValueError as error:
            raise self._unusable(error) from error
        if not self._inputs or not outputs:
            raise InputError(f"{path}: a network without input or output; export it again")
        self._output = outputs[0]
        self._shape: tuple[int, ...] | None = None

    def inputs(self) -> list[tuple[tuple[int, ...], bool]]:
        """Shape of each input, and whether it is float32."""
        return [(tuple(map(int, entry["shape"])), entry["dtype"] == np.float32) for entry in self._inputs]

    def run(self, *inputs: Array) -> Floats:
        """The output in floats."""
        try:
            self.set_inputs(*inputs)
            self.invoke()
        except (ValueError, RuntimeError) as error:
            raise self._unusable(error) from error
        return _numbers(self._interpreter.get_tensor(self._output["index"]), self._output)

    def set_inputs(self, *inputs: Array) -> None:
        """Give the inputs: floats become codes where the network computes in those."""
        if inputs[0].shape != self._shape:
            self._interpreter.resize_tensor_input(self._inputs[0]["index"], inputs[0].shape)
            allocate(self._interpreter)
            self._shape = inputs[0].shape
        for entry, value in zip(self._inputs, inputs, strict=True):
            self._interpreter.set_tensor(entry["index"], _codes(value, entry))

    def invoke(self) -> None:
        self._interpreter.invoke()

    def _unusable(self, error: Exception) -> InputError:
        reason = " ".join(str(error).split())[:200]
        return InputError(f"{self._path}: LiteRT does not take this file ({reason}); export it again")


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
