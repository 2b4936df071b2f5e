"""What every augmenter keeps to, as tests: subclass :class:`AugmenterContract` and run pytest.

::

    from tonesmith.testing import AugmenterContract

    class TestMyAugmenter(AugmenterContract):
        augmenter = MyAugmenter
        options = {"ms": 2.0}
"""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable, Mapping
from typing import Any, ClassVar, NamedTuple

import numpy as np
import pytest

from tonesmith.host.roles import Augmenter, Recorded, Relabelled, Unsuited
from tonesmith.host.settings import InvalidSettings, validate
from tonesmith.score.draws import Draws
from tonesmith.score.score import Part, Score
from tonesmith.score.writer import midi_of
from tonesmith.testing.feature import sine, white

RATE = 22050
LABELS: Mapping[str, Any] = {
    "emotion": "sad",
    "valence": -0.5,
    "arousal": -0.4,
    "key": "Bb",
    "mode": "minor",
    "tempo_bpm": 96.0,
    "swing_ratio": 0.6,
    "chord_progression": ("Bbm", "Gb", "Db/F"),
    "is_verified": True,
    "notes": "a text",
}
"""What is said of the parent."""
_SOME = 4


def awkward_scores() -> Mapping[str, Callable[[], Score]]:
    """Return makers of scores, by what is awkward in them."""
    scale = [(i / 2, 0.5, 60 + step, 90) for i, step in enumerate((0, 2, 4, 5, 7, 9, 11, 12))]
    beat = [(i / 2, 0.25, 36 + i % 3, 90) for i in range(16)]

    def both() -> Score:
        pitched, drums = Score.of(scale), Score.of(beat, drums=True)
        struck = drums.notes.copy()
        struck["part"] = 1
        return Score(480, np.concatenate([pitched.notes, struck]), (Part(), Part(0, True)))

    return {
        "a scale": lambda: Score.of(scale),
        "chords": lambda: Score.of([(b, 1, 48 + t, 70) for b in range(4) for t in (0, 4, 7)], bpm=63.7),
        "drums": lambda: Score.of(beat, drums=True),
        "both": both,
        "every pitch": lambda: Score.of([(i, 1, i, 1 + i % 127) for i in range(128)]),
        "coarse ticks": lambda: Score.of([(i, 1, 60, 127) for i in range(8)], resolution=1),
        "one note": lambda: Score.of([(0, 1, 60, 1)]),
        "a note of no length": lambda: Score.of([(0, 0, 60, 1)]),
    }


