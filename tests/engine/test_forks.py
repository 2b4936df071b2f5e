"""What a fork of an engine does, and when its death is the doing of what it did."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

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
def test_an_abort_or_a_hang_beside_threads_is_tried_again_and_all_else_is_blamed(
    tmp_path: Path, threads: int, fault: str, faults: int, told: str, tried: int
) -> None:
    tries = tmp_path / "tries"
    code = ACT.format(threads=threads, fault=fault)
    done = subprocess.run(
        [sys.executable, "-c", code, str(tries), str(faults)], capture_output=True, text=True, timeout=60, check=False
    )

    assert (done.stdout.strip(), len(tries.read_text().split())) == (told, tried), done.stderr
