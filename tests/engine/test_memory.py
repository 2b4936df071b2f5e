"""A synth that takes more memory than it may is ended, and its candidate named, whatever the isolation."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

import pytest
from support.processes import members

from tonesmith.engine.client import Engine
from tonesmith.engine.memory import taken
from tonesmith.errors import EngineError, ResourceError
from tonesmith.plan.plan import Audio, PluginRef
from tonesmith.space.patch import Note, Patch

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="memory is watched through /proc")

NOTES = [Note(60, 100, 0.1, 0.1), Note(72, 100, 0.1, 0.1)]
PLAIN = {"freq": 440.0, "level": 0.5, "fault": 0.0}
GROWS, HUGE = Patch({**PLAIN, "fault": 15.0}), Patch({**PLAIN, "fault": 16.0})
LIMIT = 200_000_000


@pytest.fixture
def limited(chaos_in_processes):
    made = []

    def make(isolation="snapshot", load_memory=0, memory=LIMIT, **options):
        form = Audio(8000, 2, 1600)
        reference = PluginRef("chaos", options)
        made.append(
            Engine(reference, form, 3, isolation, lambda name: b"", 60.0, memory=memory, load_memory=load_memory)
        )
        return made[-1]

    yield make
    for engine in made:
        engine.close()


@pytest.mark.parametrize(
    "isolation", ["snapshot", *(pytest.param(i, marks=pytest.mark.long) for i in ("fresh", "reuse"))]
)
def test_a_patch_that_takes_too_much_is_ended_and_the_next_one_plays(limited, isolation):
    engine = limited(isolation)
    engine.start()
    first, started, most = engine.pid, time.monotonic(), []

    outcome = engine.play(GROWS, NOTES, 30.0, most.append)[-1]

    assert (outcome.failure, outcome.detail) == ("memory", "over 200 MB")
    assert most == []  # it is its own doing, and not tried again
    assert time.monotonic() - started < 20.0
    assert members("fork") == []
    assert engine.play(Patch(PLAIN), NOTES, 30.0)[-1].failure == ""
    assert (engine.pid == first) == (isolation == "snapshot")  # whose engine never took any


def test_a_request_for_more_than_the_machine_has_is_one_for_more_than_the_limit(limited):
    assert limited().play(HUGE, NOTES, 30.0)[-1].detail == "over 200 MB"
    with pytest.raises(ResourceError, match="memory has run out"):
        limited(memory=0).play(HUGE, NOTES, 30.0)


@pytest.mark.parametrize("isolation", [pytest.param("snapshot", marks=pytest.mark.long), "reuse"])
def test_what_earlier_patches_left_behind_is_not_laid_to_the_next_one(limited, isolation):
    engine = limited(isolation, leak=90.0)
    pids = set()

    for _ in range(5):
        assert [outcome.failure for outcome in engine.play(Patch(PLAIN), NOTES[:1], 30.0)] == [""]
        pids.add(engine.pid)

    assert taken(engine.pid) < 2 * LIMIT
    assert (len(pids) > 1) == (isolation == "reuse")


def test_an_engine_that_takes_too_much_while_it_loads_is_refused(limited):
    with pytest.raises(EngineError, match=r"ended while it loaded.*over 100 MB\. Raise run\.load_memory") as stop:
        limited(load="memory", load_memory=100_000_000).start()

    assert stop.value.exit_code == 1


def test_a_system_out_of_memory_ends_an_engine_before_its_run(limited):
    engine = limited()
    engine.start()

    scores = [int(Path(f"/proc/{pid}/oom_score_adj").read_text()) for pid in (engine.pid, os.getpid())]

    assert scores[0] > scores[1]
