"""Commands, workers and engines of the tests: forks of one interpreter that has imported what they need.

A start of Python and these imports cost half a second, and a run starts four such processes. Tests of engines and of
processes themselves start real ones, as a user does.
"""

from __future__ import annotations

import atexit
import json
import os
import pickle
import shutil
import sys
import tempfile
from collections.abc import Sequence
from hashlib import sha256
from importlib import import_module
from pathlib import Path
from threading import Thread
from typing import IO

from tonesmith.cli import run
from tonesmith.engine import channel
from tonesmith.engine.client import Engine
from tonesmith.engine.description import Description
from tonesmith.host.builtin import BUILTINS
from tonesmith.pinning.start import MARK
from tonesmith.testing import fork_server

fork_server.PRELOADED += [__name__, "tonesmith.cli.app", "tonesmith.run.worker", "tonesmith.engine.server", "zarr"]
fork_server.PRELOADED += [*BUILTINS, "tonesmith.analysis.importance", "scipy.fft", "scipy.signal", "scipy.sparse"]
fork_server.PRELOADED += ["support.hosts"]
_SCRIPT = """\
#!{python} -IS
import os, pickle, socket, struct, sys

server = socket.socket(socket.AF_UNIX)
server.connect({address!r})
socket.send_fds(server, [b"\\0"], [0, 1, 2])
request = pickle.dumps({request!r} | {{"args": (sys.argv[1:], os.getcwd(), dict(os.environ))}})
server.sendall(struct.pack("<Q", len(request)) + request)
answers = server.makefile("rb")


def answer():
    return pickle.loads(answers.read(struct.unpack("<Q", answers.read(8))[0]))


answer()
ended = answer()
sys.stderr.write(ended["error"])
sys.exit(ended["status"])
"""
_OURS = {str(Path(__file__).parents[1]), str(Path(__file__).parent / "plugins"), ""}


if "PYTEST_XDIST_WORKER" in os.environ:  # one of several that share the cores: by default, a run has one worker
    os.sched_getaffinity = lambda _: {0}


_DESCRIBED = "TONESMITH_TESTS_DESCRIBED"
if _DESCRIBED not in os.environ:
    os.environ[_DESCRIBED] = tempfile.mkdtemp(prefix="tonesmith-described-")
    atexit.register(shutil.rmtree, os.environ[_DESCRIBED], ignore_errors=True)
_FOLDER = Path(os.environ[_DESCRIBED])


def _described(engine: Engine, hold: float, tail: float) -> Description:
    """Return what Vital says of itself, which takes it a second, and which is the same each time."""
    if engine._backend.name != "vita" or engine._backend.options.get("wavetables"):
        return _describe(engine, hold, tail)
    asked = [engine._backend.to_json(), engine._isolation, engine._audio.sample_rate, hold, tail]
    kept = _FOLDER / sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()
    if not kept.exists():
        aside = kept.with_suffix(f".{os.getpid()}")
        aside.write_bytes(pickle.dumps(_describe(engine, hold, tail)))
        aside.rename(kept)
    return pickle.loads(kept.read_bytes())  # noqa: S301 - our own


_describe = Engine.describe
Engine.describe = _described  # type: ignore[method-assign]


def run_forked(arguments: Sequence[str], folder: Path | None, environment: dict[str, str]) -> tuple[int, str, str]:
    """Run ``tonesmith`` in a fork; return its exit status, and what it wrote to both streams."""
    ends = [os.pipe(), os.pipe()]
    with Path(os.devnull).open() as nothing:
        streams = [nothing.fileno(), *(write for _, write in ends)]
        here = str(folder or Path.cwd())
        process = fork_server.start(_command, list(arguments), here, environment, streams=streams)
    written = [b"", b""]

    def read(number: int) -> None:
        with os.fdopen(ends[number][0], "rb") as stream:
            written[number] = stream.read()

    readers = [Thread(target=read, args=(number,)) for number in (0, 1)]
    for (_, write), reader in zip(ends, readers, strict=True):
        os.close(write)
        reader.start()
    with process:
        status = process.wait(240)
    for reader in readers:
        reader.join()
    if process.error:
        raise RuntimeError(process.error)
    return status, written[0].decode(), written[1].decode()


def write_command(path: Path) -> None:
    """Write a script that does what ``tonesmith`` does, in a fork."""
    path.write_text(
        _SCRIPT.format(
            python=sys.executable,
            address=fork_server.address(),
            request=fork_server.request_for(_command),
        )
    )
    path.chmod(0o755)


class Started:
    """A worker or an engine in a fork: what :class:`tonesmith.engine.channel.Child` asks of its process."""

    def __init__(self, module: str, *, pinned: bool = False) -> None:
        pipes = [os.pipe() for _ in range(3)]
        theirs = [pipes[0][0], pipes[1][1], pipes[2][1]]
        environment = {**os.environ, **dict.fromkeys(channel._ONE_THREAD, "1")}
        if pinned:  # the rest of it, the interpreter that forks has
            environment[MARK] = ""
        self._process = fork_server.start(_module, module, str(Path.cwd()), environment, streams=theirs)
        for end in theirs:
            os.close(end)
        self.pid = self._process.pid
        self.stdin: IO[bytes] = os.fdopen(pipes[0][1], "wb")
        self.stdout: IO[bytes] = os.fdopen(pipes[1][0], "rb")
        self.stderr: IO[bytes] = os.fdopen(pipes[2][0], "rb")

    @property
    def returncode(self) -> int | None:
        return self._process.returncode

    def poll(self) -> int | None:
        return self._process.poll()

    def wait(self, timeout: float | None = None) -> int:
        return self._process.wait(timeout or 600.0)


def _command(arguments: list[str], folder: str, environment: dict[str, str]) -> None:
    _become(folder, environment)
    channel._started = Started  # type: ignore[assignment]
    sys.argv = ["tonesmith", *arguments]
    sys.exit(run(arguments))


def _module(name: str, folder: str, environment: dict[str, str]) -> None:
    _become(folder, environment)
    channel._started = Started  # type: ignore[assignment]
    import_module(name).main()


def _become(folder: str, environment: dict[str, str]) -> None:
    os.setsid()
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    paths = tuple(filter(None, environment.get("PYTHONPATH", "").split(os.pathsep)))
    sys.path[:] = [*paths, *(path for path in sys.path if path not in _OURS)]
    sys.modules["support.hosts"].let_be_found()
