"""Engines outlive the thread that started them, and nothing outlives the process."""

from __future__ import annotations

import asyncio
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from support.processes import descendants, is_alive, send, wait_for

from tonesmith.engine.channel import Channel, Child, Message
from tonesmith.engine.starter import in_lasting_thread
from tonesmith.space.patch import Note, Patch

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="death signals, and processes by /proc")

NOTES = [Note(60, 100, 0.1, 0.1)]
PLAIN = Patch({"freq": 440.0, "level": 0.5, "fault": 0.0})


def _in_a_thread(act: Callable[[], Any]) -> None:
    thread = threading.Thread(target=act)
    thread.start()
    thread.join()


def _in_a_pool(act: Callable[[], Any]) -> None:
    with ThreadPoolExecutor(1) as pool:
        pool.submit(act).result()


def _in_asyncio(act: Callable[[], Any]) -> None:
    async def main() -> None:
        await asyncio.to_thread(act)

    asyncio.run(main())


_LONG = pytest.mark.long


@pytest.mark.parametrize(
    "somewhere", [_in_a_thread, pytest.param(_in_a_pool, marks=_LONG), pytest.param(_in_asyncio, marks=_LONG)]
)
def test_an_engine_outlives_the_thread_that_started_it(engine_of, somewhere):
    engine = engine_of()
    somewhere(engine.start)
    first = engine.pid

    time.sleep(0.2)  # the kernel would kill it as the thread ends
    somewhere(lambda: engine.play(PLAIN, NOTES, 30.0))

    assert engine.audio.any()
    assert engine.pid == first
    assert is_alive(first)


def test_what_is_raised_in_the_lasting_thread_is_raised_here():
    def fail() -> None:
        raise ZeroDivisionError("there")

    with pytest.raises(ZeroDivisionError, match="there"):
        in_lasting_thread(fail)
    assert in_lasting_thread(threading.get_ident) == in_lasting_thread(threading.get_ident) != threading.get_ident()


_PROGRAM = """
import multiprocessing, sys, threading, time
from pathlib import Path
from tonesmith.engine.client import Engine
from tonesmith.plan.plan import Audio, PluginRef
from tonesmith.space.patch import Note, Patch


def played():
    reference = PluginRef("chaos", {"slow": float(sys.argv[3])})
    with Engine(reference, Audio(8000, 2, 1600), 1, "snapshot", asset=lambda name: b"") as engine:
        engine.play(Patch({"freq": 440.0, "level": 0.5, "fault": 0.0}), [Note(60, 100, 0.1, 0.1)], 60.0)
        return engine.audio.tobytes()


def load(there):
    Path(there).write_bytes(played())


if __name__ == "__main__":
    method, there, slow = sys.argv[1:]
    if slow == "0":
        load(f"{there}.here")  # so that there is something to inherit
    loader = multiprocessing.get_context(method).Process(target=load, args=(there,), daemon=True)
    loader.start()
    loader.join()
    sys.exit(loader.exitcode)
"""


@pytest.fixture
def program(chaos_in_processes: Any, tmp_path: Path) -> Callable[..., subprocess.Popen[bytes]]:
    def start(*arguments: object) -> subprocess.Popen[bytes]:
        script = tmp_path / "program.py"
        script.write_text(_PROGRAM)
        return subprocess.Popen([sys.executable, str(script), *map(str, arguments)])

    return start


@pytest.mark.parametrize("method", ["fork", pytest.param("spawn", marks=_LONG)])
def test_a_daemonic_process_of_multiprocessing_has_engines_of_its_own(program, tmp_path, method):
    there = tmp_path / "audio"

    assert program(method, there, 0).wait(60) == 0

    assert there.read_bytes() == there.with_suffix(".here").read_bytes() != b""


@pytest.mark.parametrize("method", [pytest.param(method, marks=_LONG) for method in ("fork", "spawn")])
def test_nothing_is_left_of_a_process_that_is_killed_while_a_child_of_it_plays(program, tmp_path, method):
    main = program(method, tmp_path / "audio", 120)
    wait_for(lambda: len(descendants(main.pid)) >= 3 + (method == "spawn"))
    loader = descendants(main.pid)[0] if method == "fork" else _player(main.pid)
    below = descendants(loader)

    send(loader, signal.SIGKILL)
    wait_for(lambda: not any(map(is_alive, [loader, *below])))

    assert below
    assert main.wait(30) != 0


def test_an_engine_whose_client_has_gone_before_it_began_loads_nothing(chaos_in_processes):
    command = [sys.executable, "-P", "-m", "tonesmith.engine.server"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL) as server:
        backend = {"name": "chaos", "options": {"load": "hang"}}
        Channel(BytesIO(), server.stdin).send({"backend": backend, "sample_rate": 8000, "isolation": "snapshot"})
        server.stdin.close()
        try:
            assert server.wait(20) == 0
        finally:
            server.kill()


@_LONG
def test_a_child_that_is_interrupted_while_python_starts_ends_by_that_signal(chaos_in_processes):
    ends = []
    for delay in (0.03, 0.06, 0.1, 0.15):
        inbox: queue.Queue[Message] = queue.Queue()
        child = Child("tonesmith.engine.server", inbox)
        time.sleep(delay)
        send(child.pid, signal.SIGINT)
        ends.append(inbox.get(timeout=30).body)
        child.kill()
        ends.append(child.epitaph()[0])

    assert ends == [None, signal.SIGINT] * 4


def test_a_fork_whose_parent_has_gone_before_it_asked_for_its_death_ends_at_once():
    code = "from tonesmith.engine.channel import die_with_parent\ndie_with_parent(1 << 30)\nprint('goes on')"

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)

    assert done.stdout == ""


def _player(pid: int) -> int:
    """Return the child that has children: multiprocessing keeps another one that tracks resources."""
    wait_for(lambda: any(descendants(child) for child in descendants(pid)))
    return next(child for child in descendants(pid) if descendants(child))
