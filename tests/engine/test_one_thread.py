"""An engine with threads goes on in a copy that has one, and believes it once a note was played in it."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="forks, and threads that are counted by /proc")

THREADED = """
import os, signal, sys, threading, time
from pathlib import Path
from tonesmith.engine import one_thread

tries, here = Path(sys.argv[1]), os.getpid()
threading.Thread(target=time.sleep, args=(60,), daemon=True).start()


def proof():
    with tries.open("a") as file:
        file.write("tried\\n")
    if len(tries.read_text().split()) <= int(sys.argv[2]):
        {fault}
    raise ValueError("which is no death")


one_thread._SECONDS = 0.3
one_thread.one_threaded(proof, lambda: os.write(1, b"let go\\n"))
os.write(1, b"%d %d\\n" % (os.getppid() == here, len(os.listdir("/proc/self/task"))))
{end}
"""
DEATH, HANG = "os.abort()", "time.sleep(60)"


def outcome(tries: Path, faults: int, fault: str = DEATH, end: str = "") -> subprocess.CompletedProcess[str]:
    code = THREADED.format(fault=fault, end=end)
    command = [sys.executable, "-c", code, str(tries), str(faults)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.parametrize(("fault", "faults"), [(DEATH, 0), (DEATH, 5), (HANG, 2)])
def test_a_copy_that_met_a_lock_is_made_anew_until_a_note_is_played_in_one(tmp_path, fault, faults):
    done = outcome(tmp_path / "tries", faults, fault)

    assert (done.returncode, sorted(done.stdout.splitlines())) == (0, ["1 1", "let go"]), done.stderr
    assert len((tmp_path / "tries").read_text().split()) == faults + 1


@pytest.mark.parametrize(("fault", "tried"), [(DEATH, 199), (HANG, 3)])
def test_a_plugin_that_never_plays_is_served_all_the_same(tmp_path, fault, tried):
    done = outcome(tmp_path / "tries", 1000, fault)

    assert (done.returncode, sorted(done.stdout.splitlines())) == (0, ["1 1", "let go"]), done.stderr
    assert len((tmp_path / "tries").read_text().split()) == tried


@pytest.mark.parametrize("number", [signal.SIGSEGV, signal.SIGKILL, signal.SIGTERM])
def test_a_process_ends_as_its_copy_did(tmp_path, number):
    done = outcome(tmp_path / "tries", 0, end=f"os.kill(os.getpid(), {int(number)})")
    assert done.returncode == -number


def test_a_process_with_one_thread_goes_on_as_it_is():
    code = (
        "import os; from tonesmith.engine.one_thread import one_threaded\n"
        "here = os.getpid(); one_threaded(os.abort, os.abort); print(os.getpid() == here)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout == "True\n"
