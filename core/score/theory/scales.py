"""Scales and modes by name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from tonesmith.errors import ScoreError, unknown_name
from tonesmith.score.theory.spelling import pitch_class

MODES: Final[Mapping[str, tuple[int, ...]]] = {
    "major": (0, 2, 4, 5, 7, 9, 11),
    "dorian": (0, 2, 3, 5, 7, 9, 10),
    "phrygian": (0, 1, 3, 5, 7, 8, 10),
    "lydian": (0, 2, 4, 6, 7, 9, 11),
    "mixolydian": (0, 2, 4, 5, 7, 9, 10),
    "minor": (0, 2, 3, 5, 7, 8, 10),
    "locrian": (0, 1, 3, 5, 6, 8, 10),
}
"""The seven modes of the diatonic scale, in semitones above the tonic. Major is also called ionian, minor aeolian."""

SCALES: Final[Mapping[str, tuple[int, ...]]] = {
    **MODES,
    "harmonic minor": (0, 2, 3, 5, 7, 8, 11),
    "melodic minor": (0, 2, 3, 5, 7, 9, 11),
    "harmonic major": (0, 2, 4, 5, 7, 8, 11),
    "phrygian dominant": (0, 1, 4, 5, 7, 8, 10),
    "hungarian minor": (0, 2, 3, 6, 7, 8, 11),
    "major pentatonic": (0, 2, 4, 7, 9),
    "minor pentatonic": (0, 3, 5, 7, 10),
    "blues": (0, 3, 5, 6, 7, 10),
    "whole tone": (0, 2, 4, 6, 8, 10),
    "diminished": (0, 2, 3, 5, 6, 8, 9, 11),
    "half-whole diminished": (0, 1, 3, 4, 6, 7, 9, 10),
    "chromatic": tuple(range(12)),
}
"""Scales in semitones above the tonic."""

_OTHER_NAMES: Final[Mapping[str, str]] = {
    "ionian": "major",
    "aeolian": "minor",
    "natural minor": "minor",
    "octatonic": "diminished",
    "whole-half diminished": "diminished",
}


def scale_steps(name: str) -> tuple[int, ...]:
    """Return the semitones above the tonic of a scale, rising from 0.

    Raises :class:`ScoreError` for a scale that is not known.
    """
    plain = " ".join(name.lower().replace("_", " ").split())
    found = SCALES.get(_OTHER_NAMES.get(plain, plain))
    if found is None:
        raise ScoreError(unknown_name("scale", name, SCALES, shown=len(SCALES)))
    return found


def mode_name(name: str) -> str:
    """Return the name that one of the seven modes has here: ``"minor"`` for ``"Aeolian"``.

    Raises :class:`ScoreError` for what is none of the seven.
    """
    plain = " ".join(name.lower().split())
    plain = _OTHER_NAMES.get(plain, plain)
    if plain not in MODES:
        raise ScoreError(unknown_name("mode", name, MODES))
    return plain


def scale(name: str, tonic: int | str = 0) -> tuple[int, ...]:
    """Return the pitch classes of a scale, 0..11 from C, beginning with its tonic.

    Args:
        name: such as ``"dorian"`` or ``"harmonic minor"``.
        tonic: pitch class, or a name such as ``"Bb"``.

    Raises :class:`ScoreError` for a scale or note that is not known.
    """
    lowest = pitch_class(tonic) if isinstance(tonic, str) else tonic
    return tuple((lowest + step) % 12 for step in scale_steps(name))
