"""Messages to a clean child process: JSON with an optional payload of bytes, over its standard streams."""

from __future__ import annotations

import contextlib
import ctypes
import io
import json
import os
import queue
import select
import signal
import struct
import subprocess
import sys
import threading
from dataclasses import dataclass
from typing import IO, Any

from tonesmith.engine.overheard import Lines
from tonesmith.engine.refusal import advice, refusal
from tonesmith.engine.starter import in_lasting_thread
from tonesmith.errors import ResourceError
from tonesmith.pinning.start import Start, starting

_LENGTHS = struct.Struct("<II")
_LIBC = ctypes.CDLL(None) if sys.platform == "linux" else None
_PR_SET_PDEATHSIG = 1  # linux/prctl.h
_WORDS = 2000
"""Bytes kept of what a child writes to standard error."""
FROM_OUTSIDE = frozenset(
    int(getattr(signal, name))
    for name in ("SIGHUP", "SIGINT", "SIGQUIT", "SIGKILL", "SIGTERM")
    if hasattr(signal, name)
)
"""Signals that a synth hardly sends itself: a person, a shell, a scheduler or a kernel out of memory does."""
_LINE_BUFFERED = 1  # _IOLBF of stdio.h, in glibc and musl
_ONE_THREAD = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")


class Channel:
    """Two byte streams that carry frames: two lengths, JSON, payload."""

    def __init__(self, reader: IO[bytes], writer: IO[bytes]) -> None:
        self._reader = reader
        self._writer = writer

    def send(self, message: dict[str, Any], payload: bytes = b"") -> None:
        """Send one frame. Raises ``OSError`` once the other end is gone."""
        text = json.dumps(message).encode()
        self._writer.write(_LENGTHS.pack(len(text), len(payload)) + text + payload)
        self._writer.flush()

    def receive(self) -> tuple[dict[str, Any], bytes]:
        """Return the next frame. Raises ``EOFError`` once the other end is gone."""
        text_length, payload_length = _LENGTHS.unpack(self._exactly(_LENGTHS.size))
        return json.loads(self._exactly(text_length)), self._exactly(payload_length)

    def close(self) -> None:
        """Close both streams; the other end reads an end of file."""
        for stream in (self._writer, self._reader):
            with contextlib.suppress(OSError):
                stream.close()

    def _exactly(self, size: int) -> bytes:
        data = self._reader.read(size)
        if len(data) != size:
            raise EOFError
        return data


def channel_to_parent() -> Channel:
    """Return the channel to the process that started this one, in a process that :class:`Child` started.

    The streams are moved out of the way of an engine that prints: descriptor 1 then leads to 2, line by line.
    Ctrl-C is the parent's to hear; a SIGINT to this process alone ends it, as any other signal would.
    """
    reader, writer = os.dup(0), os.dup(1)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.dup2(2, 1)
    _by_lines()
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})  # which the starter holds back
    _ask_for_death()
    if _is_left(reader):
        os._exit(0)
    return Channel(os.fdopen(reader, "rb"), os.fdopen(writer, "wb"))