def awkward_recordings() -> Mapping[str, Callable[[], Recorded]]:
    """Return makers of recordings, by what is awkward in them."""
    return {
        "a tone": lambda: Recorded(sine(channels=1, frames=RATE // 8, rate=RATE), RATE),
        "noise": lambda: Recorded(white(frames=RATE // 8), RATE),
        "full scale": lambda: Recorded(np.sign(white(channels=1, frames=RATE // 8)), RATE),
        "three channels": lambda: Recorded(white(channels=3, frames=1024), RATE),
        "two frames": lambda: Recorded(sine(channels=2, frames=2), 44100),
    }


class Child(NamedTuple):
    """A child of some music: its parent, what that said before, and what was drawn."""

    parent: Any
    before: Any
    parameters: Any
    music: Any


class AugmenterContract:
    """The tests that every augmenter passes.

    Attributes:
        augmenter: the class under test.
        options: that it is tested with, as ``corpus.toml`` gives them.
    """

    augmenter: ClassVar[type[Augmenter[Any]]]
    options: ClassVar[Mapping[str, Any]] = {}

    def make(self) -> Augmenter[Any]:
        """Return a new augmenter."""
        return self.augmenter(validate(self.augmenter.Options, self.options))

    @pytest.fixture
    def musics(self) -> list[Any]:
        """Return each awkward score or recording that it takes."""
        makers = awkward_scores() if self.augmenter.takes == "score" else awkward_recordings()
        return [maker() for maker in makers.values()]

    def test_it_has_a_name_a_summary_a_version_and_what_it_takes(self) -> None:
        assert re.fullmatch(r"[a-z][a-z0-9_-]*", self.augmenter.name)
        assert self.augmenter.summary
        assert "\n" not in self.augmenter.summary
        assert self.augmenter.version >= 1
        assert self.augmenter.takes in {"score", "audio"}

    def test_every_option_has_a_default_and_a_description(self) -> None:
        for name, option in self.augmenter.Options.model_fields.items():
            assert not option.is_required(), f"the option {name} has no default"
            assert option.description, f"the option {name} has no description"

    def test_an_unknown_option_is_refused(self) -> None:
        with pytest.raises(InvalidSettings):
            validate(self.augmenter.Options, {"no_such_option": 1})

    def test_a_draw_is_json_and_depends_on_nothing_but_the_item_and_its_address(self, musics: list[Any]) -> None:
        random_before, numpy_before = random.getstate(), repr(np.random.get_state())
        for music in musics:
            first = [drawn(self.make(), music, child) for child in range(_SOME)]
            assert [drawn(self.make(), music, child) for child in reversed(range(_SOME))] == first[::-1]
            for parameters in first:
                assert isinstance(parameters, Unsuited) or json.loads(json.dumps(parameters)) == parameters
        assert random.getstate() == random_before
        assert repr(np.random.get_state()) == numpy_before

    def test_what_cannot_be_changed_is_told_with_a_reason(self, musics: list[Any]) -> None:
        found = [drawn(self.make(), music, 0) for music in musics]
        assert all(one.reason for one in found if isinstance(one, Unsuited))
        assert not all(isinstance(one, Unsuited) for one in found), "nothing suits it"

    def test_another_child_is_another_draw(self, musics: list[Any]) -> None:
        for music in musics:
            found = [drawn(self.make(), music, child) for child in range(16)]
            suited = [json.dumps(one) for one in found if not isinstance(one, Unsuited)]
            assert len(set(suited)) != 1, "every child is the same"

    @pytest.fixture(scope="class")
    def children(self) -> list[Child]:
        """Return the first child of each awkward score or recording that it suits."""
        makers = awkward_scores() if self.augmenter.takes == "score" else awkward_recordings()
        found = []
        for music, parameters in suited(self.make(), [maker() for maker in makers.values()]):
            before = content(music)
            found.append(Child(music, before, parameters, self.make().apply(music, parameters)))
        return found

    def test_the_same_parameters_make_the_same_child_bit_for_bit(self, children: list[Child]) -> None:
        for child in children:
            stored = json.loads(json.dumps(child.parameters))
            assert content(self.make().apply(child.parent, stored)) == content(child.music)

    def test_the_parent_is_left_as_it_is(self, children: list[Child]) -> None:
        for child in children:
            assert content(child.parent) == child.before

    def test_a_child_can_be_stored(self, children: list[Child]) -> None:
        for child in children:
            assert type(child.music) is type(child.parent)
            if isinstance(child.music, Score):
                assert len(child.music), "no note is left"
                assert midi_of(child.music).startswith(b"MThd")
            else:
                assert child.music.audio.dtype == np.float32
                assert child.music.audio.shape[0] == child.parent.audio.shape[0]
                assert np.isfinite(child.music.audio).all()

    def test_labels_stay_follow_or_are_inherited_with_less_confidence(self, musics: list[Any]) -> None:
        for _, parameters in suited(self.make(), musics):
            told = self.make().relabel(LABELS, parameters)
            assert set(told) <= set(LABELS), "a label that nobody gave"
            for name, one in told.items():
                assert isinstance(one, Relabelled)
                assert 0.0 < one.certainty <= 1.0
                assert one.value is None or type(one.value) is type(LABELS[name]), f"{name} = {one.value!r}"
            assert not self.make().relabel({}, parameters)


def drawn(augmenter: Augmenter[Any], music: Any, child: int) -> Any:
    """Return what an augmenter draws for a child."""
    return augmenter.draw(music, Draws(0, f"augment {augmenter.name}", child))


def suited(augmenter: Augmenter[Any], musics: list[Any]) -> list[tuple[Any, Any]]:
    """Return some music, each with the parameters of its first child."""
    pairs = [(music, drawn(augmenter, music, 0)) for music in musics]
    return [(music, parameters) for music, parameters in pairs if not isinstance(parameters, Unsuited)]


def content(music: Any) -> Any:
    """Return what a score or a recording says, so that it can be compared."""
    return music.content if isinstance(music, Score) else (music.sample_rate, music.audio.shape, music.audio.tobytes())
