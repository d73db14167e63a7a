"""Real Ray workers under a search: death, Ctrl-C and kill -9, with simulated training."""

import hashlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from nas_isp.errors import InputError
from nas_isp.generators.architecture import ARCHITECTURE, Block, PlainArchitecture
from nas_isp.generators.blocks import BLOCKS, BlockKind
from nas_isp.generators.conv_spec import ConvSpec
from nas_isp.generators.cost import count
from nas_isp.perceptual.features import FEATURE_NETWORKS, FeatureSource, load_features
from nas_isp.perceptual.lite import unfilled_lite
from nas_isp.recipe import TrainSettings
from nas_isp.search.budget import Budget
from nas_isp.search.ray_pool import RayPool, check_address, gpu_share, workers_that_fit
from nas_isp.search.simulated import SimulatedFactory
from nas_isp.search.space import load_space
from nas_isp.search.study import Study
from nas_isp.search.trial import TrainerFactory
from nas_isp.search.workers import Reached, RungTask, ShouldStop
from tests.search.search_tools import STEPS, Notes, config, search, steps_trained

PROGRAM = Path(__file__).with_name("simulated_search.py")


@pytest.mark.slow
@pytest.mark.xdist_group("ray")
def test_a_search_on_two_workers_ends_with_no_process_left(tmp_path: Path) -> None:
    folder, anchors = tmp_path / "s", load_space("tiny").anchors
    factory = SimulatedFactory(0.01, failing=(anchors[0].digest(),), killing=(anchors[1].digest(),))
    notes = Notes()

    with closing(RayPool(factory, 2, folder)) as pool:
        study = search(folder, Budget(trials=6), pool=pool, callback=notes)

    states = {record.digest: record for record in study.records.values()}
    assert study.counts()["complete"] + study.counts()["stopped"] == 6
    assert "simulated divergence" in states[anchors[0].digest()].reason
    assert states[anchors[1].digest()].state == "complete"
    assert any("worker died" in note for note in notes.notes)
    assert _eventually(lambda: not _ray_processes(folder), 10)


@pytest.mark.slow
@pytest.mark.xdist_group("ray")
def test_an_evaluator_that_cannot_be_made_is_the_trials_failure_with_its_reason(tmp_path: Path) -> None:
    folder = tmp_path / "s"
    (folder / "trials" / "0000").mkdir(parents=True)
    architecture = load_space("tiny").anchors[0]
    factory = TrainerFactory(tmp_path / "nothing", TrainSettings(), 0)
    with closing(RayPool(factory, 1, folder)) as pool:
        pool.submit(RungTask(0, architecture.to_json(), folder / "trials" / "0000", 1, True))
        results = []
        while not results:
            results = pool.wait(1.0)

    assert results[0].status == "failed"
    assert results[0].reason.startswith(f"{tmp_path / 'nothing'}: holds no prepared data")


@pytest.mark.slow
@pytest.mark.xdist_group("ray")
def test_a_long_temporary_folder_and_a_read_only_home_stop_no_search(tmp_path: Path) -> None:
    folder, long = tmp_path / "s", tmp_path / ("long" * 25)
    long.mkdir()
    environment = {**_environment(), "TMPDIR": str(long), "HOME": "/proc/1"}
    subprocess.run([sys.executable, PROGRAM, folder, "2", "1", "0.01"], env=environment, check=True, timeout=120)
    assert Study.open(folder).counts()["complete"] >= 1
    assert list(long.iterdir()) == []


@pytest.mark.slow
@pytest.mark.xdist_group("ray")
def test_what_a_killed_search_left_is_deleted_by_another_study_s(tmp_path: Path) -> None:
    # Short enough for Ray's sockets, unlike the folders of tests.
    short = Path(tempfile.mkdtemp(prefix="t", dir="/tmp"))
    environment = {**_environment(), "TMPDIR": str(short)}
    try:
        with subprocess.Popen([sys.executable, PROGRAM, tmp_path / "a", "9", "1", "0.5"], env=environment) as killed:
            assert _eventually(lambda: any(short.glob("nas-isp-*/session_*")), 60)
            killed.kill()
        (left,) = short.glob("nas-isp-*")
        assert _eventually(lambda: not _ray_processes(tmp_path / "a"), 30)
        subprocess.run([sys.executable, PROGRAM, tmp_path / "b", "1", "1", "0.01"], env=environment, check=True)
        assert not left.exists()
        assert list(short.glob("nas-isp-*")) == []
    finally:
        shutil.rmtree(short, ignore_errors=True)


