"""Runs model.tflite of a folder on the values of its files `input0`, ...; the bytes of the result become `output`."""

import sys
from pathlib import Path

import numpy as np
from ai_edge_litert.interpreter import Interpreter

folder = Path(sys.argv[1])
interpreter = Interpreter(str(folder / "model.tflite"))
interpreter.allocate_tensors()
[result] = interpreter.get_output_details()
for number, given in enumerate(interpreter.get_input_details()):
    values = np.frombuffer((folder / f"input{number}").read_bytes(), given["dtype"]).reshape(given["shape"])
    interpreter.set_tensor(given["index"], values)
interpreter.invoke()
(folder / "output").write_bytes(interpreter.get_tensor(result["index"]).tobytes())
