"""A pool of Ray actors: each keeps its data and frozen networks, dies with the driver, and is replaced otherwise."""

import hashlib
import logging
import os
import shutil
import socket
import sys
import threading
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from nas_isp.all_registries import Members, adopt_members, registered_members
from nas_isp.cores import available_cores
from nas_isp.errors import InputError
from nas_isp.scratch import PREFIX, make_scratch, temporary_folder
from nas_isp.search.workers import Reached, RungResult, RungTask, ShouldStop, TrialEvaluator, run_rung

EvaluatorFactory = Callable[[], TrialEvaluator]
"""Makes the evaluator inside a worker; picklable."""

OBJECT_STORE_BYTES = 200 * 1024 * 1024
"""Ray only carries descriptions and scores here; data is memory-mapped from the study folder."""
CONNECT_S = 5.0
MOST_SOCKET_CHARACTERS = 103 if sys.platform == "darwin" else 107
MOST_TEMP_CHARACTERS = MOST_SOCKET_CHARACTERS - len(
    "/nas-isp-01234567-01234567/session_2000-01-01_00-00-00_000000_0123456/sockets/plasma_store"
)
"""Of the folder in which a private cluster has its own."""
RAY_UNITS = 10_000
"""Ray counts shares of a GPU in ten-thousandths."""

_QUIET = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
    "RAY_DEDUP_LOGS": "0",
    "RAY_DISABLE_IMPORT_WARNING": "1",
}


class RayPool:
    """Workers of an own, private cluster on this machine, or of a running one.

    A private cluster lives and dies with this process. A joined one is left running.
    """

    def __init__(self, factory: EvaluatorFactory, workers: int | None, owner: Path, address: str | None = None) -> None:
        """Start the workers.

        Args:
            factory: makes each worker's evaluator, which knows the members that this process has registered.
            workers: how many; None takes one for every core, of this machine or of the cluster.
            owner: the study's folder; temporary files of an earlier, killed search of it are removed.
            address: of a running cluster, as Ray writes it.

        Raises:
            InputError: the cluster cannot be reached, or has fewer cores than workers are asked for.
        """
        import ray

        self._ray: Any = ray
        self._temp: Path | None = None
        self._joined = address is not None
        if address is None:
            self.size = workers or available_cores()
            self._start_private(self.size, owner)
        else:
            self.size = _join(ray, address, workers)
        share = gpu_share(int(ray.cluster_resources().get("GPU", 0)), self.size)
        actor = ray.remote(_Worker).options(num_cpus=1, num_gpus=share, max_concurrency=2)
        self._new_worker: Callable[[], Any] = partial(actor.remote, factory, registered_members())
        self._idle: list[Any] = [self._new_worker() for _ in range(self.size)]
        self._busy: dict[Any, tuple[Any, RungTask]] = {}

    def submit(self, task: RungTask) -> None:
        """Start a task on the worker that was idle for the shortest time, which may still hold the trial."""
        worker = self._idle.pop()
        self._busy[worker.run.remote(task)] = (worker, task)

    def wait(self, timeout_s: float) -> list[RungResult]:
        """Results of tasks that ended, at the latest after the timeout."""
        if not self._busy:
            time.sleep(timeout_s)
            return []
        ready, _ = self._ray.wait(list(self._busy), timeout=timeout_s)
        return [self._result(reference) for reference in ready]

    def request_stop(self) -> None:
        """Ask all running tasks to save and end as interrupted."""
        for worker, _ in self._busy.values():
            worker.stop.remote()

    def close(self) -> None:
        """End all workers, and the cluster unless it was joined."""
        if not self._ray.is_initialized():
            return
        for worker in [*self._idle, *(worker for worker, _ in self._busy.values())]:
            self._ray.kill(worker)
        self._idle, self._busy = [], {}
        self._ray.shutdown()
        if self._temp is not None:
            shutil.rmtree(self._temp, ignore_errors=True)

    def _start_private(self, workers: int, owner: Path) -> None:
        for name, value in (_QUIET | {"RAY_AUTH_MODE": "disabled"}).items():
            os.environ.setdefault(name, value)
        base, name = temporary_folder(MOST_TEMP_CHARACTERS), hashlib.sha256(str(owner).encode()).hexdigest()[:8]
        for left_over in base.glob(f"{PREFIX}{name}-*"):
            shutil.rmtree(left_over, ignore_errors=True)
        self._temp = make_scratch(base, f"{name}-")
        self._ray.init(
            address="local",
            num_cpus=workers,
            object_store_memory=OBJECT_STORE_BYTES,
            include_dashboard=False,
            log_to_driver=False,
            logging_level=logging.ERROR,
            _temp_dir=str(self._temp),
        )

    def _result(self, reference: Any) -> RungResult:
        worker, task = self._busy.pop(reference)
        try:
            result = self._ray.get(reference)
        except self._ray.exceptions.RayError as error:
            self._ray.kill(worker)
            worker = self._new_worker()  # one that Ray restarts would refuse work until it is up again
            result = RungResult(task.trial, "died", reason=type(error).__name__)
        self._idle.append(worker)
        return result


