"""Melodies with a scale, a contour and a form."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal, get_args

from pydantic import AfterValidator, Field

from tonesmith.composers._options import METERS_HELP, Bpm, MeterNames, some
from tonesmith.errors import ConfigError
from tonesmith.host.hookspecs import hookimpl
from tonesmith.host.roles import Composed, Composer, Options

if TYPE_CHECKING:
    from tonesmith.plan.annotated import AnnotationField
    from tonesmith.score.bars import Bar
    from tonesmith.score.draws import Draws
    from tonesmith.score.score import Key, Score

ScaleName = Literal[
    "major",
    "minor",
    "harmonic minor",
    "dorian",
    "phrygian",
    "lydian",
    "mixolydian",
    "major pentatonic",
    "minor pentatonic",
    "blues",
]
Tonic = Literal["C", "Db", "D", "Eb", "E", "F", "F#", "G", "Ab", "A", "Bb", "B"]
Contour = Literal["arch", "valley", "rise", "fall", "wave", "level"]
Form = Literal["phrase", "question-answer", "AAB", "AABA", "ABAC"]

RESOLUTION: Final = 480
_SIXTEENTH: Final = RESOLUTION // 4
_TRIES: Final = 24
"""Draws of the notes of one score, until key and contour can be heard."""

_FORMS: Final[Mapping[Form, tuple[tuple[str, bool], ...]]] = {
    "phrase": (("A", True),),
    "question-answer": (("A", False), ("A", True)),
    "AAB": (("A", True), ("A", True), ("B", True)),
    "AABA": (("A", True), ("A", True), ("B", False), ("A", True)),
    "ABAC": (("A", True), ("B", False), ("A", True), ("C", True)),
}
"""Form -> its phrases: a letter, and whether each ends on the tonic, and not on the fifth."""


class MelodyOptions(Options):
    """Options of :class:`Melody`."""

    scale: Annotated[tuple[ScaleName, ...], AfterValidator(some)] = Field(
        default=("major", "minor"), description=f"Scales to draw from: {', '.join(get_args(ScaleName))}."
    )
    tonic: Annotated[tuple[Tonic, ...], AfterValidator(some)] = Field(
        default=get_args(Tonic), description="Tonics to draw from, such as C, F#, Bb."
    )
    contour: Annotated[tuple[Contour, ...], AfterValidator(some)] = Field(
        default=get_args(Contour), description="Contours to draw from: arch, valley, rise, fall, wave, level."
    )
    form: Annotated[tuple[Form, ...], AfterValidator(some)] = Field(
        default=get_args(Form), description="Forms to draw from: phrase, question-answer, AAB, AABA, ABAC."
    )
    low: int = Field(default=57, ge=0, le=115, description="Lowest MIDI pitch that may be played.")
    high: int = Field(default=81, ge=12, le=127, description="Highest MIDI pitch that may be played.")
    meter: MeterNames = Field(default=("4/4",), description=METERS_HELP)
    bpm: Bpm = Field(default=(80.0, 140.0), description="Quarter notes per minute, or a range to draw from.")
    phrase_bars: int = Field(
        default=2, ge=1, le=16, description="Bars of each phrase; fewer where they would take too long."
    )
    program: int = Field(default=0, ge=0, le=127, description="General MIDI program, from 0.")


@dataclass(frozen=True, slots=True)
class _Manner:
    """What one score is drawn to be."""

    bar: Bar
    bpm: float
    form: Form
    phrase_bars: int
    tonic: Tonic
    scale: ScaleName
    contour: Contour

    @property
    def bars(self) -> int:
        return self.phrase_bars * len(_FORMS[self.form])


class Melody(Composer[MelodyOptions]):
    """Phrases that follow a contour through a scale, and end on its tonic, or halfway on its fifth.

    Phrases of one letter have the same rhythm and the same notes but for their end; B and C have others, and the same
    contour. On the beat are mostly notes of the tonic chord. The notes are drawn again, up to 24 times, until counting
    them finds the key and each contour: :func:`tonesmith.score.theory.find_key` and
    :func:`tonesmith.score.contour.contour_of`. Where a form is too long for ``seconds``, a shorter one of those that
    may be drawn is.
    """

    name = "melody"
    summary = "melodies with a scale, a contour and a form"
    Options = MelodyOptions

    def set_up(self) -> None:
        """Refuse a range that is too narrow, and phrases that are too long."""
        from tonesmith.composers._lines import WIDTH
        from tonesmith.score.bars import check_bars

        low, high = self.options.low, self.options.high
        if high - low < WIDTH:
            raise ConfigError(
                f"low is {low} and high {high}: a melody needs {WIDTH} semitones. Set a lower low or a higher high."
            )
        shortest = min(len(_FORMS[form]) for form in self.options.form)
        check_bars(self.options.meter, self.options.bpm, self.seconds, shortest)

    def fields(self) -> Sequence[AnnotationField]:
        """Return what is said of every score."""
        from tonesmith.composers._fields import BARS, METER, TEMPO
        from tonesmith.plan.annotated import AnnotationField

        return (
            AnnotationField("tonic", "choice", "first step of the scale", get_args(Tonic)),
            AnnotationField("scale", "choice", "scale that all notes are of", get_args(ScaleName)),
            AnnotationField("contour", "choice", "how the pitch goes in each phrase", get_args(Contour)),
            AnnotationField("form", "choice", "phrases, with a letter for those that are alike", get_args(Form)),
            AnnotationField("pitch_low", "whole", "MIDI pitch of the lowest note"),
            AnnotationField("pitch_high", "whole", "MIDI pitch of the highest note"),
            TEMPO,
            METER,
            BARS,
        )

    def compose(self, index: int) -> Composed:
        """Return the score of an index."""
        from tonesmith.score.draws import Draws

        draws = Draws(self.seed, self.name, index)
        manner = self._manner(draws)
        for attempt in range(_TRIES):
            score = self._score(manner, replace(draws, attempt=attempt))
            if _is_heard(manner, score):
                break
        pitches = score.notes["pitch"].tolist()
        annotations = {
            "tonic": manner.tonic,
            "scale": manner.scale,
            "contour": manner.contour,
            "form": manner.form,
            "pitch_low": min(pitches),
            "pitch_high": max(pitches),
            "tempo_bpm": manner.bpm,
            "meter": manner.bar.name,
            "bars": manner.bars,
        }
        return Composed(score, annotations)

    def _score(self, manner: _Manner, draws: Draws) -> Score:
        from tonesmith.score.bars import microseconds_of
        from tonesmith.score.score import Part, Score, notes_of
        from tonesmith.score.timing import Tempos

        notes = notes_of((*row, 0) for row in self._notes(manner, draws))
        tempos = Tempos.of([(0, microseconds_of(manner.bpm))])
        meters, keys = (manner.bar.meter,), (_signature(manner),)
        return Score(RESOLUTION, notes, (Part(self.options.program),), tempos, meters, keys)

    def _manner(self, draws: Draws) -> _Manner:
        from tonesmith.score.bars import Bar, bars_within

        options = self.options
        bar = Bar.of(draws.one_of("meter", options.meter))
        bpm = round(draws.between("bpm", options.bpm), 2)

        def fitting(form: Form) -> int:
            phrases = len(_FORMS[form])
            return bars_within(bar, bpm, phrases * options.phrase_bars, self.seconds, phrases) // phrases

        form = draws.one_of("form", [form for form in options.form if fitting(form)])
        return _Manner(
            bar,
            bpm,
            form,
            fitting(form),
            draws.one_of("tonic", options.tonic),
            draws.one_of("scale", options.scale),
            draws.one_of("contour", options.contour),
        )

    def _notes(self, manner: _Manner, draws: Draws) -> list[tuple[int, int, int, int]]:
        """Return onset, duration, pitch and velocity of each note."""
        from tonesmith.composers._lines import Line
        from tonesmith.composers._rhythms import phrase_rhythm
        from tonesmith.score.theory.key_finding import FEWEST
        from tonesmith.score.theory.scales import scale

        bar, phrases = manner.bar, _FORMS[manner.form]
        ends = self.options.low, self.options.high
        line = Line.drawn(bar, manner.contour, scale(manner.scale, manner.tonic), ends, draws)
        length = 2 * bar.eighths * manner.phrase_bars
        notes = []
        for number, (letter, closed) in enumerate(phrases):
            rhythm = phrase_rhythm(bar, manner.phrase_bars, draws, letter, -(-FEWEST // len(phrases)))
            pitches = line.pitches([onset for onset, _ in rhythm], draws, letter, closed=closed)
            for (onset, lasting), pitch in zip(rhythm, pitches, strict=True):
                strength = 2 * (onset % (2 * bar.eighths) == 0) + line.on_beat(onset)
                at = (number * length + onset) * _SIXTEENTH
                notes.append((at, lasting * _SIXTEENTH * 9 // 10, pitch, 76 + 8 * strength))
        return notes


def _is_heard(manner: _Manner, score: Score) -> bool:
    """Return whether counting the notes finds the contour in each phrase, and the key where there are notes enough."""
    from tonesmith.score.contour import contour_of
    from tonesmith.score.theory.key_finding import FEWEST, find_key
    from tonesmith.score.theory.scales import scale_steps
    from tonesmith.score.theory.spelling import pitch_class

    length = manner.phrase_bars * manner.bar.eighths * RESOLUTION // 2
    phrase = score.notes["onset"] // length
    for number in range(len(_FORMS[manner.form])):
        notes = score.notes[phrase == number]
        if contour_of(notes["onset"], notes["pitch"]) != manner.contour:
            return False
    found = find_key(score)
    if found is None:
        return len(score) < FEWEST
    minor = 3 in scale_steps(manner.scale)
    return found.tonality.tonic == pitch_class(manner.tonic) and found.tonality.is_minor == minor


def _signature(manner: _Manner) -> Key:
    """Return the key signature: that of the mode, or of the major or minor that a scale is nearest to."""
    from tonesmith.score.theory.scales import MODES, scale_steps
    from tonesmith.score.theory.tonality import Tonality

    near = manner.scale if manner.scale in MODES else "minor" if 3 in scale_steps(manner.scale) else "major"
    return Tonality.parse(f"{manner.tonic} {near}").signature()


@hookimpl
def tonesmith_composers() -> Iterable[type[Composer[Any]]]:
    """Return the composer of this module."""
    return [Melody]