class Doubled(BlockKind):
    """A block of a program that starts a search."""

    def convs(self, in_channels: int, out_channels: int, stride: int) -> Sequence[ConvSpec]:
        return (
            ConvSpec("first", in_channels, out_channels, 3, stride, activation="relu"),
            ConvSpec("second", out_channels, out_channels, 3),
        )


class DescribingEvaluator:
    """Reads the architecture and says what it and a feature network are made of in its process."""

    def evaluate(self, task: RungTask, should_stop: ShouldStop) -> Reached:
        architecture = ARCHITECTURE.validate_json(task.architecture_json)
        layers = load_features("own-features").layers
        return Reached(count(architecture).params, f"{os.getpid()} {'+'.join(layers)}", {}, task.until_step)


@pytest.mark.slow
@pytest.mark.xdist_group("ray")
def test_workers_know_what_the_driver_has_registered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(BLOCKS, "_registered", {})
    monkeypatch.setattr(FEATURE_NETWORKS, "_registered", {})
    BLOCKS.register("doubled", Doubled())
    FEATURE_NETWORKS.register("own-features", FeatureSource(unfilled_lite, packaged=lambda normalize: unfilled_lite()))
    architecture = PlainArchitecture(blocks=(Block(kind="doubled", channels=8),), tail_kernel=1)

    with closing(RayPool(DescribingEvaluator, 1, tmp_path)) as pool:
        pool.submit(RungTask(0, architecture.to_json(), tmp_path, 1, True))
        results = []
        while not results:
            results = pool.wait(1.0)

    assert results[0].reached is not None, results[0].reason
    assert results[0].reached.quality == (4 * 8 * 9 + 8) + (8 * 8 * 9 + 8) + (8 * 12 + 12)
    process, layers = results[0].reached.score_kind.split()
    assert int(process) != os.getpid()
    assert layers == "shallow+middle+deep"


@pytest.mark.slow
@pytest.mark.xdist_group("ray")
def test_kill_9_loses_no_finished_trial_and_the_same_command_goes_on(tmp_path: Path) -> None:
    folder = tmp_path / "s"
    with _running_search(folder, trials=8, seconds_per_step=0.2) as process:
        _wait_for_trials(folder, finished=2)
        process.kill()
        process.wait()
    before = Study.open(folder)
    finished = {trial: record for trial, record in before.records.items() if record.is_finished}
    assert len(finished) >= 2
    assert any(record.state == "running" for record in before.records.values())
    assert _eventually(lambda: not _ray_processes(folder), 10)

    command = [sys.executable, str(PROGRAM), str(folder), "8", "2", "0.01"]
    subprocess.run(command, check=True, timeout=120, env=_environment())

    after = Study.open(folder)
    assert after.counts()["complete"] + after.counts()["stopped"] == 8
    assert {trial: after.records[trial] for trial in finished} == finished
    for record in after.records.values():
        last = STEPS[-1] if record.state == "complete" else STEPS[0]
        trained = steps_trained(after, record.trial)
        assert sorted(set(trained)) == list(range(1, last + 1))
        assert len(trained) <= last + 1
    assert _eventually(lambda: not _ray_processes(folder), 10)


@pytest.mark.slow
@pytest.mark.xdist_group("ray")
def test_ctrl_c_in_a_terminal_saves_and_ends_everything(tmp_path: Path) -> None:
    """A terminal sends the signal to the whole process group."""
    folder = tmp_path / "s"
    with _running_search(folder, trials=50, seconds_per_step=0.5) as process:
        _wait_for_trials(folder, finished=1)
        assert _eventually(lambda: any(r.state == "running" for r in Study.open(folder).records.values()), 10)
        os.killpg(process.pid, signal.SIGINT)
        assert process.wait(timeout=30) == 130

    study = Study.open(folder)
    running = [record for record in study.records.values() if record.state == "running"]
    assert running
    assert all((study.trial_folder(record.trial) / "checkpoint.pt").is_file() for record in running)
    assert (folder / "pareto.json").is_file()
    assert _eventually(lambda: not _ray_processes(folder), 10)
    Study.begin(folder, config()).close()


