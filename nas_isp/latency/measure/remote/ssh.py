"""Linux boards through OpenSSH's own `ssh` and `scp`, without passwords."""

import re
from collections.abc import Sequence
from pathlib import Path

from nas_isp.errors import InputError
from nas_isp.latency.measure.remote.transport import Answer, push_with, shell_with

NO_SSH = "install OpenSSH's client (Debian: apt install openssh-client)"
OPTIONS = ("-o", "BatchMode=yes", "-o", "ConnectTimeout=10", "-o", "ServerAliveInterval=10")


class SshTransport:
    """One board, named as ssh names it: a host of ssh's configuration, `user@host` or an address."""

    folder = ".nas_isp"
    """In the user's home folder, where commands of ssh start."""

    def __init__(self, host: str) -> None:
        """No connection is made yet.

        Raises:
            InputError: a name that ssh would take for an option or a command.
        """
        if not re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9_.@%-]*", host):
            raise InputError(f"target 'ssh:{host}': give ssh:HOST or ssh:USER@HOST, as in ssh's own configuration")
        self.host = host

    def push(self, files: Sequence[Path], folder: str) -> None:
        """See `Transport.push`."""
        push_with(["scp", "-q", *OPTIONS, *map(str, files), f"{self.host}:{folder}/"], NO_SSH, self._gone)

    def shell(self, command: str, timeout_s: float) -> Answer:
        """See `Transport.shell`."""
        return shell_with(["ssh", *OPTIONS, self.host], command, timeout_s, NO_SSH, self._gone)

    def _gone(self, reason: str) -> InputError:
        return InputError(
            f"{self.host} cannot be used ({reason}): check that `ssh -o BatchMode=yes {self.host} true` works and run "
            "the same command again; what was measured is kept"
        )
