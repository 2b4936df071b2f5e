"""Phrases on an engine: those that it plays itself, and those whose notes are added up."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np
import pytest
from support.registered import registered

from tonesmith.engine.client import Engine
from tonesmith.engine.played import received, sent
from tonesmith.engine.summing import slots_for
from tonesmith.errors import ConfigError
from tonesmith.host.playing import check_notes, check_plays
from tonesmith.plan.notes import Notes
from tonesmith.plan.plan import Audio, PluginRef
from tonesmith.score.controllers import BEND, MODWHEEL, SUSTAIN
from tonesmith.score.phrase import Phrase
from tonesmith.score.score import Score, controls_of
from tonesmith.score.single_notes import single_notes
from tonesmith.space.patch import Note, Patch
from tonesmith.testing.chaos import FAULTS, Chaos, ChaosScores

FORM = Audio(8000, 2, 1600)
ROW = (0.15, 0.05)
ARPEGGIO = Score.of([(0, 0.1, 60, 100), (0.1, 0.1, 64, 90), (0.1, 0.2, 67, 80), (0.2, 0.1, 60, 100)])


PICKY = """
from tonesmith import hookimpl
from tonesmith.testing.chaos import Chaos

class Picky(Chaos):
    name = "picky"

    def render(self, note):
        if note.pitch == 67:
            raise ZeroDivisionError
        return super().render(note)

@hookimpl
def tonesmith_backends():
    return [Picky]
"""


@pytest.fixture(scope="module", autouse=True)
def _registered(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Let the misbehaving synths of tonesmith.testing be found, here and in every process started from here."""
    with registered(tmp_path_factory.mktemp("plugins"), {"picky.py": PICKY}, ["tonesmith.testing.chaos", "picky"]):
        yield


@pytest.fixture
def engine_of() -> Iterator[Callable[..., Engine]]:
    made: list[Engine] = []

    def make(name: str = "chaos", slots: int = 3, isolation: str = "snapshot") -> Engine:
        made.append(Engine(PluginRef(name, {}), FORM, slots, isolation, asset=lambda digest: b""))
        return made[-1]

    yield make
    for engine in made:
        engine.close()


def patch(fault: str = "none") -> Patch:
    return Patch({"freq": 440.0, "level": 0.5, "fault": float(tuple(FAULTS).index(fault))})


def heard(engine: Engine, *played: Note | Phrase) -> np.ndarray:
    outcomes = engine.play(patch(), played, 30.0)
    assert [outcome.failure for outcome in outcomes] == [""] * len(played)
    return engine.audio[: len(played)].copy()


def test_the_sum_is_that_of_notes_played_alone_in_the_order_of_the_score(engine_of):
    engine = engine_of(slots=3)
    wanted = np.zeros((2, 1600), np.float32)
    for place in single_notes(Phrase(ARPEGGIO, *ROW), FORM.sample_rate):
        (alone,) = heard(engine, place.note)
        wanted[:, place.frame :] += alone[:, : 1600 - place.frame]
    for slots in (1, 16):
        (mixed,) = heard(engine_of(slots=slots), Phrase(ARPEGGIO, *ROW))
        assert mixed.tobytes() == wanted.tobytes()


@pytest.mark.parametrize("name", ["chaos", "chaos-scores"])
def test_phrases_and_notes_of_a_patch_are_played_from_the_pristine_state(engine_of, name):
    engine, phrase, note = engine_of(name), Phrase(ARPEGGIO, *ROW), Note(60, 100, *ROW)
    (alone,), (single,) = heard(engine, phrase), heard(engine, note)
    first, second, third = heard(engine, phrase, note, phrase)
    assert first.tobytes() == third.tobytes() == alone.tobytes()
    assert second.tobytes() == single.tobytes()


def test_a_synth_that_plays_scores_gets_the_score_whole(engine_of):
    (whole,), (summed,) = (heard(engine_of(name), Phrase(ARPEGGIO, *ROW)) for name in ("chaos-scores", "chaos"))
    assert np.abs(whole[0] - summed[0]).max() < 1e-6
    assert np.abs(whole[1] - summed[1]).max() > 0.01, "its notes are heard in one engine"


