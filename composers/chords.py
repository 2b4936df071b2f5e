"""Chords that are written as text, played."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field, field_validator

from tonesmith.errors import ConfigError
from tonesmith.host.hookspecs import hookimpl
from tonesmith.host.roles import Composed, Composer, Options

if TYPE_CHECKING:
    from tonesmith.composers._charts import Chart
    from tonesmith.plan.annotated import AnnotationField, Value

_LONGEST = 1024
"""Bytes of a chart in the annotation."""


class ChordsOptions(Options):
    """Options of :class:`Chords`."""

    chords: tuple[str, ...] = Field(
        default=(),
        description="Bars of one chart, such as C, Am7 and 'F G/B', or charts with |, such as 'C | Am7 | F G/B', of "
        "which each is a phrase.",
    )
    key: str = Field(default="", description="Key of numerals such as ii7 among the chords, such as Eb major.")
    each: bool = Field(default=False, description="Make a phrase of each chord, one bar long.")
    voicing: Literal["close", "open", "drop2", "guitar", "led"] = Field(
        default="led", description="Position of the notes; led: four voices that move as little as they can."
    )
    octave: int = Field(
        default=3,
        ge=0,
        le=7,
        description="Octave of the bass in close and open position and drop2; 3 is C3 to B3. The others move with it.",
    )
    rhythm: str = Field(
        default="whole",
        description="whole, halves, quarters or eighths; up, down or updown for one note after the other; or a pattern "
        "over each bar: x strikes, X with an accent, such as x..x..x.",
    )
    strum_ms: float = Field(
        default=0.0, ge=0.0, le=500.0, description="Milliseconds from a note of a stroke to the next one up."
    )
    gate: float = Field(default=1.0, gt=0.0, le=1.0, description="Share of the time to the next stroke that is held.")
    beats: int = Field(default=4, ge=1, le=32, description="Beats of a bar, shared by its chords.")
    bpm: float = Field(default=120.0, ge=10.0, le=1000.0, description="Beats per minute.")
    velocity: int = Field(default=90, ge=1, le=127, description="MIDI velocity.")

    @field_validator("chords", mode="before")
    @classmethod
    def _one_text(cls, chords: Any) -> Any:
        """Take a chart that is written as one text."""
        return (chords,) if isinstance(chords, str) else tuple(chords) if isinstance(chords, list) else chords

    @field_validator("rhythm")
    @classmethod
    def _known(cls, rhythm: str) -> str:
        from tonesmith.composers._strokes import NAMES, is_pattern

        if rhythm not in NAMES and not is_pattern(rhythm):
            raise ValueError(f"must be {', '.join(NAMES)}, or a pattern of x, X and . such as x..x..x.")
        return rhythm


class Chords(Composer[ChordsOptions]):
    """Each chart of chords is a phrase, or with ``each`` each of its chords.

    Raises :class:`ConfigError` for what is no chord, for a pitch outside MIDI's range, and for a chart that takes
    longer than a phrase may.
    """

    name = "chords"
    summary = "chords that are written as text"
    Options = ChordsOptions

    def set_up(self) -> None:
        """Read the chords, and refuse what cannot be played."""
        from tonesmith.composers._charts import apart, charts_of

        charts = charts_of(self.options.chords, self.options.beats, self.options.key)
        self._charts = apart(charts, self.options.beats) if self.options.each else charts
        for chart in self._charts:
            self._check(chart)
        self._phrases = self._played()

    def fields(self) -> Sequence[AnnotationField]:
        """Return what is said of every phrase."""
        from tonesmith.plan.annotated import AnnotationField

        return (
            AnnotationField("chords", "text", "the chords as they are written, a bar between each two |", (), _LONGEST),
            AnnotationField("tempo_bpm", "number", "beats (quarter notes) per minute"),
        )

    def collected(self) -> Sequence[Composed]:
        """Return a phrase of each chart."""
        return self._phrases

    def compose(self, index: int) -> Composed:
        """Return a phrase; IndexError beyond the last one."""
        if not 0 <= index < len(self._phrases):
            raise IndexError(f"there is no phrase {index}; there are phrases 0..{len(self._phrases) - 1}")
        return self._phrases[index]

    def _played(self) -> tuple[Composed, ...]:
        from tonesmith.composers._played import beat_of, played

        found: dict[str, Composed] = {}
        for chart in self._charts:
            score = played(chart, self.options)
            said: dict[str, Value] = {"chords": chart.text, "tempo_bpm": round(60e6 / beat_of(self.options.bpm), 3)}
            found.setdefault(score.digest, Composed(score, said))
        return tuple(found.values())

    def _check(self, chart: Chart) -> None:
        from tonesmith.composers._played import beat_of

        seconds = float(chart.beats) * beat_of(self.options.bpm) / 1e6
        if self.seconds is not None and seconds > self.seconds + 1e-9:
            raise ConfigError(
                f"the chords {chart.text!r} take {seconds:g} s, and a phrase may take {self.seconds:g} s. "
                "Give phrases more seconds, raise the bpm, or make a phrase of each chord."
            )
        if len(chart.text.encode()) > _LONGEST:
            raise ConfigError(f"a chart of {len(chart.text.encode()):,} bytes; {_LONGEST:,} is the most.")


@hookimpl
def tonesmith_composers() -> Iterable[type[Composer[Any]]]:
    """Return the composer of this module."""
    return [Chords]
