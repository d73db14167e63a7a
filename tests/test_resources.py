"""The user's cache, also where the home cannot be written or there is none."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from nas_isp.errors import InputError
from nas_isp.latency.measure.devices import host_measurements_path
from nas_isp.perceptual.weight_files import weights_folders
from nas_isp.resources import user_cache

READ_ONLY = Path("/proc/1")
"""A home in which nobody makes files, the administrator included."""


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("XDG_CACHE_HOME", "NAS_ISP_CACHE", "NAS_ISP_WEIGHTS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path / f"nas_isp-cache-{os.getuid()}"


def test_a_home_that_can_be_written_is_used_and_left_as_it_is(
    temporary: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "home").mkdir()
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    assert user_cache() == tmp_path / "home" / ".cache" / "nas_isp"
    assert list((tmp_path / "home").iterdir()) == []
    assert not temporary.exists()


@pytest.mark.parametrize("home", [READ_ONLY, Path("/dev/null")])
def test_a_read_only_home_is_replaced_by_a_private_temporary_folder(
    temporary: Path, monkeypatch: pytest.MonkeyPatch, home: Path
) -> None:
    monkeypatch.setenv("HOME", str(home))
    assert user_cache() == temporary
    assert temporary.stat().st_mode & 0o777 == 0o700
    assert host_measurements_path() == temporary / "host.json"
    assert weights_folders() == [temporary / "weights", home / ".cache" / "nas_isp" / "weights"]


def test_a_user_without_a_home_has_one_too(temporary: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def none() -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(Path, "home", none)
    assert user_cache() == temporary
    assert weights_folders() == [temporary / "weights"]


def test_measurements_in_a_home_that_became_read_only_are_found(
    temporary: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    kept = tmp_path / "cache" / "nas_isp" / "host.json"
    kept.parent.mkdir(parents=True)
    kept.touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr("nas_isp.resources.can_write_in", lambda folder: False)
    assert host_measurements_path() == kept
    assert host_measurements_path("host-int8") == temporary / "host-int8.json"


@pytest.mark.parametrize("kind", ["link", "file"])
def test_what_somebody_else_put_there_is_not_trusted(
    temporary: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, kind: str
) -> None:
    monkeypatch.setenv("HOME", str(READ_ONLY))
    (tmp_path / "trap").mkdir()
    if kind == "link":
        temporary.symlink_to(tmp_path / "trap")
    else:
        temporary.touch()
    with pytest.raises(InputError, match="is not this user's folder; let XDG_CACHE_HOME name"):
        user_cache()


def test_plots_say_nothing_about_a_read_only_home(tmp_path: Path) -> None:
    environment = {**os.environ, "HOME": str(READ_ONLY), "TMPDIR": str(tmp_path)}
    for name in ("MPLCONFIGDIR", "XDG_CONFIG_HOME", "XDG_CACHE_HOME"):
        environment.pop(name, None)
    done = subprocess.run(
        [sys.executable, "-c", "import nas_isp.report.plots"],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stderr == ""
