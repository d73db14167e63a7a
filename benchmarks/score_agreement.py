"""Measures whether the reference-free score orders checkpoints as PSNR and CIEDE2000 on true pairs do.

Run: python benchmarks/score_agreement.py RUNS... [--leave-out PART]

RUNS is what `benchmarks/trial_scores.py -o RUNS` or `benchmarks/quality.py --runs RUNS` keeps: a folder a training
with its `scores.jsonl`, in which a scored checkpoint has its parts and, because the bench has pairs, PSNR and
CIEDE2000. The score is computed anew from the parts with the present weights; each of its parts, and where the
networks are known their parameters and multiply-accumulates (more is better), are ranked beside it.

Printed for PSNR and for CIEDE2000: Kendall's tau over all checkpoints, over the last checkpoints of all trainings (what
a search ranks), and the median within a training; and the regret: how many dB, or units of CIEDE2000, the checkpoint
with the best score lies below the best one, over all, over the last ones, and the largest within a training.
`--leave-out lite` and so on skips trainings whose name holds the word. Trainings without synthetic pairs have another
score and are left out.
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
PARTS = {
    **{"fidelity": 1, "anchor": 1, "synthetic": 1, "difference": -1, "anchor_difference": -1},
    **{"synthetic_difference": -1, "color": -1, "texture": -1, "content": -1, "cast_levels": -1, "tinted_share": -1},
}
"""What the score is made of, and whether more of it is better."""

TRUTHS = {"psnr": 1, "delta_e00": -1}

COLUMNS = "score | tau, all | tau, last | tau within | regret, all | regret, last | largest regret within"


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
        and PARTS.keys() | TRUTHS.keys() <= (rows := _rows(file))[0].keys()
    ]
    print(f"{sum(map(len, trainings))} checkpoints of {len(trainings)} trainings")
    for truth, sign in TRUTHS.items():
        print(f"\n{truth}: {COLUMNS}")
        for name, score in _scores(trainings):
            numbers = _agreement(trainings, score, lambda row, truth=truth, sign=sign: sign * row[truth])
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


def _agreement(trainings: list[list[Row]], score: Score, truth: Score) -> list[float | None]:
    everything, last = [row for rows in trainings for row in rows], [rows[-1] for rows in trainings]
    within = [tau for rows in trainings if (tau := _tau(rows, score, truth)) is not None]
    return [
        _tau(everything, score, truth),
        _tau(last, score, truth),
        statistics.median(within) if within else None,
        _regret(everything, score, truth),
        _regret(last, score, truth),
        max(_regret(rows, score, truth) for rows in trainings),
    ]


def _tau(rows: list[Row], score: Score, truth: Score) -> float | None:
    return kendall_tau([score(row) for row in rows], [truth(row) for row in rows])


def _regret(rows: list[Row], score: Score, truth: Score) -> float:
    return float(max(map(truth, rows)) - truth(max(rows, key=score)))


if __name__ == "__main__":
    main()
