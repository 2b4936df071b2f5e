"""Functions in processes of their own: each is a fork of one clean interpreter, which shares no lock or thread with us.

A new interpreter costs a second of imports each time, and a contract of a sink starts dozens. Here one is started when
it is first needed; it imports NumPy and this package, and forks for each function. It is gone when this process is.
"""

from __future__ import annotations

import atexit
import os
import pickle
import select
import signal
import struct
import subprocess
import sys
import time
import traceback
from collections.abc import Callable
from typing import Any, Self

_HEADER = struct.Struct("<Q")
_SERVER: list[_Server] = []


class Process:
    """A function that runs in a process of its own.

    Attributes:
        pid: of the process.
        returncode: 0 if the function returned, 1 if it raised, minus the signal that ended it; None while it runs.
        error: the traceback of what it raised, or "".
    """

    def __init__(self, server: _Server, pid: int) -> None:
        self._server = server
        self.pid = pid
        self.returncode: int | None = None
        self.error = ""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()
        self.wait()

    def poll(self) -> int | None:
        """Return the exit status, or None while it runs."""
        self._server.listen(0.0)
        return self.returncode

    def wait(self, timeout: float = 120.0) -> int:
        """Return the exit status. Raises :class:`subprocess.TimeoutExpired` after ``timeout`` seconds."""
        end = time.monotonic() + timeout
        while self.returncode is None:
            if time.monotonic() > end:
                raise subprocess.TimeoutExpired(str(self.pid), timeout)
            self._server.listen(0.5)
        return self.returncode

    def kill(self) -> None:
        """End it with SIGKILL, if it runs."""
        if self.poll() is None:
            os.kill(self.pid, signal.SIGKILL)


def start(target: Callable[..., None], *args: Any) -> Process:
    """Return a process that runs a function of a module, with arguments that can be pickled."""
    if not _SERVER or not _SERVER[0].alive:
        _SERVER[:] = [_Server()]
    return _SERVER[0].start(target, args)


class _Server:
    """The client's side of the interpreter that forks."""

    def __init__(self) -> None:
        command = [sys.executable, "-P", "-c", "from tonesmith.testing.fork_server import serve; serve()"]
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path)), "OPENBLAS_NUM_THREADS": "1"}
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment, bufsize=0
        )
        self._owner = os.getpid()
        self._running: dict[int, Process] = {}
        atexit.register(self._end)

    @property
    def alive(self) -> bool:
        """Whether it is there, and was started by this process and not by one that this is a fork of."""
        return self._owner == os.getpid() and self._process.poll() is None

    def start(self, target: Callable[..., None], args: tuple[Any, ...]) -> Process:
        """Have it fork for a function."""
        assert self._process.stdin is not None
        _send(self._process.stdin.fileno(), {"path": list(sys.path), "call": pickle.dumps((target, args))})
        while True:
            if (started := self.listen(60.0)) is not None:
                return started

    def listen(self, seconds: float) -> Process | None:
        """Take in what it says within so many seconds: return a process that has started, if that is it."""
        output = self._process.stdout
        assert output is not None
        if not select.select([output], [], [], seconds)[0]:
            return None
        said = _receive(output.fileno())
        if "started" in said:
            made = self._running[said["started"]] = Process(self, said["started"])
            return made
        ended = self._running.pop(said["ended"])
        ended.returncode, ended.error = said["status"], said["error"]
        return None

    def _end(self) -> None:
        if self.alive:
            self._process.kill()
            self._process.communicate()


def serve() -> None:
    """Fork for each function that standard input names, and say on standard output how each process ends."""
    import tonesmith.testing.sink_processes  # noqa: F401 - what each function needs is imported before the forks

    wake, woken = os.pipe()
    os.set_blocking(woken, False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(woken, warn_on_full_buffer=False)
    requests, answers = 0, os.dup(1)
    os.dup2(2, 1)  # what a function prints must not look like an answer
    errors: dict[int, int] = {}
    while True:
        ready = select.select([requests, wake], [], [])[0]
        if wake in ready:
            os.read(wake, 4096)
            _reap(errors, answers)
        if requests in ready:
            try:
                request = _receive(requests)
            except EOFError:
                for pid in errors:
                    os.kill(pid, signal.SIGKILL)
                return
            pid = _forked(request, errors)
            _send(answers, {"started": pid})


def _forked(request: dict[str, Any], errors: dict[int, int]) -> int:
    read, write = os.pipe()
    pid = os.fork()
    if pid == 0:
        status = 1
        try:
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            sys.path[:] = request["path"]
            target, args = pickle.loads(request["call"])  # noqa: S301 - our own
            target(*args)
            status = 0
        except BaseException:  # noqa: BLE001 - a fork must not return
            os.write(write, traceback.format_exc().encode()[-60_000:])
        finally:
            os._exit(status)
    os.close(write)
    errors[pid] = read
    return pid


def _reap(errors: dict[int, int], answers: int) -> None:
    for pid in list(errors):
        ended, status = os.waitpid(pid, os.WNOHANG)
        if ended:
            pipe = errors.pop(pid)
            os.set_blocking(pipe, False)  # a fork of the process may still hold its end
            try:
                error = os.read(pipe, 1 << 16).decode(errors="replace")
            except BlockingIOError:
                error = ""
            os.close(pipe)
            _send(answers, {"ended": pid, "status": os.waitstatus_to_exitcode(status), "error": error})


def _send(pipe: int, message: dict[str, Any]) -> None:
    body = pickle.dumps(message)
    rest = memoryview(_HEADER.pack(len(body)) + body)
    while rest:
        rest = rest[os.write(pipe, rest) :]


def _receive(pipe: int) -> Any:
    (length,) = _HEADER.unpack(_read(pipe, _HEADER.size))
    return pickle.loads(_read(pipe, length))  # noqa: S301 - our own


def _read(pipe: int, length: int) -> bytes:
    content = b""
    while len(content) < length:
        if not (part := os.read(pipe, length - len(content))):
            raise EOFError
        content += part
    return content
