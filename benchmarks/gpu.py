"""All figures of a GPU in one run of under eight minutes, as JSON; `benchmarks/gpu.sh` starts it.

Run: python benchmarks/gpu.py DATA -o RESULT.json [--small]          on the machine with the card
     python benchmarks/gpu.py DATA --prepare BENCH|demo [--small]    beforehand: prepared patches into DATA

Parts, each a process of its own with a time limit, so that one that fails or hangs costs none of the others:
`card` says what computes; `step` times a generator step against the published one (see `train_step.py`; wanted: 6
times faster); `precision` trains with frozen networks in float32 and in bfloat16 for equally many steps and measures
PSNR on true pairs; `sharing_N` lets N processes train short trials at once, and counts trials a minute.
RESULT is written after every part. `--small` is the same on little data and few steps, to be tried on a CPU.
"""

import argparse
import json
import math
import multiprocessing
import os
import platform
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from multiprocessing.synchronize import Barrier
from pathlib import Path
from typing import Any

WANTED_TIMES_FASTER = 6.0
NETWORK = "efficient-isp"
RECIPE = "default"
DEMO = "demo"


@dataclass(frozen=True)
class Scale:
    """How much is measured.

    Attributes:
        patches: most patches of RAW and of photos that are prepared.
        pairs: true pairs that are prepared, at most.
        step: recipe's own batch, side and networks of the timed step if None, else (features, batch, side).
        repeats: timed rounds of a step.
        steps: (regression, adversarial) of a training whose precision is compared.
        seeds: of those trainings.
        trial: (regression, adversarial) steps of a short trial.
        trials_at_once: numbers of processes that share the card.
        window_s: seconds in which trials are counted.
        limits_s: of each part; together less than eight minutes.
    """

    patches: int
    pairs: int
    step: tuple[str, int, int] | None
    repeats: int
    steps: tuple[int, int]
    seeds: tuple[int, ...]
    trial: tuple[int, int]
    trials_at_once: tuple[int, ...]
    window_s: float
    limits_s: dict[str, float]


FULL = Scale(
    patches=140,
    pairs=20,
    step=None,
    repeats=5,
    steps=(200, 200),
    seeds=(0, 1),
    trial=(40, 24),
    trials_at_once=(1, 4, 16),
    window_s=20.0,
    limits_s={"card": 30, "step": 120, "precision": 120, "sharing": 65},
)
SMALL = Scale(
    patches=16,
    pairs=2,
    step=("lite", 1, 64),
    repeats=1,
    steps=(3, 2),
    seeds=(0,),
    trial=(2, 1),
    trials_at_once=(1, 2),
    window_s=3.0,
    limits_s={"card": 60, "step": 120, "precision": 120, "sharing": 120},
)


