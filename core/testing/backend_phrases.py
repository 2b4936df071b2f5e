"""The contract of a backend with scores: whether it plays them, or the host adds up its notes."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from tonesmith.engine.client import Engine
from tonesmith.host.playing import EXPRESSION_CONTROLS, playable_controls
from tonesmith.host.roles import Backend
from tonesmith.plan.promises import Determinism
from tonesmith.score.controllers import PLAYABLE
from tonesmith.score.phrase import Phrase
from tonesmith.score.score import Score
from tonesmith.space.patch import Note, Patch
from tonesmith.space.space import ParameterSpace

if TYPE_CHECKING:
    from numpy.typing import NDArray

_RESOLUTION = 480
_BPM = 120.0


class PhraseTests:
    """Tests of :class:`tonesmith.testing.BackendContract` that play scores."""

    note: ClassVar[Note]
    sample_rate: ClassVar[int]
    one_note_apart: ClassVar[float] = 0.0
    """What a note, and a score of that note alone, may differ by, of full scale; 0.0 for as little as was promised."""
    onset_grid: ClassVar[int] = 1
    """Frames of a block of a synth that takes MIDI only where one begins: so a note may begin that much too early."""

    def test_it_says_what_it_plays(self, backend: type[Backend[Any]]) -> None:
        assert backend.plays in {"notes", "scores"}
        assert backend.controls <= PLAYABLE
        assert playable_controls(backend) <= PLAYABLE

    def test_a_score_of_one_note_sounds_like_the_note(
        self, backend: type[Backend[Any]], engine: Engine, space: ParameterSpace, promise: Determinism
    ) -> None:
        patch = space.decode(space.encode(Patch()))
        alone = self._heard(engine, patch, self.note)
        again = self._heard(engine, patch, Phrase(_score([(0.0, self.note.hold, self.note.pitch)]), *self._form))
        if backend.plays == "scores" and self.one_note_apart:
            assert float(np.abs(alone - again).max()) <= self.one_note_apart
        else:
            self._check_same(promise, alone, again)

    def test_a_phrase_sounds_the_same_whatever_was_played_before(
        self, engine: Engine, space: ParameterSpace, promise: Determinism
    ) -> None:
        patch = space.decode(space.encode(Patch()))
        chord, arpeggio = self._phrases()
        first = self._heard(engine, patch, chord)
        self._heard(engine, patch, arpeggio)
        self._check_same(promise, first, self._heard(engine, patch, chord))

    def test_the_phrases_of_a_patch_do_not_hear_each_other(
        self, engine: Engine, space: ParameterSpace, promise: Determinism
    ) -> None:
        patch = space.decode(space.encode(Patch()))
        chord, arpeggio = self._phrases()
        alone = self._heard(engine, patch, arpeggio)
        outcomes = engine.play(patch, [chord, arpeggio], 60.0)
        assert [outcome.failure for outcome in outcomes] == ["", ""]
        self._check_same(promise, alone, engine.audio[1].copy())

    def test_nothing_of_a_note_is_heard_before_its_frame(self, engine: Engine, space: ParameterSpace) -> None:
        patch = space.decode(space.encode(Patch()))
        silent = self._heard(engine, patch, Phrase(_score([]), *self._form))
        score = _score([(self.note.hold / 8, self.note.hold, 60)])
        late = self._heard(engine, patch, Phrase(score, *self._form))
        assert silent.shape == late.shape
        different = np.abs(late - silent).max(axis=0) > 0.0
        assert different.any(), "a score with a note sounds like one without"
        assert int(np.argmax(different)) > round(score.onsets[0] * self.sample_rate) - self.onset_grid

    def test_what_a_note_has_besides_is_played_where_it_says_so(
        self, backend: type[Backend[Any]], engine: Engine, space: ParameterSpace
    ) -> None:
        patch = space.decode(space.encode(Patch()))
        moved: dict[str, Any] = {"bend": 0.5, "modwheel": 1.0, "sustain": True}
        for name, kind in EXPRESSION_CONTROLS.items():
            if kind in backend.controls:
                assert engine.play(patch, [replace(self.note, **{name: moved[name]})], 60.0)[0].failure == ""

    @property
    def _form(self) -> tuple[float, float]:
        return self.note.hold, self.note.tail

    def _phrases(self) -> tuple[Phrase, Phrase]:
        third = self.note.hold / 3
        chord = [(0.0, 2 * third, 60), (third, 2 * third, 64), (third, third, 60)]
        arpeggio = [(0.0, third, 67), (third, third, 72), (2 * third, third, 60)]
        return Phrase(_score(chord), *self._form), Phrase(_score(arpeggio), *self._form)

    def _heard(self, engine: Engine, patch: Patch, played: Note | Phrase) -> NDArray[np.float32]:
        outcome = engine.play(patch, [played], 60.0)[0]
        assert outcome.failure == "", f"{outcome.failure}: {outcome.detail}\n{outcome.trace}"
        heard: NDArray[np.float32] = engine.audio[0].copy()
        return heard

    def _check_same(self, promise: Determinism, first: NDArray[np.float32], again: NDArray[np.float32]) -> None:
        """Raise AssertionError unless two renders are as alike as was promised."""
        raise NotImplementedError


def _score(notes: list[tuple[float, float, int]]) -> Score:
    """Return a score of notes: onset and hold in seconds, pitch of each."""
    beats = _BPM / 60.0
    return Score.of(
        [(onset * beats, hold * beats, pitch, 100) for onset, hold, pitch in notes], resolution=_RESOLUTION, bpm=_BPM
    )
