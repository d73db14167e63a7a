"""Write a model as TFLite in 8-bit integers, with the ends that an app wants: sensor values in, pixels out.

Run: python examples/export.py MODEL.safetensors MODEL.tflite [ROWS COLUMNS]
"""

import sys

import nas_isp


def main(model: str, output: str, rows: str = "544", columns: str = "960") -> None:
    """The file is run and compared with PyTorch before it appears."""
    report = nas_isp.export_model(
        model,
        output,
        precision="int8",
        input_size=(int(rows), int(columns)),  # packed: a quarter of the sensor's pixels
        input_type="raw",
        output_type="uint8",
    )

    psnr = report.psnr_vs_torch_db
    print(f"{report.file}: {report.bytes} bytes, {report.host_ms:.1f} ms on this machine")
    print(f"against PyTorch: {'equal' if psnr is None else f'{psnr:.1f} dB'} on {report.checked_on}")


if __name__ == "__main__":
    main(*sys.argv[1:])
