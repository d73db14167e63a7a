"""Runs a file of floats: python run_on_floats.py MODEL.tflite IN.npy OUT.npy (both NHWC)."""

import sys

import numpy as np

try:
    from ai_edge_litert.interpreter import Interpreter
except ImportError:
    from tflite_runtime.interpreter import Interpreter

model, given_file, result_file = sys.argv[1:]
interpreter = Interpreter(model)
[given], [result] = interpreter.get_input_details(), interpreter.get_output_details()
picture = np.load(given_file)
interpreter.resize_tensor_input(given["index"], picture.shape)
interpreter.allocate_tensors()
interpreter.set_tensor(given["index"], picture)
interpreter.invoke()
np.save(result_file, interpreter.get_tensor(result["index"]))
