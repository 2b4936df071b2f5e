"""What an emotion does to music: one additive table, and the progressions of each mood.

That musical cues add up, linearly and without interactions, is what Eerola, Friberg & Bresin 2013 found ("Emotional
expression in music: contribution, linearity, and additivity of primary musical cues", Frontiers in Psychology 4:487):
linear levels of mode, tempo, register, dynamics, articulation and timbre, in this order of importance, explain 77 to
89 % of the variance of rated emotions. From there are the form of the table and its cues, but for density; their
directions are those of Livingstone et al. 2010 ("Changing musical emotion", Computer Music Journal 34:41-64): valence
goes with mode, arousal with tempo, loudness and articulation. The numbers are ours, and so are the places of the
moods in the circumplex of Russell 1980 and their progressions: they are choices, not measurements. What is said of a
score is the emotion that was meant.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from tonesmith.composers._bars import Stream


@dataclass(frozen=True, slots=True)
class Cue:
    """One row of the table: ``centre + valence * v + arousal * a + spread * noise``, kept within bounds.

    Attributes:
        centre: where valence and arousal are 0.
        valence: what a valence of 1 adds.
        arousal: what an arousal of 1 adds.
        spread: standard deviation of the noise, about normal.
        low: the least that it may be.
        high: the most.
    """

    centre: float
    valence: float
    arousal: float
    spread: float
    low: float
    high: float

    def at(self, valence: float, arousal: float, noise: float) -> float:
        """Return the cue for a point of the circumplex, each coordinate -1..1, and noise in standard deviations."""
        value = self.centre + self.valence * valence + self.arousal * arousal + self.spread * noise
        return min(max(value, self.low), self.high)


CUES: Final[Mapping[str, Cue]] = {
    "mode": Cue(0.05, 1.00, 0.00, 0.15, -2.0, 2.0),
    "tempo": Cue(6.70, 0.12, 0.60, 0.10, 5.3, 8.0),
    "register": Cue(69.0, 4.0, 3.0, 1.5, 58.0, 82.0),
    "dynamics": Cue(74.0, 2.0, 30.0, 4.0, 24.0, 118.0),
    "articulation": Cue(0.76, 0.00, -0.26, 0.05, 0.35, 1.0),
    "density": Cue(0.20, 0.10, 1.00, 0.25, -1.0, 2.0),
}
"""The table.

- mode: major from 0 on, else minor.
- tempo: binary logarithm of quarter notes per minute; 6.7 is 104.
- register: the MIDI pitch about which the melody moves.
- dynamics: MIDI velocity.
- articulation: share of its time that a note sounds; 1 is legato.
- density: binary logarithm of the melody's notes per quarter note, rounded to a half, a whole, two or four.
"""


@dataclass(frozen=True, slots=True)
class Mood:
    """A mood: its place in the circumplex, and its progressions in each mode.

    Attributes:
        valence: from unpleasant, -1, to pleasant, 1.
        arousal: from still, -1, to excited, 1.
        major: progressions in major, each of numerals for a bar.
        minor: in minor. The table says which of the two is played.
    """

    valence: float
    arousal: float
    major: tuple[str, ...]
    minor: tuple[str, ...]

    def progressions(self, mode: str) -> tuple[str, ...]:
        """Return those in a mode, "major" or "minor"."""
        return self.major if mode == "major" else self.minor


MOODS: Final[Mapping[str, Mood]] = {
    "happy": Mood(
        0.75,
        0.40,
        ("I IV V I", "I V IV V7", "I vi ii V", "I IV I V7"),
        ("i IV i VII", "i III IV V"),
    ),
    "excited": Mood(
        0.60,
        0.85,
        ("I bVII I V", "I ii IV V7", "I IV V/V V7", "I bIII IV V"),
        ("i VII i V", "i VI V V7"),
    ),
    "tender": Mood(
        0.50,
        -0.30,
        ("Imaj7 vi7 ii7 V7", "I V63 vi7 IV", "I iii7 IV V7sus4", "Imaj7 IVmaj7 ii65 V7"),
        ("i7 iv7 V7 i", "i v63 iv63 V7sus4"),
    ),
    "calm": Mood(
        0.40,
        -0.75,
        ("Iadd9 IVmaj7 Iadd9 IVmaj7", "I ii7 IVmaj7 I", "Iadd9 vi7 IVadd9 Isus4", "I IV64 I V7sus4"),
        ("iadd9 iv7 iadd9 v7", "iadd9 VImaj7 iv7 i"),
    ),
    "sad": Mood(
        -0.65,
        -0.55,
        ("I iii vi iv", "I V63 vi iv63"),
        ("i iv i V", "i VI i V7", "i v iv i", "i iiø65 V7 i"),
    ),
    "fearful": Mood(
        -0.55,
        0.30,
        ("I bII63 V7 I", "I viio7 I #ivo7"),
        ("i #ivo7 i viio7", "i viio7 bII63 i", "i viio7/V V viio7", "i viio7 iio viio7"),
    ),
    "tense": Mood(
        -0.35,
        0.65,
        ("I V7/V V7sus4 V7", "I viio7/V V7 viio7"),
        ("i iv63 V V7", "i iiø65 V42 i63", "i V7/V V7sus4 V7", "i iv V65 viio7"),
    ),
    "angry": Mood(
        -0.75,
        0.85,
        ("I bII V I", "I bVI I V7"),
        ("i bII V V7", "i V bII i", "i V i bII", "i #ivo7 V i"),
    ),
}
"""The schema: every mood has progressions that no other has, in which the key is heard."""


def nearest_mood(valence: float, arousal: float) -> str:
    """Return the mood that is nearest to a point of the circumplex."""
    return min(MOODS, key=lambda name: (MOODS[name].valence - valence) ** 2 + (MOODS[name].arousal - arousal) ** 2)


@dataclass(frozen=True, slots=True)
class Cues:
    """What the table says for one score.

    Attributes:
        mode: "major" or "minor".
        tempo_bpm: quarter notes per minute.
        register: MIDI pitch about which the melody moves.
        dynamics: MIDI velocity.
        articulation: share of its time that a note sounds.
        density: notes of the melody per quarter note: 0.5, 1, 2 or 4.
    """

    mode: str
    tempo_bpm: float
    register: int
    dynamics: int
    articulation: float
    density: float


def cues_at(
    valence: float, arousal: float, variation: float, tempo: float | tuple[float, float], draws: Stream
) -> Cues:
    """Return the cues for a point of the circumplex.

    Args:
        valence: -1..1.
        arousal: -1..1.
        variation: what the noise of the table is multiplied by.
        tempo: the lowest and the highest there may be, or the one there is.
        draws: the noise.
    """
    low, high = tempo if isinstance(tempo, tuple) else (tempo, tempo)
    at = {name: cue.at(valence, arousal, variation * draws.bell()) for name, cue in CUES.items()}
    return Cues(
        "major" if at["mode"] >= 0 else "minor",
        min(max(round(2.0 ** at["tempo"], 1), low), high),
        round(at["register"]),
        round(at["dynamics"]),
        round(at["articulation"], 2),
        2.0 ** round(at["density"]),
    )
