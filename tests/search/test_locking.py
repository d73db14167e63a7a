"""A study has one search at a time, also on disks that have no flock."""

import errno
import fcntl
import os
import subprocess
import sys
from pathlib import Path

import pytest

from nas_isp.errors import InputError
from nas_isp.processes import this_process
from nas_isp.search import owner_lock
from nas_isp.search.locking import lock_file
from nas_isp.search.owner_lock import OwnerLock
from nas_isp.search.study import Study
from tests.search.search_tools import config

HOLDS = "import sys, errno, fcntl, time; from pathlib import Path; from nas_isp.search.locking import lock_file\n\
def none(*_): raise OSError(errno.ENOSYS, 'Function not implemented')\n\
fcntl.flock = none\nlock = lock_file(Path(sys.argv[1]), 'in use'); print('held', flush=True); time.sleep(60)"


@pytest.fixture(params=[errno.ENOSYS, errno.ENOLCK, errno.EOPNOTSUPP, errno.EINVAL])
def without_flock(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object) -> None:
        raise OSError(request.param, os.strerror(request.param))

    monkeypatch.setattr(fcntl, "flock", refused)


def test_without_flock_one_file_is_the_lock_and_that_is_said(without_flock: None, tmp_path: Path) -> None:
    notes: list[str] = []
    first = lock_file(tmp_path / "lock", "in use", notes.append)
    assert len(notes) == 1
    assert "on a disk without flock" in notes[0]
    assert "lock.owner in it is the lock" in notes[0]
    with pytest.raises(InputError, match="in use"):
        lock_file(tmp_path / "lock", "in use")
    first.close()
    lock_file(tmp_path / "lock", "in use").close()
    assert {path.name for path in tmp_path.iterdir()} == {"lock"}


def test_a_search_without_flock_is_alone_and_goes_on_after_it(without_flock: None, tmp_path: Path) -> None:
    notes: list[str] = []
    study = Study.begin(tmp_path / "s", config(), notes.append)
    with pytest.raises(InputError, match="being searched by another command"):
        Study.begin(tmp_path / "s", config())
    study.close()
    Study.begin(tmp_path / "s", config()).close()
    assert len(notes) == 1


def test_a_killed_search_s_lock_is_taken_over_at_once_and_a_living_one_s_is_not(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    with subprocess.Popen([sys.executable, "-c", HOLDS, path], stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(InputError, match="in use"):
            lock_file(path, "in use")  # with a flock that works: the other one's disk had none
        holder.kill()
        holder.wait()
    lock_file(path, "in use").close()
    assert not (tmp_path / "lock.owner").exists()


@pytest.mark.parametrize("content", ["", "{", "another machine"])
def test_another_machine_s_lock_is_given_up_when_it_was_not_touched_for_long(
    without_flock: None, tmp_path: Path, content: str
) -> None:
    held = tmp_path / "lock.owner"
    mark = this_process().model_copy(update={"place": content})
    held.write_text(mark.model_dump_json() if content == "another machine" else content)
    with pytest.raises(InputError, match="in use"):
        lock_file(tmp_path / "lock", "in use")
    age = held.stat().st_mtime - owner_lock.GIVEN_UP_AFTER_S - 5
    os.utime(held, (age, age))
    lock_file(tmp_path / "lock", "in use").close()


def test_a_held_lock_is_touched_so_that_others_see_that_it_is(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(owner_lock, "TOUCHED_EVERY_S", 0.01)
    lock = OwnerLock(tmp_path / "lock.owner", "in use")
    lock.take()
    os.utime(lock.path, (0, 0))
    for _ in range(500):
        if lock.path.stat().st_mtime > 0:
            break
        lock._ended.wait(0.01)
    assert lock.path.stat().st_mtime > 0
    lock.close()


def test_a_lock_that_flock_holds_is_held(tmp_path: Path) -> None:
    notes: list[str] = []
    first = lock_file(tmp_path / "lock", "in use", notes.append)
    with pytest.raises(InputError, match="in use"):
        lock_file(tmp_path / "lock", "in use", notes.append)
    first.close()
    assert notes == []


@pytest.mark.parametrize("kind", ["pipe", "link", "long"])
def test_what_a_stranger_s_study_holds_in_its_place_is_not_read(tmp_path: Path, kind: str) -> None:
    held = tmp_path / "lock.owner"
    if kind == "pipe":
        os.mkfifo(held)
    elif kind == "link":
        held.symlink_to("/dev/zero")
    else:
        held.write_text(" " * 100_000)
    with pytest.raises(InputError, match="in use"):
        lock_file(tmp_path / "lock", "in use")
