"""What becomes of labels: keys and chords that follow, and what is only inherited, with the reason."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Final, NamedTuple

from tonesmith.host.roles import Relabelled
from tonesmith.host.roles.annotation import Said

LEAST: Final = 0.5
"""The certainty below which nothing falls: half the parent's confidence."""


class Loss(NamedTuple):
    """What a change costs a label.

    Attributes:
        each: certainty lost for each unit of the change.
        reason: why the label may have changed.
    """

    each: float
    reason: str


_EEROLA: Final = "Eerola, Friberg & Bresin 2013"
LOSSES: Final[Mapping[str, Mapping[str, Loss]]] = {
    "semitone": {
        "emotion": Loss(0.02, f"register is the third cue of emotion, after mode and tempo ({_EEROLA})"),
        "valence": Loss(0.02, f"register is a cue of valence ({_EEROLA})"),
        "arousal": Loss(0.02, f"register is a cue of arousal ({_EEROLA})"),
    },
    "tempo": {
        "emotion": Loss(1.0, f"tempo is the second cue of emotion, after mode ({_EEROLA})"),
        "valence": Loss(0.5, f"tempo is a cue of valence ({_EEROLA})"),
        "arousal": Loss(1.0, f"tempo is the first cue of arousal ({_EEROLA})"),
        "groove_type": Loss(0.5, "players swing less at fast tempi (Friberg & Sundstrom 2002)"),
        "articulation": Loss(0.2, "articulation is heard against the tempo"),
    },
    "level": {
        "emotion": Loss(0.4, f"dynamics are a cue of emotion ({_EEROLA})"),
        "arousal": Loss(0.5, f"dynamics are a cue of arousal ({_EEROLA})"),
        "dynamic_level": Loss(1.5, "a level may be that of the next mark, such as mf for mp"),
    },
    "jitter": {
        "swing_ratio": Loss(0.01, "off-beats have moved"),
        "offset_ms": Loss(0.02, "onsets have moved against the grid"),
        "groove_type": Loss(0.01, "onsets have moved against the grid"),
        "quality_score": Loss(0.01, "onsets are less exact"),
    },
    "dropout": {
        "chord_progression": Loss(2.0, "a tone that names a chord may be missing"),
        "groove_type": Loss(1.0, "a stroke that makes the groove may be missing"),
        "contour": Loss(1.0, "a turn of the melody may be missing"),
        "articulation": Loss(0.5, "gaps are new"),
        "quality_score": Loss(2.0, "notes are missing"),
    },
    "noise": {"quality_score": Loss(40.0, "there is more noise")},
}
"""Change -> label -> what a unit of it costs. The units are semitones; parts of the factor, so that 0.1 is a tenth;
milliseconds; and shares of the notes, or of full scale."""


def inherited(change: str, labels: Mapping[str, Said], extent: float) -> dict[str, Relabelled]:
    """Return the labels that a change of some extent may have changed, each with its value and what is left of it."""
    found = ((name, loss.each * abs(extent)) for name, loss in LOSSES[change].items() if name in labels)
    return {name: Relabelled(labels[name], max(LEAST, 1.0 - lost)) for name, lost in found if lost}


def moved(labels: Mapping[str, Said], semitones: int) -> dict[str, Relabelled]:
    """Return key and chords some semitones up, and what is only inherited then."""
    told = inherited("semitone", labels, semitones)
    key = _key(labels.get("key"), semitones)
    if "key" in labels:
        told["key"] = Relabelled(key)
    if isinstance(chords := labels.get("chord_progression"), tuple):
        told["chord_progression"] = Relabelled(_chords(chords, semitones, f"{key} {labels.get('mode', '')}"))
    return told


def sped(labels: Mapping[str, Said], factor: float) -> dict[str, Relabelled]:
    """Return the labels of music that is so many times as fast."""
    told = inherited("tempo", labels, factor - 1.0)
    for name, changed in (("tempo_bpm", factor), ("offset_ms", 1.0 / factor)):
        value = labels.get(name)
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            told[name] = Relabelled(round(value * changed, 4))
    return told


def _key(said: Said | None, semitones: int) -> str | None:
    """Return a tonic, and what follows it, some semitones up; None for what is no tonic."""
    from tonesmith.errors import ScoreError
    from tonesmith.score.theory import Tonality, pitch_class

    tonic, _, mode = str(said).partition(" ")
    try:
        named = str(Tonality((pitch_class(tonic) + semitones) % 12, "major")).split(" ")[0]
    except ScoreError:
        return None
    return f"{named} {mode}" if mode else named


def _chords(chords: Sequence[str], semitones: int, key: str) -> tuple[str, ...] | None:
    """Return chords some semitones up: numerals stay, symbols move. None if they are neither.

    Args:
        chords: to move.
        semitones: to move them by.
        key: that symbols are spelled in, if it is one.
    """
    from tonesmith.errors import ScoreError
    from tonesmith.score.theory import Tonality, parse_chord, parse_numeral, symbol_of

    words = [chord for chord in chords if chord.strip("|- ")]
    with suppress(ScoreError):
        for word in words:
            parse_numeral(word, Tonality(0, "major"))
        return tuple(chords)
    try:
        tonality = Tonality.parse(key)
    except ScoreError:
        tonality = None
    with suppress(ScoreError):
        named = {word: symbol_of(parse_chord(word).transposed(semitones), tonality) for word in words}
        return tuple(named.get(chord, chord) for chord in chords)
    return None
