"""Measures whether the reference-free score orders checkpoints as PSNR on true pairs does.

Run: python benchmarks/score_agreement.py RUNS... [--leave-out PART]

RUNS is what `benchmarks/trial_scores.py -o RUNS` or `benchmarks/quality.py --runs RUNS` keeps: a folder a training
with its `scores.jsonl`, in which a scored checkpoint has its distances and, because the bench has pairs, its PSNR.
The score is computed anew from the distances with the present weights; each of its parts, and where the networks are
known their parameters and multiply-accumulates (more is better), are ranked beside it.

Printed: Kendall's tau with PSNR over all checkpoints, over the last checkpoints of all trainings (what a search
ranks), and the median within a training; and the regret: how many dB the checkpoint with the best score lies below
the one with the best PSNR, over all, over the last ones, and the largest within a training. `--leave-out lite` and so
on skips trainings whose name holds the word. Trainings without synthetic pairs have another score and are left out.
"""

import argparse
import json
import statistics
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from nas_isp.evaluation.reference_free import reference_free_quality
from nas_isp.generators.architecture import ARCHITECTURE
from nas_isp.generators.cost import count
from nas_isp.latency.validate.agreement import kendall_tau

Row = dict[str, Any]
Score = Callable[[Row], float]
PARTS = {"fidelity": 1, "synthetic": 1, "color": -1, "texture": -1, "content": -1}
"""What the score is made of, and whether more of it is better."""

COLUMNS = "score | tau, all | tau, last | tau within | regret dB, all | regret, last | largest regret within"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("runs", type=Path, nargs="+")
    parser.add_argument("--leave-out", action="append", default=[])
    arguments = parser.parse_args()
    files = [file for folder in arguments.runs for file in sorted(folder.glob("*/scores.jsonl"))]
    trainings = [
        rows
        for file in files
        if not any(word in file.parent.name for word in arguments.leave_out)
        and PARTS.keys() <= (rows := _rows(file))[0].keys()
    ]
    print(f"{sum(map(len, trainings))} checkpoints of {len(trainings)} trainings")
    print(COLUMNS)
    for name, score in _scores(trainings):
        numbers = _agreement(trainings, score)
        print(f"{name} | " + " | ".join("-" if number is None else f"{number:.2f}" for number in numbers))


def _rows(file: Path) -> list[Row]:
    """The checkpoints of a training, with the cost of its network where that is known."""
    rows = [json.loads(line) for line in file.read_text().splitlines()]
    described = file.with_name("architecture.json")
    if not described.is_file():
        return rows
    cost = count(ARCHITECTURE.validate_json(described.read_text()))
    return [{**row, "parameters": cost.params, "multiply-accumulates": cost.gmacs} for row in rows]


def _scores(trainings: list[list[Row]]) -> Iterator[tuple[str, Score]]:
    yield "reference-free", reference_free_quality
    for name, sign in PARTS.items():
        yield f"{name} alone", lambda row, name=name, sign=sign: sign * row[name]
    for name in ("parameters", "multiply-accumulates"):
        if all(name in rows[0] for rows in trainings):
            yield name, lambda row, name=name: row[name]


def _agreement(trainings: list[list[Row]], score: Score) -> list[float | None]:
    everything, last = [row for rows in trainings for row in rows], [rows[-1] for rows in trainings]
    within = [tau for rows in trainings if (tau := _tau(rows, score)) is not None]
    return [
        _tau(everything, score),
        _tau(last, score),
        statistics.median(within) if within else None,
        _regret(everything, score),
        _regret(last, score),
        max(_regret(rows, score) for rows in trainings),
    ]


def _tau(rows: list[Row], score: Score) -> float | None:
    return kendall_tau([score(row) for row in rows], [row["psnr"] for row in rows])


def _regret(rows: list[Row], score: Score) -> float:
    kept = max(rows, key=score)
    return float(max(row["psnr"] for row in rows) - kept["psnr"])


if __name__ == "__main__":
    main()