def prepare_data(source: str, folder: Path, scale: Scale) -> None:
    """Write prepared patches of a bench (`train/raw`, `train/rgb`, `val`), or of the demo set, that trainings share."""
    from nas_isp.data.demo import demo_folders
    from nas_isp.data.patches import load_unpaired
    from nas_isp.preparation.prepare import prepare
    from nas_isp.preparation.prepared_files import save_prepared

    settings, folder = _settings(scale.steps), folder.resolve()
    with tempfile.TemporaryDirectory() as scratch:
        bench = Path(source)
        folders = demo_folders(Path(scratch)) if source == DEMO else (bench / "train/raw", bench / "train/rgb")
        val = folders[2] if len(folders) == 3 else bench / "val"
        data = load_unpaired(*folders[:2], folder, settings.patch, val_dir=val, limit=scale.patches)
        assert data.pairs is not None
        fewer = replace(data.pairs, files=data.pairs.files[:: -(-len(data.pairs) // scale.pairs)])
        save_prepared(prepare(replace(data, pairs=fewer), settings, seed=0, folder=folder), folder)


def card(data: Path, scale: Scale) -> dict[str, Any]:
    """What computes."""
    import torch

    known: dict[str, Any] = {"torch": torch.__version__, "cuda": torch.version.cuda, "cores": os.cpu_count()}
    if not torch.cuda.is_available():
        return {"name": f"none; CPU {platform.machine()}", **known}
    facts = torch.cuda.get_device_properties(0)
    return {"name": facts.name, "memory_gib": round(facts.total_memory / 2**30, 1), **known}


def step(data: Path, scale: Scale) -> dict[str, Any]:
    """Seconds of a generator step as published, and of ours in several ways."""
    import torch
    from train_step import AS_IN_RECIPE, measure, settings_for

    from nas_isp.recipe import load_recipe

    published = load_recipe("arhire2025").train
    features, batch, side = scale.step or (AS_IN_RECIPE, published.batch, published.patch)
    rows = measure(settings_for("arhire2025", features, batch, side), scale.repeats, torch.device(_device()))
    faster = {row["step"]: row["times_faster"] for row in rows}
    return {"batch": batch, "side": side, "rows": rows, "times_faster": faster, "wanted": WANTED_TIMES_FASTER}


def precision(data: Path, scale: Scale) -> dict[str, Any]:
    """PSNR on true pairs after equally many steps, with frozen networks in float32 and in bfloat16."""
    trainings = []
    for seed in scale.seeds:
        for kind in ("float32", "bfloat16"):
            began = time.monotonic()
            with tempfile.TemporaryDirectory() as folder:
                # The last weights: the best ones of a training may be those of its start, which no precision touched.
                trainer = _trainer(data, Path(folder), seed, scale.steps, frozen_precision=kind, selections=0)
                psnr = trainer.train().to_dict()["psnr"]
            trainings.append(
                {"frozen": kind, "seed": seed, "psnr": psnr, "seconds": round(time.monotonic() - began, 1)}
            )
    means = {
        kind: statistics.fmean(row["psnr"] for row in trainings if row["frozen"] == kind)
        for kind in ("float32", "bfloat16")
    }
    lost = round(means["float32"] - means["bfloat16"], 3)
    return {"steps": list(scale.steps), "trainings": trainings, "mean_psnr": means, "lost_db": lost}


def sharing(data: Path, scale: Scale, processes: int) -> dict[str, Any]:
    """Trials a minute that so many processes train together; one that is not over counts by its share of steps."""
    context = multiprocessing.get_context("spawn")
    barrier, answers = context.Barrier(processes), context.Queue()
    workers = [
        context.Process(target=_train_trials, args=(data, scale, barrier, answers), daemon=True)
        for _ in range(processes)
    ]
    for worker in workers:
        worker.start()
    counted = [answers.get(timeout=scale.limits_s["sharing"]) for _ in workers]
    for worker in workers:
        worker.join()
    failed = [answer["error"] for answer in counted if "error" in answer]
    if failed:
        raise RuntimeError(f"{len(failed)} of {processes} processes failed: {failed[0]}")
    trials = sum(answer["trials"] for answer in counted)
    return {
        "processes": processes,
        "steps_of_a_trial": list(scale.trial),
        "trials": round(trials, 2),
        "trials_a_minute": round(60 * trials / scale.window_s, 2),
        "most_memory_mib": max(answer["memory_mib"] for answer in counted),
    }


def _train_trials(data: Path, scale: Scale, barrier: Barrier, answers: "multiprocessing.Queue[dict[str, Any]]") -> None:
    """Train one trial after the other from when all are ready until the window closes."""
    import torch

    try:
        torch.set_num_threads(1)
        _train_trial(data, scale, deadline=math.inf)  # compiles, loads and takes memory
        barrier.wait(scale.limits_s["sharing"] - scale.window_s)
        ends = time.monotonic() + scale.window_s
        trials = 0.0
        while time.monotonic() < ends:
            trials += _train_trial(data, scale, ends)
        memory = torch.cuda.max_memory_reserved() / 2**20 if torch.cuda.is_available() else 0.0
        answers.put({"trials": trials, "memory_mib": round(memory)})
    except Exception as error:
        barrier.abort()
        answers.put({"error": f"{type(error).__name__}: {error}"})


def _train_trial(data: Path, scale: Scale, deadline: float) -> float:
    """The share of a trial that was trained before the deadline; the whole of it is scored, as in a search."""
    with tempfile.TemporaryDirectory() as folder:
        trainer = _trainer(data, Path(folder), 0, scale.trial, deadline)
        trainer.advance(trainer.total_steps)
        if trainer.step == trainer.total_steps:
            trainer.score()
        return trainer.step / trainer.total_steps


def _trainer(
    data: Path, folder: Path, seed: int, steps: tuple[int, int], deadline: float = math.inf, **changed: object
) -> Any:
    """The one place that makes a training."""
    from nas_isp.generators.published import PUBLISHED
    from nas_isp.preparation.prepared_files import load_prepared
    from nas_isp.training.trainer import Trainer
    from nas_isp.training.training_run import TrainingRun

    settings = _settings(steps).model_copy(update=changed)
    run = TrainingRun(folder, seed, _device(), deadline=deadline)
    return Trainer(PUBLISHED[NETWORK], load_prepared(data), settings, run)


def _settings(steps: tuple[int, int]) -> Any:
    from nas_isp.recipe import load_recipe

    return load_recipe(RECIPE).train.overridden(warm_steps=steps[0], steps=steps[1])


def _device() -> str:
    import torch

    return "cuda" if torch.cuda.is_available() else "cpu"


def parts_of(scale: Scale) -> list[str]:
    """Names of the parts, in the order in which they run."""
    return ["card", "step", "precision", *(f"sharing_{processes}" for processes in scale.trials_at_once)]


def run_part(name: str, data: Path, scale: Scale) -> dict[str, Any]:
    """One part's figures."""
    kind, _, processes = name.partition("_")
    if kind == "sharing":
        return sharing(data, scale, int(processes))
    parts: dict[str, Callable[[Path, Scale], dict[str, Any]]] = {"card": card, "step": step, "precision": precision}
    return parts[kind](data, scale)


def run_apart(name: str, arguments: list[str], limit_s: float) -> dict[str, Any]:
    """A part in a process group of its own, which ends with the limit; what went wrong is its answer."""
    began = time.monotonic()
    command = [sys.executable, __file__, *arguments, "--part", name]
    with tempfile.TemporaryFile("w+") as printed, tempfile.TemporaryFile("w+") as complained:
        process = subprocess.Popen(command, stdout=printed, stderr=complained, start_new_session=True)
        try:
            failed = "" if process.wait(limit_s) == 0 else f"exit code {process.returncode}"
        except subprocess.TimeoutExpired:
            failed = f"not done after {limit_s:g} s"
        finally:
            _end_group(process)
        printed.seek(0)
        complained.seek(0)
        lines, complaints = printed.read().splitlines(), complained.read().splitlines()
    answer = {"error": f"{failed}: {' | '.join(complaints[-3:])}"} if failed else json.loads(lines[-1])
    return {**answer, "seconds": round(time.monotonic() - began, 1)}


def _end_group(process: "subprocess.Popen[bytes]") -> None:
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        return
    process.wait()


def run_all(data: Path, output: Path, small: bool) -> bool:
    """Run every part, write what is known after each; whether all went well."""
    began, scale = time.monotonic(), SMALL if small else FULL
    answer: dict[str, Any] = {"card": None, "small": small, "python": platform.python_version(), "parts": {}}
    for name in parts_of(scale):
        arguments = [str(data), *(["--small"] if small else [])]
        part = run_apart(name, arguments, scale.limits_s[name.partition("_")[0]])
        answer["parts"][name] = part
        answer["card"] = answer["parts"]["card"].get("name")
        answer["torch"] = answer["parts"]["card"].get("torch")
        answer["seconds"] = round(time.monotonic() - began, 1)
        output.write_text(json.dumps(answer, indent=1) + "\n")
        print(name, json.dumps(part), flush=True)
    return not any("error" in part for part in answer["parts"].values())


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path, help="folder of the prepared patches")
    parser.add_argument("-o", "--output", type=Path, default=Path("gpu.json"))
    parser.add_argument("--prepare", metavar="BENCH", help=f"make the data of this bench, or of '{DEMO}'")
    parser.add_argument("--small", action="store_true")
    parser.add_argument("--part", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.prepare:
        prepare_data(given.prepare, given.data, SMALL if given.small else FULL)
    elif given.part:
        print(json.dumps(run_part(given.part, given.data, SMALL if given.small else FULL)))
    elif not run_all(given.data, given.output, given.small):
        sys.exit(1)


if __name__ == "__main__":
    main()
