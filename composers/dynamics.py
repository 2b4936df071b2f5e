"""Lines whose loudness and articulation follow a plan."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal, get_args

from pydantic import AfterValidator, Field

from tonesmith.composers._options import METERS_HELP, Bpm, MeterNames, ordered, some
from tonesmith.errors import ConfigError
from tonesmith.host.hookspecs import hookimpl
from tonesmith.host.roles import Composed, Composer, Options

if TYPE_CHECKING:
    from tonesmith.plan.annotated import AnnotationField
    from tonesmith.score.bars import Bar
    from tonesmith.score.draws import Draws
    from tonesmith.score.score import Score

Curve = Literal["crescendo", "diminuendo", "swell", "terraced", "accents", "level"]
Articulation = Literal["staccato", "portato", "tenuto", "legato"]
_Velocity = Annotated[int, Field(ge=1, le=127)]
Velocity = Annotated[_Velocity | tuple[_Velocity, _Velocity], AfterValidator(ordered)]

RESOLUTION: Final = 480
_FEWEST: Final = 8
"""Notes that a score has at least, so that each curve can be told from the others."""
HELD: Final[dict[Articulation, float]] = {"staccato": 0.35, "portato": 0.65, "tenuto": 0.9, "legato": 1.0}
"""Of the time to the next note, how much a note is held: each times 120 is a whole number of ticks."""


class DynamicsOptions(Options):
    """Options of :class:`Dynamics`."""

    curve: Annotated[tuple[Curve, ...], AfterValidator(some)] = Field(
        default=get_args(Curve),
        description="Curves to draw from: crescendo, diminuendo, swell, terraced, accents, level.",
    )
    articulation: Annotated[tuple[Articulation, ...], AfterValidator(some)] = Field(
        default=get_args(Articulation), description="Articulations to draw from: staccato, portato, tenuto, legato."
    )
    soft: Velocity = Field(default=(20, 50), description="Velocity of the softest notes, or a range to draw from.")
    loud: Velocity = Field(default=(90, 120), description="Velocity of the loudest notes, or a range to draw from.")
    meter: MeterNames = Field(default=("4/4",), description=METERS_HELP)
    bpm: Bpm = Field(default=(80.0, 140.0), description="Quarter notes per minute, or a range to draw from.")
    bars: int = Field(default=4, ge=1, le=64, description="Number of bars; fewer where they would take too long.")
    program: int = Field(default=0, ge=0, le=127, description="General MIDI program, from 0.")


class Dynamics(Composer[DynamicsOptions]):
    """Even notes that walk through a pentatonic scale, with velocities on a curve from soft to loud.

    They are eighths, or sixteenths where there would be fewer than eight eighths. A swell rises to the middle and falls
    again; terraced alternates between both; accents are loud among soft notes.
    """

    name = "dynamics"
    summary = "lines with a plan of loudness and articulation"
    Options = DynamicsOptions

    def set_up(self) -> None:
        """Refuse velocities that leave no room for a curve, and bars that are too long."""
        from tonesmith.score.bars import check_bars

        soft, loud = _ends(self.options.soft), _ends(self.options.loud)
        if soft[1] >= loud[0]:
            raise ConfigError(
                f"soft is up to {soft[1]} and loud from {loud[0]}: every soft velocity must be below every loud one."
            )
        check_bars(self.options.meter, self.options.bpm, self.seconds)

    def fields(self) -> Sequence[AnnotationField]:
        """Return what is said of every score."""
        from tonesmith.composers._fields import BARS, METER, TEMPO
        from tonesmith.plan.annotated import AnnotationField

        return (
            AnnotationField("curve", "choice", "how the velocity goes", get_args(Curve)),
            AnnotationField("velocity_first", "whole", "MIDI velocity of the first note"),
            AnnotationField("velocity_last", "whole", "MIDI velocity of the last note"),
            AnnotationField("velocity_low", "whole", "MIDI velocity of the softest note"),
            AnnotationField("velocity_high", "whole", "MIDI velocity of the loudest note"),
            AnnotationField("accent_every", "whole", "notes from one accent to the next; 0 without accents"),
            AnnotationField("terraces", "whole", "levels one after the other of a terraced curve; 0 of others"),
            AnnotationField("articulation", "choice", "how long notes are held", get_args(Articulation)),
            AnnotationField("articulation_ratio", "number", "part of the time to the next note that a note is held"),
            TEMPO,
            METER,
            BARS,
        )

    def compose(self, index: int) -> Composed:
        """Return the score of an index."""
        from tonesmith.score.bars import Bar, bars_within
        from tonesmith.score.draws import Draws

        options, draws = self.options, Draws(self.seed, self.name, index)
        bar = Bar.of(draws.one_of("meter", options.meter))
        bpm = round(draws.between("bpm", options.bpm), 2)
        bars = bars_within(bar, bpm, options.bars, self.seconds)
        curve, articulation = draws.one_of("curve", options.curve), draws.one_of("articulation", options.articulation)
        every = draws.whole("accents", 2, 4) if curve == "accents" else 0
        terraces = draws.whole("terraces", 2, 4) if curve == "terraced" else 0
        step = 2 if bars * bar.eighths >= _FEWEST else 1
        velocities = self._velocities(curve, bars * bar.eighths * 2 // step, draws, every, terraces)
        return Composed(
            self._score(bar, bpm, step * RESOLUTION // 4, _pitches(draws, len(velocities)), velocities, articulation),
            {
                "curve": curve,
                "velocity_first": velocities[0],
                "velocity_last": velocities[-1],
                "velocity_low": min(velocities),
                "velocity_high": max(velocities),
                "accent_every": every,
                "terraces": terraces,
                "articulation": articulation,
                "articulation_ratio": HELD[articulation],
                "tempo_bpm": bpm,
                "meter": bar.name,
                "bars": bars,
            },
        )

    def _velocities(self, curve: Curve, count: int, draws: Draws, every: int, terraces: int) -> list[int]:
        """Return the velocity of each note."""
        soft = draws.whole("soft", *_ends(self.options.soft))
        loud = draws.whole("loud", *_ends(self.options.loud))
        if curve == "level":
            return [(soft + loud) // 2] * count
        if curve == "accents":
            return [soft if n % every else loud for n in range(count)]
        if curve == "terraced":
            return [(loud, soft)[n * terraces // count % 2] for n in range(count)]
        return [round(soft + _SHARES[curve](n, count - 1) * (loud - soft)) for n in range(count)]

    def _score(
        self,
        bar: Bar,
        bpm: float,
        step: int,
        pitches: Sequence[int],
        velocities: Sequence[int],
        articulation: Articulation,
    ) -> Score:
        from tonesmith.score.bars import microseconds_of
        from tonesmith.score.score import Part, Score, notes_of
        from tonesmith.score.timing import Tempos

        held = round(HELD[articulation] * step)
        rows = enumerate(zip(pitches, velocities, strict=True))
        notes = notes_of((n * step, held, pitch, velocity, 0) for n, (pitch, velocity) in rows)
        tempos = Tempos.of([(0, microseconds_of(bpm))])
        return Score(RESOLUTION, notes, (Part(self.options.program),), tempos, (bar.meter,))


_SHARES: Final[Mapping[str, Callable[[int, int], float]]] = {
    "crescendo": lambda n, last: n / last,
    "diminuendo": lambda n, last: 1.0 - n / last,
    "swell": lambda n, last: min(n, last - n) / (last // 2),
}
"""Loudness, 0 to 1, of a note by its number, 0 to the last."""


def _ends(ends: int | tuple[int, int]) -> tuple[int, int]:
    return ends if isinstance(ends, tuple) else (ends, ends)


_PENTATONIC: Final = (0, 2, 4, 7, 9)


def _pitches(draws: Draws, count: int) -> list[int]:
    """Return a walk by steps through two octaves of a pentatonic scale."""
    tonic, place = draws.whole("tonic", 48, 59), draws.whole("start", 3, 6)
    found = []
    for step in draws.units("walk", count):
        found.append(tonic + 12 * (place // 5) + _PENTATONIC[place % 5])
        place = min(max(place + (1 if step < 0.5 else -1), 0), 10)
    return found


@hookimpl
def tonesmith_composers() -> Iterable[type[Composer[Any]]]:
    """Return the composer of this module."""
    return [Dynamics]
