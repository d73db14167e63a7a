"""Fit the lengths and noise of `nas_isp/latency/predict/gaussian_process.py` to six phones at once, and print them.

    python tools/fit_lengths.py --data FOLDER

One set per kernel kind maximizes the marginal likelihood of the log ratios of measured to modelled time, summed over
the phones (Rasmussen and Williams, 2006, section 5.4), with a weak prior on the lengths. Needs scipy.
"""

import argparse
from pathlib import Path

import numpy as np
from phone_fitting import phone_table
from phone_measurements import DEVICES, read_measurements
from scipy.optimize import minimize

from nas_isp.latency.predict.gaussian_process import FEATURES, position
from nas_isp.latency.predict.roofline import FloatArray, kind_of, work
from nas_isp.latency.predict.table import LatencyTable

MOST_KERNELS = 300
"""Of a kind and phone, chosen at random: the cost grows with the cube."""

FEWEST_KERNELS = 6
PRIOR_LENGTH, PRIOR_WEIGHT = float(np.e), 0.5
LENGTHS_BETWEEN, NOISE_BETWEEN = (-1.5, 4.0), (-6.0, -0.7)

Data = list[tuple[FloatArray, FloatArray]]


def main() -> None:
    """Read the measurements, fit every kind, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder of the source's two CSV files")
    measurements = read_measurements(parser.parse_args().data)
    tables = [phone_table(phone, measurements.rows, measurements.networks_ms, correct=False) for phone in DEVICES]
    for kind in sorted({kind for table in tables for kind in table.models} - {"memory_bound"}):
        data = [pair for table in tables if (pair := _ratios(table, kind)) is not None]
        lengths, noise = fit(data)
        named = ", ".join(
            f"{name} {length:.2g}" for name, length in zip(FEATURES, lengths, strict=True) if np.isfinite(length)
        )
        print(f"{kind}: noise {noise:.2g}; {named}", flush=True)


def fit(data: Data) -> tuple[FloatArray, float]:
    """(features,) lengths, infinite where a feature does not vary, and the noise."""
    varying = np.max([np.ptp(points, axis=0) for points, _ in data], axis=0) > 0
    seen = [(points[:, varying], ratios) for points, ratios in data]
    start = np.append(np.full(varying.sum(), 0.7), -3.5)
    bounds = [LENGTHS_BETWEEN] * int(varying.sum()) + [NOISE_BETWEEN]
    found = minimize(_cost, start, args=(seen,), jac=True, bounds=bounds, method="L-BFGS-B", options={"maxiter": 40}).x
    lengths = np.full(len(varying), np.inf)
    lengths[varying] = np.exp(found[:-1])
    return lengths, float(np.exp(found[-1]))


def _ratios(table: LatencyTable, kind: str) -> tuple[FloatArray, FloatArray] | None:
    entries = [entry for entry in table.measured if kind_of(entry.kernel, table.device.winograd) == kind]
    if len(entries) < FEWEST_KERNELS:
        return None
    if len(entries) > MOST_KERNELS:
        chosen = np.random.default_rng(0).choice(len(entries), MOST_KERNELS, replace=False)
        entries = [entries[index] for index in chosen]
    modelled = [float(work(entry.kernel) @ table.models[kind].coefficients) for entry in entries]
    ratios = np.log([entry.median_ms / time for entry, time in zip(entries, modelled, strict=True)])
    return np.array([position(entry.kernel) for entry in entries]), ratios - ratios.mean()


def _cost(logs: FloatArray, data: Data) -> tuple[float, FloatArray]:
    """Negative log marginal likelihood with the best variance of each phone, and its gradient."""
    lengths, noise = np.exp(logs[:-1]), float(np.exp(logs[-1]))
    distance = logs[:-1] - np.log(PRIOR_LENGTH)
    cost = PRIOR_WEIGHT / 2 * len(data) * float(distance @ distance)
    gradient = np.append(PRIOR_WEIGHT * len(data) * distance, 0.0)
    for points, ratios in data:
        scaled, count = points / lengths, len(ratios)
        apart = (scaled[:, None] - scaled[None]) ** 2
        reach = np.sqrt(3 * apart.sum(axis=2))
        inverse = np.linalg.inv((1 + reach) * np.exp(-reach) + noise * np.eye(count))
        weights = inverse @ ratios
        variance = max(float(ratios @ weights) / count, 1e-9)
        cost += 0.5 * (count * np.log(variance) - np.linalg.slogdet(inverse)[1])
        outer = 0.5 * (inverse - np.outer(weights, weights) / variance)
        gradient[:-1] += np.einsum("ij,ijk->k", 3 * outer * np.exp(-reach), apart)
        gradient[-1] += noise * float(np.trace(outer))
    return cost, gradient


if __name__ == "__main__":
    main()