def gpu_share(gpus: int, workers: int) -> float:
    """The share of one GPU that a worker gets, so that all workers fit and none is spread over two GPUs."""
    if gpus == 0:
        return 0.0
    # Rounded down to the ten-thousandths that Ray counts in: rounded up, the last worker of a GPU would not fit.
    return RAY_UNITS // -(-workers // gpus) / RAY_UNITS


def workers_that_fit(workers: int | None, cores: int, address: str) -> int:
    """The number of workers on a cluster with so many cores; None takes them all.

    Raises:
        InputError: more workers than cores; those left over would wait for ever.
    """
    if cores < (workers or 1):
        raise InputError(
            f"ray_address {address}: that cluster has {cores} CPUs, too few for {workers or 1} workers; "
            "give fewer workers, or add nodes to it",
            "ray_address",
            "workers",
        )
    return cores if workers is None else workers


def check_address(address: str) -> None:
    """Check that something listens at a cluster's address, `HOST:PORT`; `auto` is left to Ray.

    Raises:
        InputError: not of that form, or nothing listens.
    """
    if address == "auto":
        return
    host, _, port = address.rpartition(":")
    if not host or not port.isdecimal() or not 0 < int(port) < 65536:
        raise InputError(
            f"ray_address {address}: give HOST:PORT of the head of a running Ray cluster, or auto", "ray_address"
        )
    try:
        socket.create_connection((host, int(port)), timeout=CONNECT_S).close()
    except OSError as error:
        raise InputError(
            f"ray_address {address}: nothing answers there ({error.strerror or error}); "
            "start a Ray cluster there, or leave the address out",
            "ray_address",
        ) from error


def _join(ray: Any, address: str, workers: int | None) -> int:
    """Join a running cluster; how many workers it gets."""
    for name, value in _QUIET.items():
        os.environ.setdefault(name, value)
    try:
        ray.init(address=address, log_to_driver=False, logging_level=logging.ERROR)
    except (ConnectionError, ValueError, RuntimeError, OSError) as error:
        reason = " ".join(str(error).split())[:200]
        raise InputError(f"ray_address {address}: no cluster answers there ({reason})", "ray_address") from error
    try:
        return workers_that_fit(workers, int(ray.cluster_resources().get("CPU", 0)), address)
    except InputError:
        ray.shutdown()
        raise


class _Worker:
    """The actor: one thread runs tasks, the other one takes the request to stop."""

    def __init__(self, factory: EvaluatorFactory, members: Members) -> None:
        adopt_members(members)
        self._evaluator = _LateEvaluator(factory)
        self._asked_to_stop = threading.Event()

    def run(self, task: RungTask) -> RungResult:
        """Run a task to its end."""
        return run_rung(self._evaluator, task, self._asked_to_stop.is_set)

    def stop(self) -> None:
        """Let the running task end as interrupted."""
        self._asked_to_stop.set()


class _LateEvaluator:
    """Makes the evaluator at its first task, so that what goes wrong there has a reason that people get to see."""

    def __init__(self, factory: EvaluatorFactory) -> None:
        self._factory = factory
        self._made: TrialEvaluator | None = None

    def evaluate(self, task: RungTask, should_stop: ShouldStop) -> Reached:
        if self._made is None:
            self._made = self._factory()
        return self._made.evaluate(task, should_stop)
