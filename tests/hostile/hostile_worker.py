"""A process that reads hostile files: each reader in a fork of its own, with limits, watched for what it must not do.

Lines of JSON come in on stdin, `{"reader": NAME, "mutants": N, "crafted": M}`, and one goes out on stdout for each: the
number of inputs, how many of them were refused, and the faults. Argument: the folder in which everything happens.
"""

import json
import os
import resource
import select
import shutil
import signal
import sys
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from nas_isp.errors import InputError
from tests.hostile import hostile_mutants
from tests.hostile.hostile_readers import ALL_READERS, Reader, function

SECONDS = 5
"""Processor time that an input may take."""

SILENT_SECONDS = 120
"""Time without processor time after which an input hangs, on however busy a machine."""

MEMORY_BYTES = 2 << 30
SPARE_BYTES = 3 << 30
"""What a process may claim beyond `MEMORY_BYTES` before it is refused: claims alone are no use of memory."""

LONGEST_MESSAGE = 1500
WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC
CHANGING = {"os.remove", "os.rename", "os.rmdir", "os.mkdir", "os.link", "os.symlink", "os.truncate", "os.chmod"}
EXECUTING = {
    "os.system",
    "os.exec",
    "os.posix_spawn",
    "os.spawn",
    "subprocess.Popen",
    "socket.connect",
    "pickle.find_class",
}


class Watch:
    """Notes what a reader must not do: run, change a file outside of its folder, read one it was not given."""

    def __init__(self, place: Path) -> None:
        self.place, self.faults = str(place.resolve()), list[str]()
        self.secret = str(place.resolve() / "secret")
        self.watching = False
        sys.addaudithook(self._see)

    def _see(self, event: str, arguments: tuple[Any, ...]) -> None:
        if not self.watching:
            return
        if event == "open" and isinstance(arguments[0], str | bytes):
            path = os.path.realpath(os.fsdecode(arguments[0]))
            if path == self.secret:
                self.faults.append(f"read {path}")
            elif arguments[2] & WRITING:
                self._changed(path)
        elif event in CHANGING and isinstance(arguments[0], str | bytes | os.PathLike):
            self._changed(os.path.abspath(os.fsdecode(arguments[0])))
        elif event in EXECUTING:
            self.faults.append(f"{event}{arguments!r}"[:200])

    def _changed(self, path: str) -> None:
        if path not in (os.devnull, self.place) and not path.startswith(self.place + os.sep):
            self.faults.append(f"changed {path}")


def main(place: Path) -> None:
    """Answer requests until stdin ends."""
    watch = Watch(place)
    (place / "secret").write_text("nobody was asked to read this")
    os.chdir(place)
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what libraries print is not an answer
    for line in sys.stdin:
        request = json.loads(line)
        name, sizes = request["reader"], (request["mutants"], request["crafted"])
        answer = _attacked(name, ALL_READERS[name], sizes, place / f"{name} {sizes[0]}", watch)
        print(json.dumps(answer), file=answers, flush=True)


def _attacked(name: str, reader: Reader, sizes: tuple[int, int], place: Path, watch: Watch) -> dict[str, Any]:
    seed = place / "seed"
    seed.mkdir(parents=True)
    try:
        function(reader.make)(seed)
        whole = place / "whole"
        shutil.copytree(seed, whole)
        function(reader.read)(whole)
    except Exception:
        return {"inputs": 0, "refused": 0, "faults": [f"a whole file is not read: {traceback.format_exc()}"]}
    cases = list(_cases(name, reader, seed, *sizes))
    faults: list[str] = []
    refused, done = 0, 0
    while done < len(cases):
        finished, refusals, found = _in_a_fork(reader, seed, place, cases[done:], watch)
        refused, done = refused + refusals, done + finished
        faults += found
    return {"inputs": len(cases), "refused": refused, "faults": faults}


Case = tuple[str, str, bytes]
"""What was done, to which file, and its content then."""


