"""What reaches the author of a backend: where it failed, and what it printed."""

from __future__ import annotations

import pytest
from support.processes import wait_for

from tonesmith.engine.overheard import overhearing
from tonesmith.errors import EngineError
from tonesmith.space.patch import Note, Patch

NOTE = Note(60, 100, 0.1, 0.1)
PLAIN = Patch({"freq": 440.0, "level": 0.5, "fault": 0.0})


@pytest.mark.parametrize("isolation", ["snapshot", "fresh"])
def test_an_error_names_the_line_of_the_plugin_and_brings_its_traceback(engine_of, isolation):
    engine = engine_of(isolation, trouble="bug")

    for notes in ([NOTE], [NOTE] * 2):  # the last note of a patch is played in its process, those before in their own
        outcome = engine.play(PLAIN, notes, 30.0)[-1]

        assert outcome.failure == "error"
        assert outcome.detail.startswith("KeyError: 'tlt' (tonesmith_chaos.py:")
        assert outcome.detail.endswith(" in _trouble)")
        assert 'return {}["tlt"]' in outcome.trace


def test_an_error_while_an_engine_is_described_names_the_line_and_how_to_see_more(engine_of, monkeypatch):
    monkeypatch.delenv("TONESMITH_TRACEBACK", raising=False)
    with pytest.raises(
        EngineError, match=r"chaos: KeyError: 'tlt' \(tonesmith_chaos.py:\d+ in _trouble\)\nSet TONES"
    ) as e:
        engine_of(trouble="bug").describe(0.1, 0.1)

    assert 'return {}["tlt"]' in str(e.value.__cause__)


@pytest.mark.parametrize(
    ("trouble", "said"),
    [
        ("flat", r"render returned float32 \(1600,\); it must be float32 \(channels, frames\)"),
        ("double", r"render returned float64 \(2, 1600\); it must be float32 \(channels, frames\)"),
        ("list", r"render returned list; it must be an array"),
        ("long", r"render returned 1602 frames for a note of 0.2 s at 8000 Hz; it must be 1600"),
    ],
)
@pytest.mark.first
def test_an_array_that_is_no_render_is_refused_when_an_engine_is_described(engine_of, trouble, said):
    with pytest.raises(EngineError, match=f"chaos: {said}"):
        engine_of(trouble=trouble).describe(0.1, 0.1)


@pytest.mark.parametrize("isolation", ["snapshot", "reuse"])
def test_an_array_that_is_no_render_rejects_its_patch_by_name(engine_of, isolation):
    (outcome,) = engine_of(isolation, trouble="double").play(PLAIN, [NOTE], 30.0)

    assert outcome.failure == "error"
    assert outcome.detail == "render returned float64 (2, 1600); it must be float32 (channels, frames)"


def test_what_engines_print_is_heard_line_by_line_and_never_reaches_the_channel(engine_of):
    heard: list[str] = []
    with overhearing(heard.append):
        engine = engine_of(trouble="print")
        assert engine.play(PLAIN, [NOTE], 30.0)[0].failure == ""
        printed = f"engine {engine.pid}: "
        engine.close()
        wait_for(lambda: len(heard) >= 2)

    assert f"{printed}a library that prints" in heard
    assert [line for line in heard if "standard output" in line] == [
        f"{printed}half a linean engine that prints to standard output"
    ]


def test_a_listener_that_fails_stops_no_engine(engine_of):
    def broken(line: str) -> None:
        raise OSError(line)

    with overhearing(broken):
        assert engine_of().play(PLAIN, [NOTE], 30.0)[0].failure == ""
