"""Whatever silences the process's streams gives them back: by threads, nested, on Ctrl-C, and where there are none."""

import io
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from nas_isp.quiet import quiet_converters, without_info_lines, without_native_lines

SILENCES = ("quiet_converters", "without_info_lines", "without_native_lines")

OVERLAPPING = """
import os, sys
from threading import Event, Thread
from nas_isp import quiet

first_in, second_in, first_out = Event(), Event(), Event()

def first():
    with getattr(quiet, sys.argv[1])():
        first_in.set()
        second_in.wait(0.2)
    first_out.set()

def second():
    first_in.wait()
    with getattr(quiet, sys.argv[2])():
        second_in.set()
        first_out.wait(0.2)

threads = [Thread(target=one) for one in (first, second)]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
print("by Python")
print("by Python", file=sys.stderr, flush=True)
os.write(2, b"by native code")
"""

INTERRUPTED = """
import os, sys, time
from nas_isp import quiet

try:
    with getattr(quiet, sys.argv[1])(), getattr(quiet, sys.argv[2])():
        os.write(1, b"ready")
        time.sleep(60)
except KeyboardInterrupt:
    print("by Python", file=sys.stderr, flush=True)
    os.write(2, b"by native code")
"""

WITHOUT_STDERR = """
import os, sys
from nas_isp import quiet

with open(sys.argv[2], "wb", buffering=0) as file:
    with getattr(quiet, sys.argv[1])():
        file.write(b"a capture")
print(file.name, sys.stderr)
"""

WITHIN_A_SILENCE = """
from nas_isp.quiet import without_info_lines
from nas_isp.runtimes import litert

litert.has_matrix_tiles = lambda: True
with without_info_lines():
    litert.choose_kernels()
print("chosen")
"""


def run(program: str, *arguments: str, **options: bool) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", program, *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=60, **options)


@pytest.mark.parametrize("second", SILENCES)
@pytest.mark.parametrize("first", SILENCES)
def test_threads_that_overlap_leave_both_streams_as_they_were(first: str, second: str) -> None:
    done = run(OVERLAPPING, first, second)
    assert (done.stdout, done.stderr) == ("by Python\n", "by Python\nby native code")


@pytest.mark.parametrize("inner", SILENCES)
@pytest.mark.parametrize("outer", SILENCES)
def test_ctrl_c_gives_the_streams_back(outer: str, inner: str) -> None:
    command = [sys.executable, "-c", INTERRUPTED, outer, inner]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.read(5) == b"ready"
        process.send_signal(signal.SIGINT)
        assert process.communicate(timeout=60)[1] == b"by Python\nby native code"


@pytest.mark.parametrize("silence", SILENCES)
def test_without_a_stderr_a_file_that_took_its_place_stays_itself(silence: str, tmp_path: Path) -> None:
    """A process that is started without one gives number 2 to the first file that it opens."""
    shell = 'exec "$0" "$@" 2>&-'
    command = ["sh", "-c", shell, sys.executable, "-c", WITHOUT_STDERR, silence, str(tmp_path / "a.dng")]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, timeout=60)
    assert done.stdout == f"{tmp_path / 'a.dng'} None\n"
    assert (tmp_path / "a.dng").read_bytes() == b"a capture"


def test_kernels_can_be_chosen_within_a_silence() -> None:
    """They are chosen by another thread, which must not wait for the one that waits for it."""
    assert run(WITHIN_A_SILENCE).stdout == "chosen\n"


@pytest.mark.parametrize("silence", [without_info_lines, without_native_lines])
def test_python_may_have_no_stderr(silence: type, capfd: pytest.CaptureFixture[str]) -> None:
    python_stream, sys.stderr = sys.stderr, None
    try:
        with silence():
            os.write(2, b"INFO: made a delegate\n")
    finally:
        sys.stderr = python_stream
    os.write(2, b"afterwards\n")
    assert capfd.readouterr().err == "afterwards\n"


@pytest.mark.parametrize("silence", [without_info_lines, without_native_lines])
def test_a_closed_stderr_of_python_keeps_no_line_back(silence: type, capfd: pytest.CaptureFixture[str]) -> None:
    python_stream, sys.stderr = sys.stderr, io.StringIO()
    sys.stderr.close()
    try:
        with silence():
            pass
    finally:
        sys.stderr = python_stream
    os.write(2, b"afterwards\n")
    assert capfd.readouterr().err == "afterwards\n"


def test_info_lines_are_dropped_and_others_are_kept(capfd: pytest.CaptureFixture[str]) -> None:
    with without_info_lines():
        os.write(2, b"INFO: made a delegate\nWARNING: slow\nINFO: done\n")
    os.write(2, b"INFO: afterwards\n")
    assert capfd.readouterr().err == "WARNING: slow\nINFO: afterwards\n"


def test_lines_before_an_exception_are_kept(capfd: pytest.CaptureFixture[str]) -> None:
    def fail() -> None:
        with quiet_converters(), without_info_lines():
            os.write(2, b"ERROR: no such operator\n")
            raise ValueError("broken")

    with pytest.raises(ValueError, match="broken"):
        fail()
    assert capfd.readouterr().err == "ERROR: no such operator\n"


def test_an_inner_silence_hands_what_it_keeps_to_the_outer_one(capfd: pytest.CaptureFixture[str]) -> None:
    with without_native_lines():
        with without_info_lines():
            os.write(2, b"WARNING: slow\n")
        os.write(2, b"still silent\n")
    with without_info_lines():
        with without_native_lines():
            os.write(2, b"damaged\n")
        os.write(2, b"WARNING: slow\n")
    assert capfd.readouterr().err == "WARNING: slow\n"
