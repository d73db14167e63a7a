"""Measures whether the reference-free score orders checkpoints as PSNR on true pairs does.

Run: python benchmarks/score_agreement.py RUNS [--leave-out PART]

RUNS is what `benchmarks/quality.py --runs RUNS` keeps: a folder a training with its `scores.jsonl`, in which a scored
checkpoint has its distances and, because the bench has pairs, its PSNR. The score is computed anew from the distances
with the present weights. Printed: Kendall's tau with PSNR over all checkpoints and within trainings, and the regret:
how many dB the checkpoint with the best score lies below the one with the best PSNR. `--leave-out lite` and so on skips
trainings whose name holds the word. Trainings without synthetic pairs have another score and are left out.
"""

import argparse
import json
import statistics
from pathlib import Path
from typing import Any

from nas_isp.evaluation.reference_free import ReferenceFreeWeights
from nas_isp.latency.agreement import kendall_tau

Row = dict[str, Any]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("runs", type=Path, nargs="+")
    parser.add_argument("--leave-out", action="append", default=[])
    arguments = parser.parse_args()
    trainings = {
        file.parent.name: [json.loads(line) for line in file.read_text().splitlines()]
        for folder in arguments.runs
        for file in sorted(folder.glob("*/scores.jsonl"))
        if not any(word in file.parent.name for word in arguments.leave_out)
    }
    weights = ReferenceFreeWeights()
    trainings = {name: rows for name, rows in trainings.items() if weights.model_dump().keys() <= rows[0].keys()}
    print(
        "score | checkpoints | tau | median tau within a training | regret dB, all | largest regret within a training"
    )
    parts = {name: {name: getattr(weights, name)} for name in ReferenceFreeWeights.model_fields}
    for name, used in {"reference-free": weights.model_dump(), **parts}.items():
        print(f"{name} | " + " | ".join(_agreement(trainings, used)))


def _agreement(trainings: dict[str, list[Row]], weights: dict[str, float]) -> list[str]:
    everything = [row for rows in trainings.values() for row in rows]
    taus = [tau for rows in trainings.values() if (tau := _tau(rows, weights)) is not None]
    numbers = [
        _tau(everything, weights),
        statistics.median(taus) if taus else None,
        _regret(everything, weights),
        max(_regret(rows, weights) for rows in trainings.values()),
    ]
    return [str(len(everything)), *("-" if number is None else f"{number:.3f}" for number in numbers)]


def _tau(rows: list[Row], weights: dict[str, float]) -> float | None:
    return kendall_tau([_score(row, weights) for row in rows], [row["psnr"] for row in rows])


def _regret(rows: list[Row], weights: dict[str, float]) -> float:
    kept = max(rows, key=lambda row: _score(row, weights))
    return float(max(row["psnr"] for row in rows) - kept["psnr"])


def _score(row: Row, weights: dict[str, float]) -> float:
    return -sum(weight * row[name] for name, weight in weights.items())


if __name__ == "__main__":
    main()
