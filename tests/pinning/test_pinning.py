"""A pinned process: its clocks, its random devices and its addresses, and that it still waits as long as it should."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from support import ROOT

from tonesmith.pinning import start
from tonesmith.pinning.code import code, exported
from tonesmith.pinning.start import HOLDABLE, holdable, starting

pytestmark = pytest.mark.skipif(set(holdable()) != set(HOLDABLE), reason="this system does not let a process be pinned")
PREPARED = """
import ctypes, json, mmap, os, subprocess, sys, threading, time
from tonesmith.pinning.held import held, hold_still, settle_in
c = ctypes.CDLL(None)
c.malloc.restype = c.mmap.restype = ctypes.c_void_p
told = {}
"""
EPOCH = 1767225600
"""2026-01-01 00:00 UTC: where the held clock begins."""


def told(script: str, **environment: str) -> Any:
    """Return what a pinned process told that ran a script."""
    command = [sys.executable, "-P", "-c", f"{PREPARED}{script}\nprint(json.dumps(told))"]
    with starting({**os.environ, **environment}, command) as begun:
        done = subprocess.run(
            command,
            env=begun.environment,
            pass_fds=begun.descriptors,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    assert (done.returncode, done.stderr) == (0, "")
    return json.loads(done.stdout)


@pytest.mark.skipif(not (shutil.which("as") and shutil.which("objcopy")), reason="there is no assembler here")
def test_the_machine_code_is_what_its_assembly_says(tmp_path: Path) -> None:
    subprocess.run(["as", ROOT / "core" / "pinning" / "held.s", "-o", tmp_path / "held.o"], check=True)
    subprocess.run(["objcopy", "-O", "binary", "-j", ".text", tmp_path / "held.o", tmp_path / "held.bin"], check=True)
    assert code() == (tmp_path / "held.bin").read_bytes()


CLOCKS = """
def looked():
    pair, tiny = (ctypes.c_long * 2)(), (ctypes.c_ubyte * 16)()
    seen = {"time": c.time(None)}
    for name, clock in (("now", 0), ("coarse", 5), ("tai", 11)):
        seen[name] = [c.clock_gettime(clock, pair), *pair]
    seen["gettimeofday"] = [c.gettimeofday(pair, None), *pair]
    seen["timespec_get"] = [c.timespec_get(pair, 1), *pair]
    seen["ftime"] = [c.ftime(tiny), int.from_bytes(bytes(tiny[:8]), "little")]
    for name in ("_ZNSt6chrono3_V212system_clock3nowEv", "_ZNSt3__16chrono12system_clock3nowEv"):
        now = c[name]
        now.restype = ctypes.c_long
        seen[name] = now()
    return seen

def elsewhere(look):
    found = []
    thread = threading.Thread(target=lambda: found.append(look()))
    thread.start()
    thread.join()
    return found[0]

settle_in()
told["before"] = looked()
hold_still()
told["held"], told["python"], told["again"] = looked(), time.time(), looked()
told["thread"] = elsewhere(looked)
hold_still()
told["anew"] = looked()
began = time.monotonic()
time.sleep(0.05)
told["slept"] = time.monotonic() - began
told["real"] = subprocess.check_output(["date", "+%s"], text=True)
"""


def test_the_wall_clock_moves_with_each_look_alone_and_in_the_thread_that_holds_it() -> None:
    one, other = told(CLOCKS), told(CLOCKS)

    assert one["held"] == other["held"] == one["anew"]
    assert one["again"] == other["again"] != one["held"]
    held = one["held"]
    assert held["time"] == EPOCH
    assert [held[name] for name in ("now", "coarse", "tai")] == [[0, EPOCH, n * 1_000_000] for n in (1, 2, 3)]
    assert held["gettimeofday"] == [0, EPOCH, 4000]
    assert held["timespec_get"] == [1, EPOCH, 5_000_000]
    assert held["ftime"] == [0, EPOCH]
    assert held["_ZNSt6chrono3_V212system_clock3nowEv"] == EPOCH * 10**9 + 7_000_000
    assert held["_ZNSt3__16chrono12system_clock3nowEv"] == EPOCH * 10**6 + 8_000
    for seen in (one["before"], one["thread"]):
        seconds = [seen[name][1] for name in ("now", "coarse", "gettimeofday", "timespec_get", "ftime")]
        seconds += [seen["time"], seen["tai"][1] - 37, one["python"]]
        seconds += [
            seen["_ZNSt6chrono3_V212system_clock3nowEv"] / 1e9,
            seen["_ZNSt3__16chrono12system_clock3nowEv"] / 1e6,
        ]
        assert max(abs(second - int(one["real"])) for second in seconds) < 40.0
    assert 0.05 <= one["slept"] < 5.0


RANDOM = """
def drawn():
    bytes16 = (ctypes.c_ubyte * 16)()
    seen = {"getrandom": [c.getrandom(bytes16, 9, 0), bytes(bytes16).hex()]}
    seen["getentropy"] = [c.getentropy(bytes16, 16), bytes(bytes16).hex()]
    devices = ("9_M_getvalEv", "16_M_getval_pretr1Ev")
    seen["devices"] = [c[f"_ZNSt13random_device{name}"]() for name in devices] + [c["_ZNSt3__113random_deviceclEv"]()]
    if hasattr(c, "arc4random"):
        c.arc4random_buf(bytes16, 16)
        below = [c.arc4random_uniform(6) for _ in range(40)]
        seen["arc4random"] = [c.arc4random(), bytes(bytes16).hex(), below]
    return seen

