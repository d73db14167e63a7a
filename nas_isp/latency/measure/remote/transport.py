"""`Transport`: how files and commands get to a device, whatever runs there."""

import re
import shlex
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from nas_isp.errors import InputError

PUSH_S = 120.0
"""Longest time for a batch of models, or for the benchmark program, over a slow cable."""

EXIT_MARK = "nas-isp-exit="
"""Printed with the exit status by the remote shell itself: old devices do not pass it on."""


@dataclass(frozen=True)
class Answer:
    """What a remote command printed (both streams), and its exit status."""

    text: str
    status: int


class Transport(Protocol):
    """A device that takes files and shell commands."""

    folder: str
    """Where files may be put on the device; no character of it needs quoting."""

    def push(self, files: Sequence[Path], folder: str) -> None:
        """Copy files into a folder of the device, under their names.

        Raises:
            InputError: the device is gone, takes no files, or does not take them in time.
        """
        ...

    def shell(self, command: str, timeout_s: float) -> Answer:
        """Run a command line in the device's shell.

        Raises:
            InputError: the device is gone.
            CommandTimeoutError: no answer in time.
        """
        ...


class CommandTimeoutError(InputError):
    """A command did not end in time."""


def run_remote(transport: Transport, words: Sequence[str], timeout_s: float = 30.0) -> Answer:
    """Run one program on the device, every word of its command line quoted."""
    return transport.shell(shlex.join(words), timeout_s)


def push_with(arguments: Sequence[str], missing: str, gone: Callable[[str], InputError]) -> None:
    """Run a local program that copies files to the device.

    Args:
        arguments: its command line.
        missing: what to do where it is not installed.
        gone: the error for a device that it cannot reach, from its own last words.
    """
    process = call(arguments, PUSH_S, missing)
    if process.returncode:
        raise gone(last_line(process))


def shell_with(
    arguments: Sequence[str], command: str, timeout_s: float, missing: str, gone: Callable[[str], InputError]
) -> Answer:
    """Run a local program that hands its last argument to the device's shell; see `push_with`."""
    process = call([*arguments, _with_status(command)], timeout_s, missing)
    answer = _answer_of(process.stdout)
    if answer is None:
        raise gone(last_line(process))
    return answer


def call(arguments: Sequence[str], timeout_s: float, missing: str) -> subprocess.CompletedProcess[str]:
    """Run a local program such as adb or ssh without input.

    Raises:
        InputError: it is not installed; `missing` says what to do.
        CommandTimeoutError: it did not end in time.
    """
    try:
        return subprocess.run(
            arguments,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=timeout_s,
            check=False,
        )
    except FileNotFoundError as error:
        raise InputError(f"program '{arguments[0]}' not found: {missing}") from error
    except subprocess.TimeoutExpired as error:
        raise CommandTimeoutError(
            f"{arguments[0]} gave no answer within {timeout_s:.0f} s: check that the device is awake and connected, "
            "and run the same command again; what was measured is kept"
        ) from error


def last_line(process: subprocess.CompletedProcess[str]) -> str:
    """What a program said last, for an error of one line."""
    lines = (process.stderr or process.stdout).strip().splitlines()
    return lines[-1].strip() if lines else f"exit status {process.returncode}"


def _with_status(command: str) -> str:
    """A command line that prints its own exit status at the end."""
    return f"( {command} ) 2>&1; echo {EXIT_MARK}$?"


def _answer_of(output: str) -> Answer | None:
    """What a command made by `_with_status` printed; None if it did not get to its end."""
    marks = list(re.finditer(rf"{EXIT_MARK}(\d+)\b", output))
    if not marks:
        return None
    # What a loader or a shell says when the command has ended comes after the mark.
    return Answer(re.sub(r"\r+\n?", "\n", output[: marks[-1].start()]), int(marks[-1][1]))
