"""A small device daemon that Android's real `adb` talks to: file pushes and shell commands over TCP on loopback.

It stands in for a phone. Commands run on this machine, with the device's paths moved into a folder and the programs in
`bin` found first; there is no authentication, and no more of the protocol than `adb connect`, `push` and `shell` need.
The protocol is that of Android's `packages/modules/adb` (protocol.txt, SYNC.TXT).
"""

import os
import queue
import socket
import struct
import subprocess
import threading
from contextlib import suppress
from pathlib import Path

VERSION, LARGEST = 0x01000000, 65536
MOVED = ("/data/local/tmp", "/sys/devices")
FOLDER_MODE = 0o40755
TOKEN, SIGNATURE = 1, 2
"""Of AUTH messages. A public key, which a phone would ask its user about, is never answered."""


class AndroidDevice:
    """A device that listens on a port of loopback until it is unplugged."""

    def __init__(self, root: Path, passes_exit_status: bool = False, authorized: bool = True) -> None:
        """`passes_exit_status` is the newer shell protocol; an old one loses exit statuses."""
        self.root, self.authorized = root, authorized
        self.features = "features=shell_v2" if passes_exit_status else ""
        self.commands: list[str] = []
        self.pushed: list[str] = []
        self.unplugged_at: str | None = None
        """A command with this text unplugs the device before it runs."""
        self.port = 0
        for path in MOVED:
            (root / path[1:]).mkdir(parents=True, exist_ok=True)
        self.plug_in()

    @property
    def serial(self) -> str:
        """What adb calls it."""
        return f"127.0.0.1:{self.port}"

    def plug_in(self) -> None:
        """Listen, on the same port as before."""
        self._link: socket.socket | None = None
        self._listener = socket.create_server(("127.0.0.1", self.port))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._serve, args=(self._listener,), daemon=True).start()

    def unplug(self) -> None:
        """Break the connection and listen no more."""
        for end in (self._listener, self._link):
            if end is not None:
                # Closing alone does not wake a thread that waits on the socket.
                with suppress(OSError):
                    end.shutdown(socket.SHUT_RDWR)
                end.close()

    def moved(self, text: str) -> str:
        """A path or command line of the device, as it is on this machine."""
        for path in MOVED:
            text = text.replace(path, str(self.root / path[1:]))
        return text

    def _serve(self, listener: socket.socket) -> None:
        while True:
            try:
                link, _ = listener.accept()
            except OSError:
                return
            self._link = link
            threading.Thread(target=_Connection(self, link).serve, daemon=True).start()


class _Connection:
    """One adb server's connection, with its streams."""

    def __init__(self, device: AndroidDevice, link: socket.socket) -> None:
        self.device, self.link = device, link
        self.streams: dict[int, _Stream] = {}
        self.sending = threading.Lock()

    def serve(self) -> None:
        try:
            while True:
                command, first, second, data = self._receive()
                if command == b"CNXN":
                    self._greet()
                elif command == b"AUTH":
                    if first == SIGNATURE:
                        self.send(b"AUTH", TOKEN, 0, bytes(20))
                elif command == b"OPEN":
                    service = data.rstrip(b"\0").decode()
                    stream = self.streams[first] = _Stream(self, first)
                    threading.Thread(target=stream.serve, args=(service,), daemon=True).start()
                elif second in self.streams:
                    self.streams[second].receive(command, data)
        except (OSError, EOFError):
            for stream in self.streams.values():
                stream.receive(b"CLSE", b"")

    def send(self, command: bytes, first: int, second: int, data: bytes = b"") -> None:
        word = struct.unpack("<I", command)[0]
        header = struct.pack("<6I", word, first, second, len(data), sum(data) & 0xFFFFFFFF, word ^ 0xFFFFFFFF)
        with self.sending:
            self.link.sendall(header + data)

    def _greet(self) -> None:
        if not self.device.authorized:
            self.send(b"AUTH", TOKEN, 0, bytes(20))
            return
        names = "ro.product.name=test;ro.product.model=Test_Phone;ro.product.device=test;"
        self.send(b"CNXN", VERSION, LARGEST, f"device::{names}{self.device.features}".encode())

    def _receive(self) -> tuple[bytes, int, int, bytes]:
        header = self._exactly(24)
        _, first, second, length, _, _ = struct.unpack("<6I", header)
        return header[:4], first, second, self._exactly(length)

    def _exactly(self, count: int) -> bytes:
        data = b""
        while len(data) < count:
            part = self.link.recv(count - len(data))
            if not part:
                raise EOFError
            data += part
        return data


