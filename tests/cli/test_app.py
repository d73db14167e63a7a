"""The program as a whole: what it says when there is nothing to do, and which exit codes it has."""

import pickle
import sys

import pytest

from nas_isp.cli import doctor
from nas_isp.cli.app import main
from nas_isp.errors import InputError, UnwritableError


def run(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.setattr(sys, "argv", ["nas-isp", *arguments])
    with pytest.raises(SystemExit) as caught:
        main()
    return int(caught.value.code or 0)


@pytest.mark.parametrize("arguments", [(), ("latency",)])
def test_without_arguments_there_is_help_and_no_empty_message(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...]
) -> None:
    run(monkeypatch, *arguments)
    captured = capsys.readouterr()
    assert "Usage" in captured.out + captured.err
    assert captured.err.strip() != "nas-isp:"
    assert "nas-isp: \n" not in captured.err


def test_doctor_names_what_is_missing_in_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, "doctor", "--format", "json") == 0
    capsys.readouterr()
    monkeypatch.setattr(doctor, "PACKAGES", ("torch", "surely-not-installed"))
    assert run(monkeypatch, "doctor") == 2
    captured = capsys.readouterr()
    assert captured.err.splitlines() == ["nas-isp: missing: surely-not-installed; see 'to do' above for each"]
    assert "pip install surely-not-installed" in captured.out


def test_a_command_adds_the_options_that_an_error_of_the_library_is_about(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse(*given: object, **named: object) -> None:
        raise InputError("max_latency_ms 0: give a number above 0", "max_latency_ms", "output")

    monkeypatch.setattr(doctor, "_packages", refuse)
    assert run(monkeypatch, "doctor") == 2
    assert capsys.readouterr().err == "nas-isp: max_latency_ms 0: give a number above 0 (--max-latency-ms, -o)\n"


def test_an_error_of_the_library_keeps_its_parameters_between_processes() -> None:
    error = pickle.loads(pickle.dumps(UnwritableError("no room", "output")))
    assert (type(error), str(error), error.parameters) == (UnwritableError, "no room", ("output",))
