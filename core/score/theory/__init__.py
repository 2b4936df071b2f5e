"""Music theory in exact terms: scales, tonalities, chords, numerals, keys found, voices led.

Pitch classes are 0..11 from C, pitches are MIDI numbers, and every error is a :class:`tonesmith.errors.ScoreError`.
"""

from tonesmith.score.theory.chord import Chord
from tonesmith.score.theory.key_finding import KeyFound, find_key, find_mode, pitch_histogram
from tonesmith.score.theory.naming import chord_of, name_chord
from tonesmith.score.theory.numerals import numeral_of, parse_numeral
from tonesmith.score.theory.scales import MODES, SCALES, scale, scale_steps
from tonesmith.score.theory.spelling import pitch_class
from tonesmith.score.theory.symbols import parse_chord, symbol_of
from tonesmith.score.theory.tonality import Tonality
from tonesmith.score.theory.voicing import CHOIR, lead_voices, parallels

__all__ = [
    "CHOIR",
    "MODES",
    "SCALES",
    "Chord",
    "KeyFound",
    "Tonality",
    "chord_of",
    "find_key",
    "find_mode",
    "lead_voices",
    "name_chord",
    "numeral_of",
    "parallels",
    "parse_chord",
    "parse_numeral",
    "pitch_class",
    "pitch_histogram",
    "scale",
    "scale_steps",
    "symbol_of",
]
