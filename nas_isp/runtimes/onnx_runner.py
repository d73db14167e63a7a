"""Running an exported ONNX file in ONNX Runtime."""

from collections.abc import Callable
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np
import onnxruntime
from numpy.typing import NDArray
from onnxruntime.capi.onnxruntime_pybind11_state import (
    Fail,
    InvalidArgument,
    InvalidGraph,
    InvalidProtobuf,
    NotImplemented,
    RuntimeException,
)

from nas_isp.errors import InputError
from nas_isp.files import read_bytes
from nas_isp.formats import onnx_file
from nas_isp.formats.record import GAINS_NAME, PIXEL_SCALE, read_record
from nas_isp.runtimes.base import FileRunner, Floats, Sums, checked_picture

Array = NDArray[Any]

UNUSABLE = (Fail, InvalidArgument, InvalidGraph, InvalidProtobuf, NotImplemented, RuntimeException, ValueError)


class OnnxRunner(FileRunner):
    """An ONNX file with a nas_isp record; for pictures of another size than the file's its sides are freed.

    Raises:
        InputError: not such a file.
    """

    def __init__(self, path: Path, threads: int) -> None:
        self._path, self._threads = path, threads
        self._content = read_bytes(path)
        super().__init__(path, read_record(onnx_file.find_record(onnx_file.parse(self._content, path)), path))
        self._fixed = self._session(self._content)
        self.check_gains_input([(entry.shape, entry.type == "tensor(float)") for entry in self._fixed.get_inputs()])
        self._free = self._fixed if self.tile is None else None
        self._freeing = Lock()
        if self.has_global_head:
            to_mean, from_mean = onnx_file.split_at_mean(self._content, path)
            self._to_mean, self._from_mean = self._session(to_mean), self._session(from_mean)

    def run(self, packed: Floats, pooled: Floats | None = None, factors: Floats | None = None) -> Floats:
        given = self._picture(packed), *self.given_gains(factors)
        if pooled is None:
            rgb = self._run(self._session_for(packed), *given)
        else:
            rgb = self._run(self._from_mean, *given, pooled[None, :, None, None])
        return checked_picture(rgb, packed, self.name)

    def feature_sums(self, packed: Floats, factors: Floats | None = None) -> Sums:
        mean = self._run(self._to_mean, self._picture(packed), *self.given_gains(factors)).reshape(-1)
        return mean.astype(np.float64) * packed[0].size

    def prepared(self, packed: Floats) -> Callable[[], object]:
        given = self._picture(packed), *self.given_gains(None)
        session, feed = self._session_for(packed), dict(zip((onnx_file.INPUT_NAME, GAINS_NAME), given, strict=False))
        return lambda: session.run(None, feed)

    def _picture(self, packed: Floats) -> Array:
        """What the file takes."""
        return np.ascontiguousarray(self.given(packed)[None])

    def _session_for(self, packed: Floats) -> onnxruntime.InferenceSession:
        if packed.shape[1:] == self.tile:
            return self._fixed
        with self._freeing:
            if self._free is None:
                model = onnx_file.parse(self._content, self._path)
                onnx_file.free_sides(model)
                self._free = self._session(model.SerializeToString())
            return self._free

    def _session(self, content: bytes) -> onnxruntime.InferenceSession:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = self._threads
        options.log_severity_level = 3
        try:
            return onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
        except UNUSABLE as error:
            raise self._unusable(error) from error

    def _run(self, session: onnxruntime.InferenceSession, *inputs: Array) -> Floats:
        """The output in floats; levels of an 8-bit picture become 0..1."""
        names = [entry.name for entry in session.get_inputs()]
        try:
            output: Array = session.run(None, dict(zip(names, inputs, strict=True)))[0]
        except UNUSABLE as error:
            raise self._unusable(error) from error
        output = output[0] if np.ndim(output) > 1 else np.asarray(output)
        return output if output.dtype == np.float32 else output.astype(np.float32) * np.float32(PIXEL_SCALE)

    def _unusable(self, error: Exception) -> InputError:
        reason = " ".join(str(error).split())[:200]
        return InputError(f"{self._path}: ONNX Runtime does not take this file ({reason}); export it again")
