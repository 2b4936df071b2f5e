"""Drums and bass with exact micro-timing."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal, get_args

from pydantic import AfterValidator, Field

from tonesmith.composers._options import METERS_HELP, Bpm, MeterNames, ordered, some
from tonesmith.errors import ConfigError
from tonesmith.host.hookspecs import hookimpl
from tonesmith.host.roles import Composed, Composer, Options

if TYPE_CHECKING:
    from tonesmith.composers._patterns import Hit
    from tonesmith.plan.annotated import AnnotationField
    from tonesmith.score.bars import Bar
    from tonesmith.score.draws import Draws
    from tonesmith.score.score import Score

Feel = Literal["straight", "swing", "shuffle", "laid-back", "rushed"]
Level = Literal["eighth", "sixteenth"]
_Ratio = Annotated[float, Field(ge=0.5, le=0.8)]
_Offset = Annotated[float, Field(ge=0.0, le=100.0)]

RESOLUTION: Final = 1920
"""Ticks per quarter note: half a tick is at most 0.8 ms, at 20 beats per minute."""
TRIPLETS: Final = 0.6667
_SHORT: Final = 0.1
"""Seconds of the short note of swung eighths at medium and fast tempos [Friberg & Sundstroem 2002]."""
_MOST_OF_A_STEP: Final = 0.45
"""Of a sixteenth: the largest offset that is not mistaken for one from the next sixteenth."""


class GrooveOptions(Options):
    """Options of :class:`Groove`."""

    feel: Annotated[tuple[Feel, ...], AfterValidator(some)] = Field(
        default=get_args(Feel), description="Feels to draw from: straight, swing, shuffle, laid-back, rushed."
    )
    meter: MeterNames = Field(default=("4/4",), description=METERS_HELP)
    level: Annotated[tuple[Level, ...], AfterValidator(some)] = Field(
        default=("eighth",), description="Notes that divide the beat, and swing: eighth, sixteenth."
    )
    bpm: Bpm = Field(default=(80.0, 140.0), description="Quarter notes per minute, or a range to draw from.")
    bars: int = Field(default=4, ge=1, le=64, description="Number of bars; fewer where they would take too long.")
    swing: Annotated[_Ratio | tuple[_Ratio, _Ratio], AfterValidator(ordered)] = Field(
        default=0.667, description="Place of the off-beat between two beats in swing: 0.5 is straight, 0.667 triplets."
    )
    follow_tempo: bool = Field(
        default=False, description="Let swing follow the tempo instead: strong in slow music, straight in fast."
    )
    offset_ms: Annotated[_Offset | tuple[_Offset, _Offset], AfterValidator(ordered)] = Field(
        default=(10.0, 30.0), description="Milliseconds that laid-back comes after the beat, and rushed before it."
    )
    bass: bool = Field(default=True, description="Add a bass.")


@dataclass(frozen=True, slots=True)
class _Manner:
    """What one score is drawn to be."""

    bar: Bar
    bars: int
    bpm: float
    feel: Feel
    level: Level
    ratio: float
    offset_ms: float


class Groove(Composer[GrooveOptions]):
    """Two bars of drums and bass, drawn and repeated, in a feel that is exact to the tick.

    Hi-hat or ride keep to the beat and to the swung off-beats. In laid-back and rushed, kick, snare and bass come later
    or earlier than these by ``offset_ms``; nothing comes before the score begins. Swing and shuffle need beats that
    divide by two, so no 6/8. A shuffle has all triplet off-beats; swing has a ride pattern, at the ratio of ``swing``.

    With ``follow_tempo`` the short note takes 0.1 s, and the ratio 0.75 at most: Friberg & Sundstroem 2002, "Swing
    ratios and ensemble timing in jazz performance", found about that at medium and fast tempos, and 1:1 at the fastest.
    """

    name = "groove"
    summary = "drums and bass with exact swing and micro-timing"
    Options = GrooveOptions

    def set_up(self) -> None:
        """Refuse meters, feels and offsets that do not go together."""
        from tonesmith.score.bars import Bar, check_bars

        options = self.options
        check_bars(options.meter, options.bpm, self.seconds)
        self._feels = {name: _feels(options.feel, Bar.of(name)) for name in options.meter}
        for name, feels in self._feels.items():
            if not feels:
                raise ConfigError(
                    f"{' and '.join(options.feel)} need beats that divide by two, which {name} has not. "
                    "Leave it out of meter, or add a feel such as straight."
                )
        fastest, largest = _highest(options.bpm), _highest(options.offset_ms)
        most = _MOST_OF_A_STEP * 15e3 / fastest
        if {"laid-back", "rushed"} & set(options.feel) and largest > most:
            raise ConfigError(
                f"offset_ms is up to {largest:g}, and nearly half of a sixteenth at {fastest:g} beats per minute is "
                f"{most:.1f} ms. Set a smaller offset_ms or a lower bpm."
            )

    def fields(self) -> Sequence[AnnotationField]:
        """Return what is said of every score."""
        from tonesmith.composers._fields import BARS, METER, TEMPO
        from tonesmith.plan.annotated import AnnotationField

        return (
            AnnotationField("groove_type", "choice", "feel that was played", get_args(Feel)),
            AnnotationField(
                "swing_ratio",
                "number",
                "place of the off-beat between two beats of swing_level, 0.5 for straight; none in 6/8 and the like",
            ),
            AnnotationField("swing_level", "choice", "notes that divide the beat", get_args(Level)),
            AnnotationField(
                "offset_ms", "number", "milliseconds that kick, snare and bass come after the hi-hat's grid"
            ),
            TEMPO,
            METER,
            BARS,
        )

    def compose(self, index: int) -> Composed:
        """Return the score of an index."""
        from tonesmith.score.draws import Draws

        draws = Draws(self.seed, self.name, index)
        manner = self._manner(draws)
        return Composed(
            _score(manner, draws, bass=self.options.bass),
            {
                "groove_type": manner.feel,
                "swing_ratio": manner.ratio,
                "swing_level": manner.level,
                "offset_ms": manner.offset_ms,
                "tempo_bpm": manner.bpm,
                "meter": manner.bar.name,
                "bars": manner.bars,
            },
        )

    def _manner(self, draws: Draws) -> _Manner:
        from tonesmith.score.bars import Bar, bars_within

        options = self.options
        bar = Bar.of(draws.one_of("meter", options.meter))
        bpm = round(draws.between("bpm", options.bpm), 2)
        feel = draws.one_of("feel", self._feels[bar.name])
        level: Level = draws.one_of("level", options.level) if bar.simple else "eighth"
        late = {"laid-back": 1.0, "rushed": -1.0}.get(feel, 0.0)
        return _Manner(
            bar,
            bars_within(bar, bpm, options.bars, self.seconds),
            bpm,
            feel,
            level,
            self._ratio(draws, bar, feel, level, bpm),
            round(late * draws.between("offset", options.offset_ms), 2) if late else 0.0,
        )

    def _ratio(self, draws: Draws, bar: Bar, feel: Feel, level: Level, bpm: float) -> float:
        if not bar.simple:
            return float("nan")
        if feel == "shuffle":
            return TRIPLETS
        if feel != "swing":
            return 0.5
        if self.options.follow_tempo:
            unit = 60.0 / bpm / (1 if level == "eighth" else 2)
            return round(min(max(1.0 - _SHORT / unit, 0.5), 0.75), 4)
        return round(draws.between("swing", self.options.swing), 4)


def _feels(feels: Sequence[Feel], bar: Bar) -> tuple[Feel, ...]:
    return tuple(feel for feel in feels if bar.simple or feel not in {"swing", "shuffle"})


def _highest(ends: float | tuple[float, float]) -> float:
    return ends[1] if isinstance(ends, tuple) else ends


def _score(manner: _Manner, draws: Draws, *, bass: bool) -> Score:
    """Return the score: what the pattern says, at the times of the manner."""
    from tonesmith.composers._patterns import bass_of, drums_of
    from tonesmith.score.bars import microseconds_of
    from tonesmith.score.score import Part, Score, notes_of
    from tonesmith.score.timing import Tempos

    clock = _Clock(manner, microseconds_of(manner.bpm))
    hits = drums_of(manner.bar, manner.bars, manner.feel, manner.level, draws)
    parts = [Part(0, drums=True, name=b"drums")]
    notes = [clock.struck(hit) for hit in hits]
    if bass:
        parts.append(Part(33, name=b"bass"))
        notes += clock.held(bass_of(manner.bar, manner.bars, manner.level, hits, draws))
    tempos = Tempos.of([(0, clock.microseconds)])
    return Score(RESOLUTION, notes_of(notes), tuple(parts), tempos, (manner.bar.meter,))


@dataclass(frozen=True, slots=True)
class _Clock:
    """Where the sixteenths of a pattern are in ticks."""

    manner: _Manner
    microseconds: int
    step: int = RESOLUTION // 4

    @property
    def end(self) -> int:
        return self.manner.bars * self.manner.bar.eighths * RESOLUTION // 2

    def at(self, place: int, *, keeps: bool = False) -> int:
        """Return the tick of a sixteenth; what keeps the time has no offset."""
        late = 0 if keeps else round(self.manner.offset_ms * 1e3 / self.microseconds * RESOLUTION)
        return max(0, self._swung(place) + late)

    def struck(self, hit: Hit) -> tuple[int, int, int, int, int]:
        """Return a note of the first part, a sixteenth long."""
        onset = self.at(hit.place, keeps=hit.keeps)
        return onset, min(self.step, self.end - onset), hit.pitch, hit.velocity, 0

    def _swung(self, place: int) -> int:
        if not self.manner.bar.simple:
            return place * self.step
        unit = 4 if self.manner.level == "eighth" else 2
        whole, part = divmod(place, unit)
        ratio, half = self.manner.ratio, unit / 2
        within = part / half * ratio if part <= half else ratio + (part - half) / half * (1.0 - ratio)
        return round((whole + within) * unit * self.step)

    def held(self, tones: Sequence[tuple[int, int, int]]) -> list[tuple[int, int, int, int, int]]:
        """Return notes of the second part, each held for most of the time until the next."""
        onsets = [self.at(place) for place, _, _ in tones]
        ends = [*onsets[1:], self.end]
        return [
            (onset, max(1, (end - onset) * 9 // 10), pitch, velocity, 1)
            for onset, end, (_, pitch, velocity) in zip(onsets, ends, tones, strict=True)
        ]


@hookimpl
def tonesmith_composers() -> Iterable[type[Composer[Any]]]:
    """Return the composer of this module."""
    return [Groove]
