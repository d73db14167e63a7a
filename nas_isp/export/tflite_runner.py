"""Running an exported TFLite file in LiteRT."""

from collections.abc import Callable
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import Lock

import numpy as np
from ai_edge_litert.interpreter import Interpreter

from nas_isp.errors import InputError
from nas_isp.export import tflite_file
from nas_isp.export.metadata import read_record
from nas_isp.export.quiet import without_info_lines
from nas_isp.export.runners import Floats, Runner, checked_picture, read_bytes

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
        picture = _channels_last(packed)
        rgb = self._whole.run(picture) if pooled is None else self._from_mean.run(picture, pooled[None, None, None])
        return checked_picture(_channels_first(rgb) if rgb.ndim == 4 else rgb, packed, self.name)

    def pooled(self, packed: Floats) -> Floats:
        return self._to_mean.run(_channels_last(packed)).reshape(-1)

    def prepared(self, packed: Floats) -> Callable[[], object]:
        session = self._whole.spare()
        session.set_inputs(_channels_last(packed))
        return session.invoke


class _Sessions:
    """As many interpreters as threads run one at a time: an interpreter serves one thread."""

    def __init__(self, content: bytes, path: Path, threads: int) -> None:
        self._make = lambda: _Session(content, path, threads)
        self._free: SimpleQueue[_Session] = SimpleQueue()
        self._free.put(self._make())

    def spare(self) -> "_Session":
        """An interpreter that nobody uses; it comes back by `run` alone."""
        try:
            return self._free.get_nowait()
        except Empty:
            return self._make()

    def run(self, *inputs: Floats) -> Floats:
        session = self.spare()
        try:
            return session.run(*inputs)
        finally:
            self._free.put(session)


class _Session:
    """An interpreter that keeps its buffers while the picture's size stays the same."""

    def __init__(self, content: bytes, path: Path, threads: int) -> None:
        self._path = path
        try:
            self._interpreter = Interpreter(model_content=content, num_threads=threads)
        except ValueError as error:
            raise self._unusable(error) from error
        self._inputs = [entry["index"] for entry in self._interpreter.get_input_details()]
        self._output = self._interpreter.get_output_details()[0]["index"]
        self._shape: tuple[int, ...] | None = None

    def run(self, *inputs: Floats) -> Floats:
        try:
            self.set_inputs(*inputs)
            self.invoke()
        except (ValueError, RuntimeError) as error:
            raise self._unusable(error) from error
        output: Floats = self._interpreter.get_tensor(self._output)
        return output

    def set_inputs(self, *inputs: Floats) -> None:
        if inputs[0].shape != self._shape:
            self._interpreter.resize_tensor_input(self._inputs[0], inputs[0].shape)
            with _ALLOCATING, without_info_lines():
                self._interpreter.allocate_tensors()
            self._shape = inputs[0].shape
        for index, value in zip(self._inputs, inputs, strict=True):
            self._interpreter.set_tensor(index, value)

    def invoke(self) -> None:
        self._interpreter.invoke()

    def _unusable(self, error: Exception) -> InputError:
        reason = " ".join(str(error).split())[:200]
        return InputError(f"{self._path}: LiteRT does not take this file ({reason}); export it again")


def _channels_last(packed: Floats) -> Floats:
    return np.ascontiguousarray(packed.transpose(1, 2, 0)[None], np.float32)


def _channels_first(rgb: Floats) -> Floats:
    return rgb[0].transpose(2, 0, 1)