@pytest.mark.parametrize("address", ["nonsense", "host:", ":6379", "host:0", "host:99999", "host:6379x"])
def test_an_address_of_another_form_is_refused(address: str) -> None:
    with pytest.raises(InputError, match="give HOST:PORT"):
        check_address(address)


def test_an_address_where_nothing_listens_is_refused_at_once() -> None:
    with pytest.raises(InputError, match="nothing answers there"):
        check_address("127.0.0.1:1")


@pytest.mark.parametrize(
    ("gpus", "workers", "share"),
    [(0, 4, 0.0), (1, 1, 1.0), (4, 2, 1.0), (2, 4, 0.5), (2, 3, 0.5), (2, 5, 0.3333), (4, 6, 0.5), (1, 6, 0.1666)],
)
def test_all_workers_fit_on_whole_gpus(gpus: int, workers: int, share: float) -> None:
    assert gpu_share(gpus, workers) == share
    if share:
        assert gpus * int(1 / share) >= workers


def test_a_cluster_takes_no_more_workers_than_it_has_cores() -> None:
    assert workers_that_fit(None, 7, "auto") == 7
    assert workers_that_fit(3, 7, "auto") == 3
    for workers, cores in ((8, 7), (None, 0)):
        with pytest.raises(InputError, match=f"has {cores} CPUs"):
            workers_that_fit(workers, cores, "auto")


@pytest.mark.slow
@pytest.mark.xdist_group("ray")
def test_a_joined_cluster_gives_its_cores_and_refuses_more_workers() -> None:
    with _running_cluster(cores=2) as address:
        with pytest.raises(InputError, match="has 2 CPUs, too few for 3 workers"):
            RayPool(SimulatedFactory(0.01), 3, Path("unused"), address)
        with closing(RayPool(SimulatedFactory(0.01), None, Path("unused"), address)) as pool:
            assert pool.size == 2


@contextmanager
def _running_cluster(cores: int) -> Iterator[str]:
    """The address of a cluster that lives in another process until the end."""
    program = (
        f"import ray; print(ray.init(address='local', num_cpus={cores}, num_gpus=0, include_dashboard=False, "
        "object_store_memory=10**8).address_info['gcs_address'], flush=True); input()"
    )
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL, "text": True}
    environment = {**_environment(), "RAY_USAGE_STATS_ENABLED": "0", "RAY_AUTH_MODE": "disabled"}
    with subprocess.Popen([sys.executable, "-c", program], env=environment, **pipes) as process:
        try:
            yield process.stdout.readline().strip()
        finally:
            process.communicate("\n", timeout=30)


@contextmanager
def _running_search(folder: Path, trials: int, seconds_per_step: float) -> Iterator[subprocess.Popen[bytes]]:
    command = [sys.executable, str(PROGRAM), str(folder), str(trials), "2", str(seconds_per_step)]
    process = subprocess.Popen(command, env=_environment(), start_new_session=True, stderr=subprocess.DEVNULL)
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()


def _environment() -> dict[str, str]:
    return {**os.environ, "OMP_NUM_THREADS": "1"}


def _wait_for_trials(folder: Path, finished: int) -> None:
    def enough() -> bool:
        results = [path.read_text() for path in folder.glob("trials/*/result.json")]
        running = any('"state": "running"' in text for text in results)
        return running and sum('"state": "complete"' in text for text in results) >= finished

    assert _eventually(enough, 90)


def _ray_processes(folder: Path) -> list[str]:
    """Command lines of processes whose Ray session belongs to this study."""
    mark = f"nas-isp-{hashlib.sha256(str(folder).encode()).hexdigest()[:8]}-"
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            line = path.read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
        if mark in line:
            found.append(line)
    return found


def _eventually(condition: Callable[[], bool], seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.2)
    return condition()
