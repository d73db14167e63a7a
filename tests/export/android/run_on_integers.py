"""Runs model.tflite of a folder on the int32 values of its file `input`; the bytes of the result become `output`."""

import sys
from pathlib import Path

import numpy as np
from ai_edge_litert.interpreter import Interpreter

folder = Path(sys.argv[1])
interpreter = Interpreter(str(folder / "model.tflite"))
interpreter.allocate_tensors()
[given], [result] = interpreter.get_input_details(), interpreter.get_output_details()
values = np.frombuffer((folder / "input").read_bytes(), given["dtype"]).reshape(given["shape"])
interpreter.set_tensor(given["index"], values)
interpreter.invoke()
(folder / "output").write_bytes(interpreter.get_tensor(result["index"]).tobytes())
