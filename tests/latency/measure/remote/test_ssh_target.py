"""A Linux board over ssh: OpenSSH's own programs and a server on loopback, and stand-ins where there is none."""

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from nas_isp.errors import InputError
from nas_isp.latency.kernels.kernel import convolution
from nas_isp.latency.measure import benchmark_model
from nas_isp.latency.measure.benchmark_model import BenchmarkModelTarget
from nas_isp.latency.measure.measuring_target import Failure, Timing
from nas_isp.latency.measure.probe_models import single_kernel_model
from nas_isp.latency.measure.remote.ssh import SshTransport
from nas_isp.latency.measure.remote.transport import run_remote
from nas_isp.latency.measure.targets import TargetOptions, target_for
from tests.latency.benchmark_program import BenchmarkServer, client_script

SSHD = shutil.which("sshd", path=f"{os.environ['PATH']}:/usr/sbin:/usr/local/sbin")
SFTP = "/usr/lib/openssh/sftp-server"
NEEDED_BY_ROOT = Path("/run/sshd")

SERVER = """Port {port}
ListenAddress 127.0.0.1
HostKey {folder}/host
AuthorizedKeysFile {folder}/user.pub
PidFile none
StrictModes no
UsePAM no
PermitRootLogin yes
PasswordAuthentication no
Subsystem sftp {sftp}
ForceCommand {folder}/command
"""
IN_BOARD = """#!/bin/sh
cd {folder}/board || exit 1
[ "$SSH_ORIGINAL_COMMAND" = {sftp} ] && exec {sftp}
exec sh -c "$SSH_ORIGINAL_COMMAND"
"""
CLIENT = """Host board
  HostName 127.0.0.1
  Port {port}
  IdentityFile {folder}/user
  IdentitiesOnly yes
  UserKnownHostsFile {folder}/known
  StrictHostKeyChecking accept-new
"""
STAND_IN_SSH = """#!/bin/sh
while [ "$1" = -o ]; do shift 2; done
[ "$1" = board ] || {{ echo "ssh: Could not resolve hostname $1" >&2; exit 255; }}
cd {folder}/board && exec sh -c "$2"
"""
STAND_IN_SCP = """#!/bin/sh
while :; do case "$1" in -q) shift;; -o) shift 2;; *) break;; esac; done
for last; do :; done
while [ $# -gt 1 ]; do cp "$1" "{folder}/board/${{last#board:}}" || exit 1; shift; done
"""


def openssh(folder: Path) -> Callable[[], None]:
    """Start a server that takes a key of its own, and let `ssh` and `scp` know it; the answer stops it."""
    if SSHD is None or not Path(SFTP).exists() or (os.getuid() == 0 and not NEEDED_BY_ROOT.is_dir()):
        pytest.skip(f"needs OpenSSH's server (and {NEEDED_BY_ROOT}, as root)")
    with socket.create_server(("127.0.0.1", 0)) as free:
        names = {"folder": folder, "sftp": SFTP, "port": free.getsockname()[1]}
    for key in ("host", "user"):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", folder / key], check=True)
    (folder / "server").write_text(SERVER.format(**names))
    (folder / "client").write_text(CLIENT.format(**names))
    script(folder / "command", IN_BOARD.format(**names))
    for program in ("ssh", "scp"):
        script(folder / "bin" / program, f'#!/bin/sh\nexec {shutil.which(program)} -F {folder}/client "$@"\n')
    server = subprocess.Popen([SSHD, "-D", "-e", "-f", folder / "server"], stderr=subprocess.DEVNULL)
    for _ in range(100):
        with socket.socket() as link:
            if link.connect_ex(("127.0.0.1", int(str(names["port"])))) == 0:
                break
        time.sleep(0.05)

    def stop() -> None:
        server.terminate()
        server.wait()

    return stop


def stand_ins(folder: Path) -> Callable[[], None]:
    """Programs named `ssh` and `scp` that run commands and copy files in a folder."""
    script(folder / "bin" / "ssh", STAND_IN_SSH.format(folder=folder))
    script(folder / "bin" / "scp", STAND_IN_SCP.format(folder=folder))
    return lambda: None


def script(path: Path, text: str) -> None:
    path.write_text(text)
    path.chmod(0o755)


@pytest.fixture(
    params=[pytest.param(openssh, marks=pytest.mark.slow), pytest.param(stand_ins)], ids=["openssh", "stand-ins"]
)
def board(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The folder in which commands of the host named `board` start."""
    for name in ("bin", "board"):
        (tmp_path / name).mkdir()
    monkeypatch.setattr(benchmark_model, "ROUNDS", 1)
    stop = request.param(tmp_path)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:{os.environ['PATH']}")
    yield tmp_path / "board"
    stop()


def test_a_board_is_measured_like_a_phone(board: Path, tmp_path: Path) -> None:
    server = BenchmarkServer(tmp_path / "benchmark.socket")
    (tmp_path / "benchmark_model").write_text(client_script(server))
    target = target_for("ssh:board", TargetOptions(benchmark_binary=tmp_path / "benchmark_model", runs=3))
    assert isinstance(target, BenchmarkModelTarget)
    assert (target.setup.target, target.device.processor) == ("ssh", "cpu")
    assert target.setup.system
    assert target.health().thermal_status is None
    answers = target.time([b"no model", single_kernel_model(convolution(4, 4, 3, (8, 8)))])
    assert [type(answer) for answer in answers] == [Failure, Timing]
    assert {path.name for path in (board / ".nas_isp").iterdir()} == {"benchmark.pid", "benchmark_model", "models"}
    server.close()


def test_every_word_is_quoted_and_the_exit_status_known(board: Path) -> None:
    odd = "a b'c\"$(touch hacked);`touch hacked`"
    assert run_remote(SshTransport("board"), ["printf", "%s", odd]).text == odd
    assert SshTransport("board").shell("exit 3", 20).status == 3
    assert list(board.iterdir()) == []


def test_a_board_that_does_not_answer_gives_one_line(board: Path) -> None:
    with pytest.raises(
        InputError, match=r"nowhere\.invalid cannot be used \(.*check that `ssh -o BatchMode=yes"
    ) as caught:
        SshTransport("nowhere.invalid").shell("true", 20)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("host", ["-oProxyCommand=touch hacked", "a b", "a;b", "", "$(x)"])
def test_a_host_that_ssh_would_misread_is_refused(host: str) -> None:
    with pytest.raises(InputError, match="ssh:USER@HOST"):
        SshTransport(host)