settle_in()
told["before"] = drawn()
hold_still()
told["held"], told["python"], told["again"] = drawn(), os.urandom(8).hex(), drawn()
thread = threading.Thread(target=lambda: told.update(thread=drawn()))
thread.start()
thread.join()
hold_still()
told["anew"] = drawn()
"""


def test_random_devices_give_one_stream_in_the_thread_that_holds_them() -> None:
    one, other = told(RANDOM), told(RANDOM)

    assert one["held"] == other["held"] == one["anew"]
    assert one["again"] == other["again"]
    assert one["python"] != other["python"], "what the interpreter draws is none of the plugin's business"
    for name, value in one["held"].items():
        assert len({str(one[when][name]) for when in ("before", "held", "again", "thread")}) == 4, name
        assert other["before"][name] != one["before"][name] != value
    if "arc4random" in one["held"]:
        assert set(one["held"]["arc4random"][2]) == set(range(6))


WAITS = """
class Time(ctypes.Structure):
    _fields_ = [("s", ctypes.c_long), ("ns", ctypes.c_long)]

def until(clock, seconds):
    now = Time()
    c.clock_gettime(clock, ctypes.byref(now))
    then = now.s * 10**9 + now.ns + int(seconds * 1e9)
    return ctypes.byref(Time(then // 10**9, then % 10**9))

cond, mutex, sem = ((ctypes.c_ubyte * 64)() for _ in range(3))
c.sem_init(sem, 0, 0)
settle_in()
hold_still()
wall, steady = time.CLOCK_REALTIME, time.CLOCK_MONOTONIC

def lasted(wait, *first, deadline):
    c.pthread_mutex_trylock(mutex)
    began = time.monotonic()
    result = wait(*first, deadline)
    return [result, time.monotonic() - began]

told["cond"] = lasted(c.pthread_cond_timedwait, cond, mutex, deadline=until(wall, 0.1))
told["clock"] = lasted(c.pthread_cond_clockwait, cond, mutex, 0, deadline=until(wall, 0.1))
told["steady"] = lasted(c.pthread_cond_clockwait, cond, mutex, 1, deadline=until(steady, 0.1))
told["lock"] = lasted(c.pthread_mutex_timedlock, mutex, deadline=until(wall, 0.1))
told["sem"] = lasted(c.sem_timedwait, sem, deadline=until(wall, 0.1))
told["python"] = lasted(lambda seconds: int(threading.Event().wait(seconds)), deadline=0.1)
"""


def test_a_wait_until_a_time_of_the_held_clock_lasts_as_long_as_it_would() -> None:
    for name, (result, seconds) in told(WAITS).items():
        assert 0.09 < seconds < 3.0, name
        assert result == {"sem": -1, "python": 0}.get(name, 110), name  # ETIMEDOUT


ADDRESSES = """
junk = [bytearray(size) for size in range(600, 600 + 40 * int(os.environ["JUNK"]), 40)]
del junk[::2]
maps = [mmap.mmap(-1, 4096 * (1 + number)) for number in range(int(os.environ["JUNK"]))]
settle_in()
hold_still()
told["held"] = held()
told["heap"] = [c.malloc(size) for size in (24, 600, 1000, 5000, 100_000)]
told["map"] = [c.mmap(None, size, 3, 0x22, -1, 0) for size in (4096, 1 << 20)]
told["stack"] = ctypes.c_void_p.in_dll(c, "environ").value
"""


def test_addresses_do_not_depend_on_what_a_process_was_started_with_or_did_before() -> None:
    surroundings = [
        {"JUNK": "0"},
        {"JUNK": "700", "LONG": "x" * 3001},
        {"JUNK": "3", "ONE": "", "TWO": "", "LANG": "C"},
    ]
    first, *others = [told(ADDRESSES, **environment) for environment in surroundings]

    assert first["held"] == list(HOLDABLE)
    assert others == [first, first]


def test_a_pinned_process_leaves_no_trace_in_what_it_starts() -> None:
    script = "settle_in()\nbefore = dict(os.environ)\ntold = subprocess.check_output(['env'], text=True).split()"
    lines = told(script, LD_LIBRARY_PATH="/nowhere", LANGUAGES="7", LANG="C", LC_TIME="C")
    names = {line.partition("=")[0] for line in lines}

    assert not names & {"TONESMITH_PINNED", "LD_PRELOAD", "LANG", "LC_TIME"}
    assert {"LD_LIBRARY_PATH=/nowhere", "LANGUAGES=7", "TZ=UTC", "LC_ALL=C.UTF-8", "PYTHONHASHSEED=0"} <= set(lines)


def test_nothing_is_held_in_a_process_that_was_not_started_pinned() -> None:
    script = (
        f"{PREPARED}settle_in()\nhold_still()\nprint(held(), hasattr(c, 'tonesmith_hold'), time.time() > {EPOCH + 9})"
    )
    done = subprocess.run([sys.executable, "-P", "-c", script], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.split("\n")[0] == "() False True"


def refused() -> int:
    raise PermissionError


def test_what_a_system_cannot_hold_is_not_held(monkeypatch: pytest.MonkeyPatch) -> None:
    script = "settle_in()\nhold_still()\ntold = held()"
    with monkeypatch.context() as patch:
        patch.setattr(start, "_unrandomised", lambda: contextlib.nullcontext(False))
        assert tuple(told(script)) == holdable() == ("clocks", "random devices")
    with monkeypatch.context() as patch:
        patch.setattr("platform.machine", lambda: "aarch64")
        assert tuple(told(script)) == holdable() == ("addresses",)
    with monkeypatch.context() as patch:
        patch.setattr(start, "_memory_file", refused)
        assert told(script) == ["addresses"]
    with monkeypatch.context() as patch:
        patch.setattr("sys.platform", "darwin")
        assert holdable() == ()


REFUSED = """
import ctypes, struct
from tonesmith.pinning.start import holdable

class Program(ctypes.Structure):
    _fields_ = [("length", ctypes.c_ushort), ("filter", ctypes.c_void_p)]

steps = [(0x20, 0, 0, 0), (0x15, 0, 3, 135), (0x20, 0, 0, 16), (0x15, 1, 0, 0xFFFFFFFF)]
steps += [(0x06, 0, 0, 0x00050001), (0x06, 0, 0, 0x7FFF0000)]  # what asks is allowed, and what sets is not
text = ctypes.create_string_buffer(b"".join(struct.pack("<HBBI", *step) for step in steps))
c = ctypes.CDLL(None)
c.prctl(38, 1, 0, 0, 0)
assert c.prctl(22, 2, ctypes.byref(Program(len(steps), ctypes.addressof(text))), 0, 0) == 0
print(*holdable(), sep=",")
"""


def test_a_system_that_refuses_fixed_addresses_as_containers_do_is_found_out() -> None:
    done = subprocess.run([sys.executable, "-P", "-c", REFUSED], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout == "clocks,random devices\n"


def test_every_name_leads_to_an_entry_of_its_own_kind() -> None:
    names = dict(exported())
    assert names["_ZNSt13random_device9_M_getvalEv"] == names["_ZNSt3__113random_deviceclEv"]
    assert len(set(names.values())) == len(names) - 2
