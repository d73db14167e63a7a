"""Sets predictions beside published latencies of image-to-image networks, most of them on maps that no table measured.

Run: python benchmarks/published_latency.py --rows img2img_rows.csv
Prints, per network, its work (checked against the file), what every shipped phone table predicts, the share that is
extrapolated and the published times. The published times are of NPUs and of an unnamed GPU, the tables of phone GPUs:
magnitude and the ratios between networks can be compared, milliseconds cannot. The ratios are printed too, each network
over `quicksrnetmedium`, with Kendall's tau between predicted and published order.
"""

import argparse
import csv
from collections import defaultdict
from pathlib import Path
from statistics import median

from nas_isp.latency.kernels.kernel import Kernel, convolution, elementwise, shuffle
from nas_isp.latency.measure.devices import device_names, load_table
from nas_isp.latency.predict.predictor import Prediction, predict
from nas_isp.latency.predict.roofline import work
from nas_isp.latency.validate.agreement import kendall_tau

HD, RAW_HD, SMALL = (540, 960), (544, 960), (128, 128)
REFERENCE = "quicksrnetmedium"
MOBILE = ("SD8", "SD7", "exynos", "Samsung Galaxy", "mid-level")
"""Starts of the names of phones and phone chips among the devices of the file."""


def plain(size: tuple[int, int], scale: int, width: int, depth: int, residual: bool = False) -> list[Kernel]:
    """3x3 convolutions: 3 to `width`, `depth` times `width`, to 3 * scale^2; then a pixel shuffle."""
    body = [
        convolution(width, width, 3, size, activation="add" if residual and index % 2 else "relu")
        for index in range(depth)
    ]
    last = convolution(width, 3 * scale**2, 3, size)
    return [convolution(3, width, 3, size, activation="relu"), *body, last, shuffle(3, scale, size)]


def aisp_baseline() -> list[Kernel]:
    """The baseline of the learned-ISP challenge of 2022: six convolutions and a channel and spatial attention."""
    size, full, width = RAW_HD, (2 * RAW_HD[0], 2 * RAW_HD[1]), 32
    kernels = [convolution(a, b, 3, size, activation="relu") for a, b in ((4, 16), (16, 16), (16, 12))]
    kernels += [shuffle(3, 2, size), convolution(3, width, 3, full, activation="relu")]
    squeeze = [convolution(width, 8, 1, (1, 1), activation="relu"), convolution(8, width, 1, (1, 1))]
    kernels += [elementwise("mean", width, full), elementwise("reduce_max", width, full), *squeeze, *squeeze]
    kernels.append(elementwise("mul", width, full, broadcast=True))
    over_channels = {"in_channels": width, "out_channels": 1, "height": full[0], "width": full[1]}
    kernels += [Kernel.model_validate({"op": op} | over_channels) for op in ("channel_mean", "channel_max")]
    kernels.append(Kernel(op="concat", in_channels=1, out_channels=2, height=full[0], width=full[1]))
    kernels += [convolution(2, 1, 7, full, activation="sigmoid"), elementwise("mul", width, full, broadcast=True)]
    return [*kernels, convolution(width, 3, 3, full)]


NETWORKS = {
    "AISP_MAI22_baseline": aisp_baseline(),
    "EDSR_F32B5_x2": plain(HD, 2, 32, 10, residual=True),
    "quicksrnetsmall": plain(SMALL, 4, 32, 2),
    "quicksrnetmedium": plain(SMALL, 4, 32, 5),
    "quicksrnetlarge": plain(SMALL, 4, 64, 11),
    "real_esrgan_general_x4v3": plain(SMALL, 4, 64, 32),
}


def main() -> None:
    """Read the published rows and print the comparison."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=Path, required=True, help="img2img_rows.csv of the shared measurements")
    published, gmacs = _published(parser.parse_args().rows)
    predicted: dict[str, dict[str, Prediction]] = {}
    for device in (name for name in device_names() if name.endswith("-gpu")):
        table = load_table(device)
        predicted[device] = {network: predict(table, kernels) for network, kernels in NETWORKS.items()}
    for network, kernels in NETWORKS.items():
        _print_network(network, kernels, gmacs[network], published[network], predicted)
    _print_ratios(published, predicted)


def _published(path: Path) -> tuple[dict[str, dict[str, float]], dict[str, float]]:
    """Median ms per network and device with runtime and precision, and the file's estimate of the work in GMAC."""
    times: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    gmacs: dict[str, float] = {}
    with path.open(newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            if row["model"] in NETWORKS and row["device"].startswith(MOBILE) and "p90" not in row["statistic"]:
                device = f"{row['device']}, {row['runtime']} {row['precision']}"
                times[row["model"]][device].append(float(row["ms"]))
                gmacs[row["model"]] = float(row["gmac_est"])
    return {name: {key: median(values) for key, values in found.items()} for name, found in times.items()}, gmacs


def _print_network(
    network: str,
    kernels: list[Kernel],
    stated_gmacs: float,
    published: dict[str, float],
    predicted: dict[str, dict[str, Prediction]],
) -> None:
    convolutions = [kernel for kernel in kernels if kernel.op == "conv2d" and kernel.height > 1]
    exact = sum(_gmacs(kernel) for kernel in convolutions)
    print(f"{network}: {len(kernels)} kernels, {exact:.3f} GMAC (the file says {stated_gmacs:.3f})")
    for device, found in predicted.items():
        part = found[network]
        low, high = part.interval_ms
        share = f"{100 * part.extrapolated_share:3.0f} % extrapolated"
        print(f"  predicted {device:16s} {part.latency_ms:8.1f} ms ({low:.1f} to {high:.1f}), {share}")
    for device, latency_ms in sorted(published.items(), key=lambda item: item[1]):
        print(f"  published {latency_ms:8.2f} ms  {device}")


def _gmacs(kernel: Kernel) -> float:
    rows, columns = kernel.output_size
    return rows * columns * kernel.kernel[0] * kernel.kernel[1] * kernel.in_channels * kernel.out_channels / 1e9


def _print_ratios(published: dict[str, dict[str, float]], predicted: dict[str, dict[str, Prediction]]) -> None:
    small = [network for network in NETWORKS if NETWORKS[network][0].height == SMALL[0]]
    everyone = set.intersection(*(set(published[network]) for network in small))
    print(f"time over that of {REFERENCE}: {', '.join(small)}")
    kernels_ms = {device: [found[network].kernels_ms for network in small] for device, found in predicted.items()}
    latencies = {device: [found[network].latency_ms for network in small] for device, found in predicted.items()}
    work_ms = [sum(float(work(kernel)[1]) for kernel in NETWORKS[network]) for network in small]
    ordered = [("work", work_ms), *((f"predicted {name}", values) for name, values in latencies.items())]
    ordered += [(f"predicted {name}, kernels alone", values) for name, values in kernels_ms.items()]
    ordered += [(f"published {name}", [published[network][name] for network in small]) for name in sorted(everyone)]
    reference = small.index(REFERENCE)
    rank = [median(published[network][name] for name in everyone) for network in small]
    for name, values in ordered:
        ratios = " ".join(f"{value / values[reference]:6.2f}" for value in values)
        print(f"  {name:52s} {ratios}   tau {kendall_tau(values, rank) or 0:.2f}")


if __name__ == "__main__":
    main()