def test_a_score_without_notes_is_silent(engine_of):
    (audio,) = heard(engine_of(), Phrase(Score.of([]), *ROW))
    assert audio.shape == (2, 1600)
    assert not audio.view(np.uint32).any()


def test_notes_are_rendered_in_memory_that_does_not_grow_with_the_score(engine_of):
    dense = Score.of([(i * 0.005, 0.01, 40 + i, 100) for i in range(40)])
    engine = engine_of(slots=slots_for(PluginRef("chaos"), FORM, 1))
    (audio,) = heard(engine, Phrase(dense, *ROW))
    assert np.isfinite(audio).all()
    assert len(engine._heard()) == 16
    assert slots_for(PluginRef("chaos"), Audio(44100, 2, 44100 * 120), 1) == 1
    assert slots_for(PluginRef("chaos-scores"), FORM, 2) == 2


@pytest.mark.parametrize(("fault", "failure"), [("crash", "crash"), ("error", "error"), ("hang", "timeout")])
@pytest.mark.parametrize("name", ["chaos", "chaos-scores"])
def test_a_phrase_that_fails_is_blamed_by_a_pitch_and_the_engine_goes_on(engine_of, name, fault, failure):
    engine = engine_of(name)
    outcomes = engine.play(patch(fault), [Phrase(ARPEGGIO, *ROW)] * 2, 0.5 if fault == "hang" else 30.0)
    assert [(outcome.failure, outcome.pitch) for outcome in outcomes] == [(failure, 60)]
    assert np.abs(heard(engine, Phrase(ARPEGGIO, *ROW))).max() > 0.1


def test_the_note_of_a_sum_that_fails_is_named(engine_of):
    (outcome,) = engine_of("picky", slots=2).play(patch(), [Phrase(ARPEGGIO, *ROW)], 30.0)
    assert (outcome.failure, outcome.pitch) == ("error", 67)


def test_a_note_of_a_sum_that_has_another_length_is_told_by_its_shape(engine_of):
    (outcome,) = engine_of().play(patch("shape"), [Phrase(ARPEGGIO, *ROW)], 30.0)
    assert (outcome.failure, outcome.shape) == ("", (2, 1607))


def test_what_is_played_survives_the_channel():
    for played in (Note(60, 100, 1.0, 0.5, 0.25, 0.5, sustain=True), Phrase(ARPEGGIO, *ROW)):
        assert received(sent(played)) == played


def moved(*controls: tuple[int, int, int, int], hold: float = 1.0) -> Phrase:
    return Phrase(replace(Score.of([(0, 1, 60, 100)]), controls=controls_of(controls)), hold, 0.1)


class Plain(Chaos):
    name = "plain"
    controls = frozenset()


def test_controllers_that_a_synth_cannot_play_are_refused_by_name_and_those_that_rest_are_not():
    check_plays(Plain, moved((0, 0, BEND, 0), (0, 0, SUSTAIN, 127), (0, 0, 0, 5), (0, 0, 121, 0)))
    check_plays(Plain, moved((960, 0, BEND, 50)))  # after the end
    check_plays(Chaos, moved((0, 0, BEND, 50), (0, 0, MODWHEEL, 9)))
    check_plays(ChaosScores, moved((0, 0, 7, 50), (100, 0, BEND, 9)))
    with pytest.raises(ConfigError, match=r"song\.mid: plain cannot play .*wheel \(controller 1\), the pitch bend\."):
        check_plays(Plain, moved((0, 0, BEND, 50), (0, 0, MODWHEEL, 9)), "song.mid")
    with pytest.raises(ConfigError, match=r"the volume \(controller 7\)"):
        check_plays(Chaos, moved((0, 0, 7, 50)))
    with pytest.raises(ConfigError, match="the score: the pitch bend moves while a note is held"):
        check_plays(Chaos, moved((100, 0, BEND, 50)))


def test_notes_with_what_a_synth_does_not_take_are_refused():
    check_notes(Chaos, Notes(bend=0.5, modwheel=0.5, sustain=True))
    with pytest.raises(ConfigError, match=r"notes\.bend: plain does not take the pitch bend\. It takes neither wheel"):
        check_notes(Plain, Notes(bend=0.0))
