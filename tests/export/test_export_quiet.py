"""What native code says of itself is dropped, what it complains of is not."""

import os

import pytest

from nas_isp.export.quiet import without_info_lines


def test_info_lines_are_dropped_and_others_are_kept(capfd: pytest.CaptureFixture[str]) -> None:
    with without_info_lines():
        os.write(2, b"INFO: made a delegate\nWARNING: slow\nINFO: done\n")
    os.write(2, b"INFO: afterwards\n")
    assert capfd.readouterr().err == "WARNING: slow\nINFO: afterwards\n"


def test_lines_before_an_exception_are_kept(capfd: pytest.CaptureFixture[str]) -> None:
    def fail() -> None:
        with without_info_lines():
            os.write(2, b"ERROR: no such operator\n")
            raise ValueError("broken")

    with pytest.raises(ValueError, match="broken"):
        fail()
    assert capfd.readouterr().err == "ERROR: no such operator\n"
