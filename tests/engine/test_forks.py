"""What a fork of an engine does, and when its death is the doing of what it did."""

from __future__ import annotations

import ctypes
import errno
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from tonesmith.engine import forks

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="forks, and threads that are counted by /proc")

ACT = """
import os, signal, sys, threading, time
from pathlib import Path
from tonesmith.engine import forks
from tonesmith.errors import EngineError

tries, faults = Path(sys.argv[1]), int(sys.argv[2])
if {threads}:
    threading.Thread(target=time.sleep, args=(60,), daemon=True).start()


def act():
    with tries.open("a") as file:
        file.write("tried\\n")
    if len(tries.read_text().split()) <= faults:
        {fault}
    return {{"told": "well"}}


forks._SECONDS = 0.3
try:
    print(forks.forked(act))
except EngineError as error:
    print(error)
"""
ABORT, SEGV, HANG, EXIT = "os.abort()", "os.kill(os.getpid(), signal.SIGSEGV)", "time.sleep(1.5)", "os._exit(0)"
WELL, CRASH = "{'told': 'well'}", "the engine crashed on it"


@pytest.mark.parametrize(
    ("threads", "fault", "faults", "told", "tried"),
    [
        (1, ABORT, 30, WELL, 31),
        (1, HANG, 2, WELL, 3),
        (1, HANG, 9, WELL, 4),  # the last is waited for
        (1, ABORT, 999, f"{CRASH} (SIGABRT)", 200),
        (1, SEGV, 999, f"{CRASH} (SIGSEGV)", 2),
        (1, EXIT, 999, f"{CRASH} (signal 0)", 1),
        (0, ABORT, 1, WELL, 2),
        (0, ABORT, 999, f"{CRASH} (SIGABRT)", 2),
        (0, HANG, 1, WELL, 1),
    ],
)
@pytest.mark.first
def test_an_abort_or_a_hang_beside_threads_is_tried_again_and_all_else_is_blamed(
    tmp_path: Path, threads: int, fault: str, faults: int, told: str, tried: int
) -> None:
    tries = tmp_path / "tries"
    code = ACT.format(threads=threads, fault=fault)
    done = subprocess.run(
        [sys.executable, "-c", code, str(tries), str(faults)], capture_output=True, text=True, timeout=60, check=False
    )

    assert (done.stdout.strip(), len(tries.read_text().split())) == (told, tried), done.stderr


HOOKS = """
import os, random, sys, threading, time
from tonesmith.engine.forks import forked

hooks = []
os.register_at_fork(after_in_child=lambda: hooks.append("ran"))
if {threads}:
    threading.Thread(target=time.sleep, args=(60,), daemon=True).start()
told = [forked(lambda: {{"hooks": hooks, "drawn": random.random()}}) for _ in range(2)]
print(told[0] == told[1], told[0]["hooks"], flush=True)
os._exit(0)
"""


@pytest.mark.parametrize(("threads", "told"), [(0, "True []"), (1, "False ['ran']")])
def test_a_fork_draws_as_its_parent_would_and_runs_pythons_hooks_only_beside_threads(threads: int, told: str) -> None:
    code = HOOKS.format(threads=threads)
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert (run.stdout.strip(), run.returncode) == (told, 0), run.stderr


def test_a_fork_that_the_system_refuses_is_an_error_as_python_raises_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(forks, "_alone", lambda: True)
    monkeypatch.setattr(forks, "_LIBC", SimpleNamespace(fork=lambda: ctypes.set_errno(errno.EAGAIN) or -1))
    with pytest.raises(BlockingIOError, match=os.strerror(errno.EAGAIN)):
        forks.fork(print, print)