class _Stream:
    """One service that adb opened; both ends use adb's number for it."""

    def __init__(self, connection: _Connection, number: int) -> None:
        self.connection, self.number = connection, number
        self.incoming: queue.Queue[bytes] = queue.Queue()
        self.acknowledged: queue.Queue[bool] = queue.Queue()
        self.buffer = b""

    def receive(self, command: bytes, data: bytes) -> None:
        if command == b"WRTE":
            self.incoming.put(data)
            self._send(b"OKAY")
        elif command == b"OKAY":
            self.acknowledged.put(True)
        else:
            self.incoming.put(b"")
            self.acknowledged.put(False)

    def serve(self, service: str) -> None:
        name, _, rest = service.partition(":")
        with suppress(OSError, EOFError):
            if name == "sync":
                self._send(b"OKAY")
                self._sync()
            elif name.split(",")[0] == "shell":
                self._send(b"OKAY")
                self._shell(rest, "v2" in name.split(","))
            self._send(b"CLSE")

    def _shell(self, command: str, framed: bool) -> None:
        device = self.connection.device
        device.commands.append(command)
        if device.unplugged_at is not None and device.unplugged_at in command:
            device.unplug()
            raise EOFError
        environment = {**os.environ, "PATH": f"{device.root / 'bin'}:{os.environ['PATH']}"}
        process = subprocess.run(
            ["sh", "-c", device.moved(command)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=environment,
            cwd=device.root,
            check=False,
        )
        for start in range(0, len(process.stdout), 4096):
            part = process.stdout[start : start + 4096]
            self._write(b"\1" + struct.pack("<I", len(part)) + part if framed else part)
        if framed:
            self._write(b"\3" + struct.pack("<I", 1) + bytes([process.returncode & 255]))

    def _sync(self) -> None:
        while True:
            request, length = self._take(4), struct.unpack("<I", self._take(4))[0]
            if request == b"QUIT":
                return
            text = self._take(length).decode()
            if request == b"STAT":
                path = Path(self.connection.device.moved(text))
                mode, size = (FOLDER_MODE, 0) if path.is_dir() else (0, 0)
                self._write(b"STAT" + struct.pack("<3I", mode, size, 0))
            elif request == b"SEND":
                self._save(Path(self.connection.device.moved(text.rpartition(",")[0])))

    def _save(self, path: Path) -> None:
        content = b""
        while (part := self._take(4)) == b"DATA":
            content += self._take(struct.unpack("<I", self._take(4))[0])
        self._take(4)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        except OSError as error:
            reason = str(error.strerror).encode()
            self._write(b"FAIL" + struct.pack("<I", len(reason)) + reason)
            return
        self.connection.device.pushed.append(path.name)
        assert part == b"DONE"
        self._write(b"OKAY" + bytes(4))

    def _take(self, count: int) -> bytes:
        while len(self.buffer) < count:
            data = self.incoming.get()
            if not data:
                raise EOFError
            self.buffer += data
        taken, self.buffer = self.buffer[:count], self.buffer[count:]
        return taken

    def _write(self, data: bytes) -> None:
        self._send(b"WRTE", data)
        if not self.acknowledged.get():
            raise EOFError

    def _send(self, command: bytes, data: bytes = b"") -> None:
        self.connection.send(command, self.number, self.number, data)


def adb(*arguments: str) -> str:
    """What Android's adb program prints."""
    return subprocess.run(["adb", *arguments], capture_output=True, text=True, check=False, timeout=60).stdout


def plugged_in(device: AndroidDevice) -> AndroidDevice:
    """The device, once adb's server is connected to it."""
    adb("connect", device.serial)
    return device
