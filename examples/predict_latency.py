"""Predict how long a network takes on a phone, and which of its kernels take most of it.

Run: python examples/predict_latency.py MODEL [DEVICE]
"""

import sys

import nas_isp


def main(model: str = "efficient-isp", device: str = "pixel4-gpu") -> None:
    """A published name, a bundle, an architecture or .tflite file; the name or file of a latency table."""
    prediction = nas_isp.predict_latency(model, device, input_size=(544, 960), note=print)

    least, most = prediction.interval_ms
    print(f"{model} on {device}: {prediction.latency_ms:.2f} ms, between {least:.2f} and {most:.2f} ms")
    for part in sorted(prediction.kernels, key=lambda part: -part.latency_ms)[:3]:
        print(f"{part.latency_ms:.2f} ms {part.kernel.label()} ({part.basis})")


if __name__ == "__main__":
    main(*sys.argv[1:])
