"""Functions in processes of their own: each is a fork of one clean interpreter, which shares no lock or thread with us.

A new interpreter costs a second of imports each time, and tests start thousands. Here one is started when it is first
needed; it imports NumPy and this package, and forks for each function. It is gone when this process is. Who asked for a
process holds a socket to the server for as long as the process runs: when he is gone, so is the process and its group.
"""

from __future__ import annotations

import atexit
import contextlib
import gc
import os
import pickle
import selectors
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import traceback
from collections.abc import Callable, Sequence
from importlib import import_module
from typing import Any, Self

from tonesmith.pinning.held import clear_traces
from tonesmith.pinning.start import starting

PRELOADED = ["tonesmith.testing.sink_processes"]
"""Modules that the server imports before its first fork. A test suite may add its own."""
_HEADER = struct.Struct("<Q")
_ADDRESS: list[str] = []
"""Where the server listens: a fork of it, or of this process, asks the same one."""


class Process:
    """A function that runs in a process of its own.

    Attributes:
        pid: of the process.
        returncode: 0 if the function returned, 1 if it raised, minus the signal that ended it; None while it runs.
        error: the traceback of what it raised, or "".
    """

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._lock = threading.Lock()
        self.pid = int(_receive(connection)["started"])
        self.returncode: int | None = None
        self.error = ""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()
        self.wait()

    def poll(self) -> int | None:
        """Return the exit status, or None while it runs."""
        return self._listened(0.0)

    def wait(self, timeout: float = 120.0) -> int:
        """Return the exit status. Raises :class:`subprocess.TimeoutExpired` after ``timeout`` seconds."""
        status = self._listened(timeout)
        if status is None:
            raise subprocess.TimeoutExpired(str(self.pid), timeout)
        return status

    def kill(self) -> None:
        """End it with SIGKILL, if it runs."""
        if self.poll() is None:
            os.kill(self.pid, signal.SIGKILL)

    def _listened(self, seconds: float) -> int | None:
        with self._lock:
            if self.returncode is None:
                self._connection.settimeout(max(seconds, 0.001))
                try:
                    said = _receive(self._connection)
                except TimeoutError:
                    return None
                self.returncode, self.error = said["status"], said["error"]
                self._connection.close()
            return self.returncode


def start(target: Callable[..., None], *args: Any, streams: Sequence[int] = ()) -> Process:
    """Return a process that runs a function of a module, with arguments that can be pickled.

    Args:
        target: the function.
        *args: what it is called with.
        streams: descriptors that become its standard input, output and error; by default it has the server's.
    """
    connection = socket.socket(socket.AF_UNIX)
    connection.connect(address())
    connection.settimeout(60.0)
    socket.send_fds(connection, [b"\0"], streams)
    _send(connection, request_for(target, *args))
    return Process(connection)


def request_for(target: Callable[..., None], *args: Any) -> dict[str, Any]:
    """Return what asks the server for a process. It is sent after the streams, pickled, with its length in 8 bytes."""
    return {"path": list(sys.path), "module": target.__module__, "name": target.__name__, "args": args}


def address() -> str:
    """Return the path of the socket where the server listens. It is started if it is not there yet."""
    if not _ADDRESS:
        folder = tempfile.mkdtemp(prefix="tonesmith-forks-")
        path = f"{folder}/socket"
        command = [sys.executable, "-P", "-c", "from tonesmith.testing.fork_server import serve; serve()"]
        paths = os.pathsep.join(filter(None, sys.path))
        environment = {**os.environ, "PYTHONPATH": paths, "OPENBLAS_NUM_THREADS": "1"}
        command += [path, *PRELOADED]
        with starting(environment, command) as start:  # so that a fork of it can be a pinned process
            server = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                env=start.environment,
                pass_fds=start.descriptors,
            )
        assert server.stdout is not None
        if not server.stdout.readline():
            raise RuntimeError(f"the interpreter that forks ended with status {server.wait()}")
        owner = os.getpid()
        atexit.register(lambda: _end(server, folder) if os.getpid() == owner else None)
        _ADDRESS.append(path)
    return _ADDRESS[0]


def _end(server: subprocess.Popen[bytes], folder: str) -> None:
    server.kill()
    server.communicate()
    shutil.rmtree(folder, ignore_errors=True)