def _cases(name: str, reader: Reader, seed: Path, mutants: int, crafted: int) -> Iterator[Case]:
    files = sorted(str(path.relative_to(seed)) for pattern in reader.attacked for path in seed.glob(pattern))
    made = list(function(reader.crafted)(seed)) if reader.crafted else []
    for number in range(0, len(made), -(-len(made) // max(crafted, 1)) or 1):
        yield f"{number} (crafted)", *made[number]
    for number in range(mutants):
        path = files[number % len(files)]
        damage, content = hostile_mutants.mutant(
            (seed / path).read_bytes(), reader.is_text(path), f"{name}/{path}", number // len(files)
        )
        yield f"{number} ({damage})", path, content


def _in_a_fork(reader: Reader, seed: Path, place: Path, cases: list[Case], watch: Watch) -> tuple[int, int, list[str]]:
    """Cases done, refused, and faults, up to the end or the first case that ends the process."""
    receiving, sending = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(receiving)
        try:
            _read_all(reader, seed, place, cases, watch, sending)
        finally:
            os._exit(0)
    os.close(sending)
    done, refused, faults, ended = 0, 0, list[str](), ""
    with os.fdopen(receiving, "rb", buffering=0) as lines:
        while True:
            if not select.select([lines], [], [], SILENT_SECONDS)[0]:
                os.kill(child, signal.SIGKILL)
                ended = f"hangs for {SILENT_SECONDS} s"
                break
            line = lines.readline()
            if not line:
                break
            verdict = json.loads(line)
            done += 1
            refused += verdict == "refused"
            if verdict not in ("read", "refused"):
                faults.append(_told(place, cases[done - 1], done, verdict))
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status):
        by = signal.Signals(os.WTERMSIG(status))
        ended = ended or (f"more than {SECONDS} s" if by == signal.SIGPROF else f"the process is killed by {by.name}")
    if done < len(cases) and ended:
        faults.append(_told(place, cases[done], done + 1, ended))
        done += 1
    return done, refused, faults


def _read_all(reader: Reader, seed: Path, place: Path, cases: list[Case], watch: Watch, sending: int) -> None:
    signal.signal(signal.SIGPROF, signal.SIG_DFL)
    with open("/proc/self/statm") as file:
        claimed = int(file.read().split()[0]) * os.sysconf("SC_PAGE_SIZE")
    resource.setrlimit(resource.RLIMIT_AS, (claimed + MEMORY_BYTES + SPARE_BYTES,) * 2)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    for case in cases:
        folder = place / "case"
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(seed, folder, symlinks=True)
        (folder / case[1]).write_bytes(case[2])
        watch.faults.clear()
        signal.setitimer(signal.ITIMER_PROF, SECONDS)
        watch.watching = True
        verdict = _verdict(reader, folder)
        watch.watching = False
        signal.setitimer(signal.ITIMER_PROF, 0)
        used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
        if watch.faults or (place.parent / "executed").exists():
            verdict = f"a hostile act: {'; '.join(watch.faults) or 'it was executed'}"
        elif used > MEMORY_BYTES and verdict in ("read", "refused"):
            verdict = f"{verdict} with {used / 1e9:.1f} GB"
        os.write(sending, (json.dumps(verdict) + "\n").encode())
        if used > MEMORY_BYTES:
            return


def _verdict(reader: Reader, folder: Path) -> str:
    try:
        function(reader.read)(folder)
    except InputError as error:
        text = str(error)
        if len(text.splitlines()) != 1 or len(text) > LONGEST_MESSAGE:
            return f"no message of one short line: {text[:LONGEST_MESSAGE]!r}"
        return "refused" if str(folder) in text else f"a message that does not name the file: {text}"
    except BaseException:
        return traceback.format_exc()
    return "read"


def _told(place: Path, case: Case, number: int, verdict: str) -> str:
    """The fault in words; the input is kept."""
    damage, path, content = case
    kept = place / "failing" / f"{number}-{damage.split()[0]}-{os.getpid()}-{Path(path).name}"
    kept.parent.mkdir(exist_ok=True)
    kept.write_bytes(content)
    return f"{path}, {damage}, kept as {kept}: {verdict}"


if __name__ == "__main__":
    main(Path(sys.argv[1]))