def _by_lines() -> None:
    """Have standard output arrive line by line, Python's and C's: a process that forks and dies flushes nothing."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(line_buffering=True, errors="backslashreplace")
    if _LIBC is not None:
        with contextlib.suppress(ValueError):  # a C library that calls the stream otherwise
            _LIBC.setvbuf(ctypes.c_void_p.in_dll(_LIBC, "stdout"), None, _LINE_BUFFERED, 0)


def die_with_parent(parent: int) -> None:
    """Ask Linux to kill this process when its parent ends, however it ends; end at once if it has ended by now.

    The parent must have forked it in a thread that lasts: its end counts, as :mod:`tonesmith.engine.starter` has it.

    Args:
        parent: process id.
    """
    _ask_for_death()
    if os.getppid() != parent:
        os._exit(0)


def _ask_for_death() -> None:
    if _LIBC is not None:
        _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)


def _is_left(reader: int) -> bool:
    """Return whether the other end of a pipe is closed, though what was written before may not be read yet."""
    if not hasattr(select, "poll"):
        return False
    poll = select.poll()
    poll.register(reader, select.POLLHUP)
    return any(event & select.POLLHUP for _, event in poll.poll(0))


@dataclass(frozen=True, slots=True)
class Message:
    """What arrived from a child: a frame, or ``body`` None once it has ended."""

    sender: Child
    body: dict[str, Any] | None
    payload: bytes = b""


class Child:
    """A Python process of its own that runs a module and talks over a :class:`Channel`.

    It is no fork: it inherits no thread, no engine and no random state. It leads a process group, so that
    it can be killed with all that it forked, and Ctrl-C at the terminal does not reach it.

    Args:
        module: whose ``main`` it runs.
        inbox: gets what it sends.
        name: that lines which it writes are told by.
        pinned: whether it is to be one of :mod:`tonesmith.pinning`.
    """

    def __init__(self, module: str, inbox: queue.Queue[Message], name: str = "worker", *, pinned: bool = False) -> None:
        self._words = b""
        self._process = _started(module, pinned=pinned)
        self._lines = Lines(f"{name} {self._process.pid}")
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        assert self._process.stderr is not None
        self._channel = Channel(self._process.stdout, self._process.stdin)
        self._threads = [
            threading.Thread(target=self._listen, args=(inbox,), daemon=True),
            threading.Thread(target=self._overhear, args=(self._process.stderr,), daemon=True),
        ]
        for thread in self._threads:
            thread.start()

    @property
    def pid(self) -> int:
        """Process id."""
        return self._process.pid

    def send(self, message: dict[str, Any], payload: bytes = b"") -> None:
        """Send a frame; if the child is gone, its end is in the inbox or soon will be."""
        with contextlib.suppress(OSError, ValueError):
            self._channel.send(message, payload)

    def kill(self) -> None:
        """Kill the process and its whole group, and wait for its end."""
        if self._process.returncode is not None:
            return  # its number may be another's by now
        if sys.platform == "win32":
            self._process.kill()
        else:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        if sys.is_finalizing():
            return  # the threads have stopped where they were, and hold what they read from for good
        for thread in self._threads:
            thread.join(timeout=1.0)  # what the engine left running may hold a stream open
        self._channel.close()

    def end(self, patience: float = 10.0) -> None:
        """Close the stream to the child, on which it ends itself; kill what is left of it and its group."""
        with contextlib.suppress(OSError):
            assert self._process.stdin is not None
            self._process.stdin.close()
        if not sys.is_finalizing():
            self._threads[0].join(patience)  # until the stream from it closes too
        self.kill()

    @property
    def ended(self) -> bool:
        """Whether its process is over."""
        return self._process.poll() is not None

    def epitaph(self) -> tuple[int, str]:
        """Return how a process that ended did: its signal, or 0, and a phrase that says so."""
        code = self._process.wait()
        if code < 0:
            return -code, f"killed by {signal_name(-code)}"
        return 0, f"ended with status {code}"

    def last_words(self, size: int = _WORDS) -> str:
        """Return the end of what it wrote to standard error."""
        return self._words[-size:].decode(errors="replace").strip()

    def _listen(self, inbox: queue.Queue[Message]) -> None:
        try:
            while True:
                inbox.put(Message(self, *self._channel.receive()))
        except (EOFError, OSError, ValueError):
            inbox.put(Message(self, None))

    def _overhear(self, stream: IO[bytes]) -> None:
        """Keep the last that it wrote to standard error, however much an engine has to say."""
        with stream:
            while heard := os.read(stream.fileno(), 4096):
                self._words = (self._words + heard)[-_WORDS:]
                self._lines.feed(heard)
            self._lines.end()


def _started(module: str, *, pinned: bool) -> subprocess.Popen[bytes]:
    """Start a process. Raises :class:`ResourceError` if the system refuses one."""
    try:
        return in_lasting_thread(lambda: _opened(module, pinned=pinned))
    except (OSError, RuntimeError) as error:
        if what := refusal(error):
            raise ResourceError(advice(f"a process could not be started: {what}")) from error
        raise


def _opened(module: str, *, pinned: bool) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-P", "-m", module]
    environment = {**os.environ, **dict.fromkeys(_ONE_THREAD, "1")}
    with starting(environment, command) if pinned else contextlib.nullcontext(Start(environment)) as start:
        return subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
            env=start.environment,
            pass_fds=start.descriptors,
        )


def signal_name(number: int) -> str:
    """Return the name of a signal, such as SIGSEGV."""
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
