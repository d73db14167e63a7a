"""Develops a Bayer mosaic with an exported model on a Linux board.

    python develop.py MODEL.tflite MOSAIC.npy PICTURE.ppm [RGGB|GRBG|GBRG|BGGR] [RED,BLUE]

RED and BLUE are the gains of the capture's light for a model that takes them: picamera2's metadata "ColourGains".
MODEL is written by `nas-isp export M --to tflite --input-type raw --output-type uint8`. MOSAIC holds uint16 sensor
values (height, width), as picamera2's `capture_array("raw").view("uint16")` gives them. Needs numpy, and ai-edge-litert
or tflite-runtime.
"""

import sys

import numpy as np

try:
    from ai_edge_litert.interpreter import Interpreter
except ImportError:
    from tflite_runtime.interpreter import Interpreter

RED_IS_AT = {"RGGB": (0, 0), "GRBG": (0, 1), "GBRG": (1, 0), "BGGR": (1, 1)}


def main(model: str, mosaic_file: str, picture_file: str, cfa: str = "RGGB", gains: str = "") -> None:
    row, column = RED_IS_AT[cfa]
    mosaic = np.load(mosaic_file)
    mosaic = mosaic[row : mosaic.shape[0] - row, column : mosaic.shape[1] - column]  # red first, both sides even
    planes = [mosaic[0::2, 0::2], mosaic[0::2, 1::2], mosaic[1::2, 0::2], mosaic[1::2, 1::2]]
    packed = np.stack(planes, axis=-1)[None].astype(np.int32)
    interpreter = Interpreter(model, num_threads=4)
    [given, *light], [result] = interpreter.get_input_details(), interpreter.get_output_details()
    interpreter.resize_tensor_input(given["index"], packed.shape)
    interpreter.allocate_tensors()
    interpreter.set_tensor(given["index"], packed)
    if light:
        red, blue = map(float, gains.split(","))  # times the exposure of a model that meters: see docs/export.md
        interpreter.set_tensor(light[0]["index"], np.array([red, 1, 1, blue], np.float32).reshape(1, 1, 1, 4))
    interpreter.invoke()
    rgb = interpreter.get_tensor(result["index"])[0]
    with open(picture_file, "wb") as file:
        file.write(b"P6 %d %d 255\n" % (rgb.shape[1], rgb.shape[0]) + rgb.tobytes())


if __name__ == "__main__":
    main(*sys.argv[1:])