class _Server:
    """The interpreter that forks."""

    def __init__(self, path: str) -> None:
        self._asked: dict[int, socket.socket | None] = {}
        """Of each process that runs: who waits for it, if anybody does."""
        self._errors: dict[int, int] = {}
        self._wake, woken = os.pipe()
        os.set_blocking(woken, False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(woken, warn_on_full_buffer=False)
        self._door = socket.socket(socket.AF_UNIX)
        self._door.bind(path)
        self._door.listen(64)
        self._selector = selectors.DefaultSelector()
        for source in (0, self._wake, self._door):
            self._selector.register(source, selectors.EVENT_READ)

    def serve(self) -> None:
        """Answer until standard input is closed."""
        while True:
            for key, _ in self._selector.select():
                if key.fileobj == 0:
                    for pid in self._asked:
                        _kill(pid)
                    return
                if key.fileobj == self._wake:
                    os.read(self._wake, 4096)
                    self._reap()
                elif key.fileobj is self._door:
                    connection = self._door.accept()[0]
                    connection.settimeout(60.0)
                    pid = self._forked(connection)
                    self._selector.register(connection, selectors.EVENT_READ, pid)
                elif self._asked.get(key.data) is key.fileobj:
                    self._leave(key.data)
                    _kill(key.data)

    def _leave(self, pid: int) -> None:
        connection = self._asked[pid]
        self._asked[pid] = None
        if connection is not None:
            self._selector.unregister(connection)
            connection.close()

    def _forked(self, connection: socket.socket) -> int:
        streams = socket.recv_fds(connection, 1, 3)[1]
        request = _receive(connection)
        read, write = os.pipe()
        pid = os.fork()
        if pid == 0:
            status = 1
            try:
                signal.set_wakeup_fd(-1)
                signal.signal(signal.SIGCHLD, signal.SIG_DFL)
                for number, stream in enumerate(streams):
                    os.dup2(stream, number)
                os.closerange(3, write)
                os.closerange(write + 1, 1024)
                sys.path[:] = request["path"]
                getattr(import_module(request["module"]), request["name"])(*request["args"])
                status = 0
            except SystemExit as stop:
                status = stop.code if isinstance(stop.code, int) else int(stop.code is not None)
            except BaseException:  # noqa: BLE001 - a fork must not return
                os.write(write, traceback.format_exc().encode()[-60_000:])
            finally:
                with contextlib.suppress(Exception):
                    sys.stdout.flush()
                os._exit(status)
        for descriptor in (write, *streams):
            os.close(descriptor)
        self._asked[pid], self._errors[pid] = connection, read
        _send(connection, {"started": pid})
        return pid

    def _reap(self) -> None:
        for pid in list(self._asked):
            ended, status = os.waitpid(pid, os.WNOHANG)
            if not ended:
                continue
            pipe = self._errors.pop(pid)
            os.set_blocking(pipe, False)  # a fork of the process may still hold its end
            try:
                error = os.read(pipe, 1 << 16).decode(errors="replace")
            except BlockingIOError:
                error = ""
            os.close(pipe)
            if (connection := self._asked[pid]) is not None:
                with contextlib.suppress(OSError):
                    _send(connection, {"status": os.waitstatus_to_exitcode(status), "error": error})
                self._leave(pid)
            del self._asked[pid]


def serve() -> None:
    """Be the server: ``sys.argv`` has the path of its socket, and modules to import before the first fork."""
    clear_traces()
    path, *modules = sys.argv[1:]
    for name in modules:
        import_module(name)
    if threading.active_count() > 1:
        raise RuntimeError("a fork must not inherit the lock of a thread")
    _ADDRESS[:] = [path]
    gc.freeze()  # a collection in a fork would copy every page
    server = _Server(path)
    os.write(1, b"ready\n")
    os.dup2(2, 1)  # where the server's own output goes, and that of a function with no streams
    server.serve()


def _kill(pid: int) -> None:
    """Kill a process, with all that it forked if it leads a group."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        if os.getpgid(pid) == pid:
            os.killpg(pid, signal.SIGKILL)
        else:
            os.kill(pid, signal.SIGKILL)


def _send(connection: socket.socket, message: dict[str, Any]) -> None:
    body = pickle.dumps(message)
    connection.sendall(_HEADER.pack(len(body)) + body)


def _receive(connection: socket.socket) -> Any:
    (length,) = _HEADER.unpack(_read(connection, _HEADER.size))
    return pickle.loads(_read(connection, length))  # noqa: S301 - our own


def _read(connection: socket.socket, length: int) -> bytes:
    content = b""
    while len(content) < length:
        if not (part := connection.recv(length - len(content))):
            raise EOFError
        content += part
    return content
