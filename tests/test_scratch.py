"""Temporary folders: those of killed processes go, all others stay, and their paths are short where that matters."""

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

from nas_isp import scratch
from nas_isp.errors import InputError
from nas_isp.processes import ProcessMark, is_gone, this_process
from nas_isp.scratch import MARK, make_scratch, remove_abandoned, scratch_folder, temporary_folder

MAKES_ONE = "from nas_isp.scratch import make_scratch; from pathlib import Path; import sys, os, signal; \
print(make_scratch(Path(sys.argv[1]))); sys.stdout.flush(); os.kill(os.getpid(), signal.SIGKILL)"


@pytest.fixture
def base(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def left_by_a_kill(base: Path) -> Path:
    made = subprocess.run([sys.executable, "-c", MAKES_ONE, base], capture_output=True, text=True, check=False)
    folder = Path(made.stdout.strip())
    assert folder.is_dir()
    return folder


def age(folder: Path, seconds: float) -> None:
    for path in (*folder.rglob("*"), folder):
        os.utime(path, (time.time() - seconds,) * 2)


def test_a_folder_lasts_as_long_as_its_context(base: Path) -> None:
    with scratch_folder() as folder:
        assert list(folder.iterdir()) == []
        assert folder.parent.parent == base
    assert list(base.iterdir()) == []


def test_what_a_killed_process_left_goes_and_what_a_living_one_has_stays(base: Path) -> None:
    abandoned, own = left_by_a_kill(base), make_scratch(base)
    assert not abandoned.exists()
    with scratch_folder():
        assert own.is_dir()


def test_folders_of_others_and_of_unknown_processes_stay(base: Path) -> None:
    elsewhere, foreign, linked, file = (base / f"nas-isp-{name}" for name in ("elsewhere", "a", "linked", "file"))
    elsewhere.mkdir()
    mark = this_process().model_copy(update={"place": "another machine", "pid": 4194304})
    (elsewhere / MARK).write_text(mark.model_dump_json())
    target = left_by_a_kill(base).rename(base / "precious")
    linked.symlink_to(target)
    foreign.mkdir()
    file.touch()
    (base / "other-program").mkdir()
    age(elsewhere, 100 * 3600)
    before = set(base.iterdir())
    remove_abandoned(base)
    assert set(base.iterdir()) == before
    assert (target / MARK).is_file()


@pytest.mark.skipif(os.getuid() != 0, reason="only the administrator can make another user's folder")
def test_another_user_s_folder_stays(base: Path) -> None:
    folder = left_by_a_kill(base)
    os.chown(folder, 12345, 12345)
    remove_abandoned(base)
    assert folder.is_dir()


def test_a_folder_without_a_mark_goes_when_nothing_in_it_has_changed_for_a_day(base: Path) -> None:
    old, used = base / "nas-isp-old", base / "nas-isp-used"
    for folder in (old, used):
        (folder / "session" / "logs").mkdir(parents=True)
        (folder / "session" / "logs" / "raylet.out").touch()
        age(folder, 25 * 3600)
    (used / "session" / "logs" / "raylet.out").touch()
    remove_abandoned(base)
    assert (old.exists(), used.exists()) == (False, True)


@pytest.mark.parametrize("content", ["", "{", "[]", '{"pid": 0}', "9" * 5000])
def test_a_damaged_mark_is_none(base: Path, content: str) -> None:
    folder = base / "nas-isp-damaged"
    folder.mkdir()
    (folder / MARK).write_text(content)
    remove_abandoned(base)
    assert folder.is_dir()
    age(folder, 25 * 3600)
    remove_abandoned(base)
    assert not folder.exists()


def test_a_process_is_known_by_more_than_its_id() -> None:
    own = this_process()
    assert is_gone(own) is False
    assert is_gone(own.model_copy(update={"started": "1"})) is True
    assert is_gone(own.model_copy(update={"place": "elsewhere"})) is None
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        process.wait()
    assert is_gone(ProcessMark(place=own.place, pid=process.pid)) is True


def test_a_long_temporary_folder_is_replaced_by_a_short_one_where_paths_must_be_short(
    base: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    long, short = tmp_path / ("x" * 60), tmp_path / "s"
    short.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(long))
    monkeypatch.setattr(scratch, "SHORT_FOLDERS", ("UNSET_FOLDER", "SHORT_FOLDER"))
    monkeypatch.setenv("SHORT_FOLDER", str(short))
    most = len(str(short))
    assert temporary_folder() == long
    assert temporary_folder(len(str(long))) == long
    assert temporary_folder(most) == short
    with pytest.raises(InputError, match=f"too long for the sockets of Ray, which take {most - 1} characters"):
        temporary_folder(most - 1)
    monkeypatch.setenv("SHORT_FOLDER", "/proc/1")
    with pytest.raises(InputError, match="no shorter folder"):
        temporary_folder(most)


def test_without_any_temporary_folder_one_line_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    def none() -> str:
        raise FileNotFoundError("No usable temporary directory found")

    monkeypatch.setattr(tempfile, "gettempdir", none)
    with pytest.raises(InputError, match="let TMPDIR name one"), scratch_folder():
        pass
