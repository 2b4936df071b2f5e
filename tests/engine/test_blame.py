"""Who is blamed when a patch does not play: only what repeats in a new engine."""

from __future__ import annotations

import errno
import os
import signal
import threading
import time

import pytest
from support.processes import members, send, wait_for

from tonesmith.engine.shared_audio import SharedAudio, shared_file
from tonesmith.errors import ResourceError
from tonesmith.space.patch import Note, Patch

NOTES = [Note(60, 100, 0.1, 0.1)]
PLAIN = Patch({"freq": 440.0, "level": 0.5, "fault": 0.0})
CRASH = Patch({**PLAIN.values, "fault": 1.0})
HANG = Patch({**PLAIN.values, "fault": 2.0})


def _signalled(engine, role: str, number: int) -> list[str]:
    """Play a patch while a signal comes to the engine or its fork; return what was played again, and why."""
    again = []

    def strike() -> None:
        wait_for(lambda: members("fork"))
        send(members(role)[0], number)

    thread = threading.Thread(target=strike)
    thread.start()
    (outcome,) = engine.play(PLAIN, NOTES, 30.0, again.append)
    thread.join()
    assert outcome.failure == ""
    return [f"{heard.failure} {heard.detail}" for heard in again]


@pytest.mark.long
def test_a_signal_from_outside_to_a_fork_or_its_engine_is_no_fault_of_the_patch(engine_of):
    engine = engine_of(slow=1.0)
    engine.play(PLAIN, NOTES, 30.0)
    undisturbed = engine.audio.copy()

    for role, number in (("fork", signal.SIGTERM), ("fork", signal.SIGINT), ("engine", signal.SIGHUP)):
        (again,) = _signalled(engine, role, number)

        assert again.startswith("crash")
        assert signal.Signals(number).name in again
        assert engine.audio.tobytes() == undisturbed.tobytes()


@pytest.mark.long
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT, signal.SIGKILL])
@pytest.mark.parametrize("role", ["fork", "engine"])
@pytest.mark.parametrize("isolation", ["snapshot", "fresh"])
def test_no_signal_from_outside_is_a_fault_of_the_patch(engine_of, role, number, isolation):
    if (role, isolation) == ("fork", "fresh"):
        pytest.skip("nothing is forked")
    engine = engine_of(isolation, slow=1.0)
    engine.start()
    if isolation == "fresh":
        threading.Timer(0.1, lambda: send(engine.pid, number)).start()
        (outcome,) = engine.play(PLAIN, NOTES, 30.0)
        assert outcome.failure == ""
    else:
        assert len(_signalled(engine, role, number)) == 1


def test_a_patch_that_crashes_each_time_is_blamed_once_and_last_of_all_in_a_new_engine(engine_of):
    engine = engine_of()
    engine.start()
    first, again = engine.pid, []

    (outcome,) = engine.play(CRASH, NOTES, 30.0, again.append)

    assert (outcome.failure, outcome.detail) == ("crash", "SIGSEGV")
    assert [heard.failure for heard in again] == ["crash", "crash"]
    assert engine.pid != first
    assert engine.play(PLAIN, NOTES, 30.0)[0].failure == ""


@pytest.mark.parametrize(("patch", "trouble"), [pytest.param(HANG, "", marks=pytest.mark.long), (PLAIN, "spin")])
def test_a_hang_that_sleeps_and_one_that_burns_time_are_caught_within_two_timeouts(engine_of, patch, trouble):
    engine = engine_of(trouble=trouble)
    engine.start()
    started, moments = time.monotonic(), []

    (outcome,) = engine.play(patch, NOTES, 1.0, lambda _: moments.append(time.monotonic() - started))

    assert outcome.failure == "timeout"
    assert len(moments) == 1
    assert 0.9 < moments[0] < 6.0


@pytest.mark.long
def test_an_engine_that_stood_still_for_longer_than_the_timeout_is_not_blamed_on_the_patch(engine_of):
    engine = engine_of(slow=1.0)
    engine.play(PLAIN, NOTES, 30.0)
    undisturbed = engine.audio.copy()

    def stop() -> None:
        wait_for(lambda: members("fork"))
        for pid in (*members("engine"), *members("fork")):
            send(pid, signal.SIGSTOP)

    thread = threading.Thread(target=stop)
    thread.start()
    (outcome,) = engine.play(PLAIN, NOTES, 2.0)
    thread.join()

    assert outcome.failure == ""
    assert engine.audio.tobytes() == undisturbed.tobytes()


@pytest.mark.parametrize(
    ("trouble", "said"),
    [
        ("no fork", "no further process may be started"),
        ("memory", "memory has run out: MemoryError"),
        ("files", "too many files open"),
    ],
)
def test_what_the_machine_refuses_is_no_fault_of_the_patch(engine_of, trouble, said):
    with pytest.raises(ResourceError, match=f"chaos: .*{said}.*No candidate is blamed") as stop:
        engine_of(trouble=trouble).play(PLAIN, NOTES, 30.0)

    assert stop.value.exit_code == 1


def test_memory_that_cannot_be_shared_is_told_before_an_engine_dies_of_it(monkeypatch):
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "posix_fallocate", full)

    with pytest.raises(ResourceError, match="no space is left for shared memory"), shared_file(100):
        pass
    assert SharedAudio.size(1, 2, 100) > 800
