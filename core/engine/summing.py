"""Phrases on a synth that plays one note at a time: each note from the pristine state, added up.

They are added up in the process of the client: that of an engine may round otherwise, as Vital's does for good.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from tonesmith.engine.outcome import Outcome
from tonesmith.engine.played import Played
from tonesmith.errors import ScoreError, TonesmithError
from tonesmith.host.registry import Host
from tonesmith.plan.plan import Audio, PluginRef
from tonesmith.score.phrase import Phrase
from tonesmith.score.single_notes import PlacedNote, single_notes
from tonesmith.space.patch import Note

_MOST_SLOTS = 16
_MOST_BYTES = 64 << 20

Singly = Callable[[Sequence[Note]], list[Outcome]]
"""Plays notes of a patch, no more than there are slots, and returns what became of each."""


def plays_notes(backend: PluginRef) -> bool:
    """Return whether a backend plays one note at a time. One that cannot be found plays nothing."""
    try:
        return Host.load().find("backend", backend.name).plays == "notes"
    except TonesmithError:
        return False  # its process tells what is wrong


def slots_for(backend: PluginRef, audio: Audio, phrases: int) -> int:
    """Return how many renders an engine needs memory for to play phrases: that many, or several notes of one.

    Args:
        backend: that plays them.
        audio: the form of every phrase.
        phrases: how many each patch is played with.
    """
    if not plays_notes(backend):
        return phrases
    return max(1, min(_MOST_SLOTS, _MOST_BYTES // max(1, 4 * audio.channels * audio.frames)))


class Mixer:
    """Adds the notes of phrases up.

    Args:
        form: of every render.
        slots: how many notes are rendered at once.

    Attributes:
        audio: float32 (phrases, channels, frames) of the last patch.
    """

    def __init__(self, form: Audio, slots: int) -> None:
        self._form = form
        self._slots = slots
        self.audio: NDArray[np.float32] = np.empty((0, form.channels, form.frames), np.float32)

    def play(self, played: Sequence[Played], singly: Singly, heard: Callable[[], NDArray[np.float32]]) -> list[Outcome]:
        """Play phrases, and notes among them; the list ends with the first that could not be played.

        Args:
            played: what to play.
            singly: plays notes.
            heard: returns float32 (slots, channels, frames) of the notes that were played last.
        """
        self.audio = np.zeros((len(played), self._form.channels, self._form.frames), np.float32)
        outcomes: list[Outcome] = []
        for one, into in zip(played, self.audio, strict=True):
            outcomes.append(self._played(one, into, singly, heard))
            if outcomes[-1].failure:
                break
        return outcomes

    def _played(
        self, one: Played, into: NDArray[np.float32], singly: Singly, heard: Callable[[], NDArray[np.float32]]
    ) -> Outcome:
        try:
            placed = single_notes(one, self._form.sample_rate) if isinstance(one, Phrase) else [PlacedNote(0, one)]
        except ScoreError as error:
            return Outcome(one.pitch, "error", str(error))
        if placed:
            into[:, placed[0].frame :] = -0.0  # to which a sample may be added, and stays as it is: 0.0 + -0.0 is 0.0
        for first in range(0, len(placed), self._slots):
            some = placed[first : first + self._slots]
            outcomes = singly([place.note for place in some])
            for place, outcome, audio in zip(some, outcomes, heard(), strict=False):
                if outcome.failure or not self._fits(place, outcome):
                    return outcome
                frames = min(outcome.shape[1], into.shape[1] - place.frame)
                into[:, place.frame : place.frame + frames] += audio[:, :frames]
        return Outcome(one.pitch, shape=(into.shape[0], into.shape[1]))

    def _fits(self, place: PlacedNote, outcome: Outcome) -> bool:
        """Return whether a note has the channels and, but for one, the frames that are left of the phrase."""
        channels, frames = outcome.shape
        return channels == self._form.channels and abs(place.frame + frames - self._form.frames) <= 1
