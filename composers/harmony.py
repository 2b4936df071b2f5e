"""Chord progressions from a grammar, set for four voices."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import AfterValidator, Field

from tonesmith.composers._options import METERS_HELP, Bpm, MeterNames, some
from tonesmith.errors import ConfigError, ScoreError
from tonesmith.host.hookspecs import hookimpl
from tonesmith.host.roles import Composed, Composer, Options

if TYPE_CHECKING:
    from tonesmith.composers._bars import Stream
    from tonesmith.plan.annotated import AnnotationField, Value

Texture = Literal["block", "pulse", "broken"]
TEXTURES: tuple[Texture, ...] = ("block", "pulse", "broken")


class HarmonyOptions(Options):
    """Options of :class:`Harmony`."""

    key: tuple[str, ...] = Field(default=(), description='Keys to draw from, such as "C major" or F#m. Unset: all 24.')
    bars: int = Field(default=8, ge=1, le=64, description="Number of bars; fewer where they would take too long.")
    meter: MeterNames = Field(default=("4/4", "3/4", "6/8"), description=METERS_HELP)
    bpm: Bpm = Field(default=(72.0, 144.0), description="Quarter notes per minute, or a range to draw from.")
    texture: Annotated[tuple[Texture, ...], AfterValidator(some)] = Field(
        default=TEXTURES, description="How chords are played: held (block), repeated (pulse), or note by note (broken)."
    )
    sevenths: float = Field(default=0.35, ge=0.0, le=1.0, description="Share of chords that have a seventh.")
    inversions: float = Field(default=0.25, ge=0.0, le=1.0, description="Share of chords that are inverted.")
    borrowed: float = Field(
        default=0.2, ge=0.0, le=1.0, description="Share of chords that are borrowed from another mode, or applied."
    )


class Harmony(Composer[HarmonyOptions]):
    """Functional progressions in four voices: soprano, alto, tenor, bass.

    Each phrase of four bars goes from the tonic over predominants to a cadence, by a grammar after Rohrmeier 2011;
    some run through the circle of fifths, some chords are borrowed or applied to the next. The voices move as little
    as they can, without crossing and without parallel fifths or octaves. Every choice is independent of the others,
    but for what the grammar says.
    """

    name = "harmony"
    summary = "chord progressions with cadences, voice-led in four parts"
    Options = HarmonyOptions

    def set_up(self) -> None:
        """Check keys and meters. Raises :class:`ConfigError` for a bar that is longer than a score may be."""
        from tonesmith.score.bars import check_bars
        from tonesmith.score.theory import Tonality

        check_bars(self.options.meter, self.options.bpm, self.seconds)
        try:
            named = tuple(Tonality.parse(key) for key in self.options.key)
        except ScoreError as error:
            raise ConfigError(f"composer.key: {error}") from None
        modes = ("major", "minor")
        self._keys = named or tuple(Tonality(tonic, mode) for mode in modes for tonic in range(12))
        for key in self._keys:
            if key.mode not in modes:
                raise ConfigError(f"composer.key: {key} is neither major nor minor, and harmony has no other modes.")

    def fields(self) -> Sequence[AnnotationField]:
        """Return key, mode, tempo, meter, bars, progression, chords, cadence and texture."""
        from tonesmith.composers._fields import BARS, METER, TEMPO, key_fields
        from tonesmith.composers._grammar import CADENCES
        from tonesmith.plan.annotated import AnnotationField

        length = 32 + 22 * self.options.bars
        return (
            *key_fields(),
            TEMPO,
            METER,
            BARS,
            AnnotationField("progression", "text", "numerals, with | between bars", length=length),
            AnnotationField("chords", "text", "chord symbols, with | between bars", length=length),
            AnnotationField("cadence", "choice", "how the score ends", CADENCES),
            AnnotationField("texture", "choice", "how chords are played", TEXTURES),
        )

    def compose(self, index: int) -> Composed:
        """Return the score of an index."""
        from tonesmith.composers._bars import Stream, by_bars, score_of
        from tonesmith.composers._grammar import Taste, progression
        from tonesmith.composers._texture import PARTS, playing
        from tonesmith.score.bars import Bar, bars_within
        from tonesmith.score.theory import lead_voices, parse_numeral, symbol_of

        options, draws = self.options, Stream(self.seed, "composer harmony", index)
        tonality, bar = draws.pick(self._keys), Bar.of(draws.pick(options.meter))
        texture, bpm = draws.pick(options.texture), round(draws.between(options.bpm), 2)
        bars = bars_within(bar, bpm, options.bars, self.seconds)
        slots = _slots(bars, draws)
        taste = Taste(options.sevenths, options.inversions, options.borrowed)
        numerals, cadence = progression(slots, tonality.mode, taste, draws)
        chords = [parse_numeral(numeral, tonality) for numeral in numerals]
        notes = playing(lead_voices(chords), slots, bar, texture, draws)
        annotations: dict[str, Value] = {
            "key": str(tonality),
            "mode": tonality.mode,
            "tempo_bpm": bpm,
            "meter": bar.name,
            "bars": bars,
            "progression": by_bars(numerals, slots),
            "chords": by_bars([symbol_of(chord, tonality) for chord in chords], slots),
            "cadence": cadence,
            "texture": texture,
        }
        return Composed(score_of([notes], PARTS, bar, bpm, tonality), annotations)


def _slots(bars: int, draws: Stream) -> list[int]:
    """Return the chords in each bar: one or two, the last one alone, and two before it."""
    if bars == 1:
        return [2]
    busy = 0.15 + 0.6 * draws.next()
    return [1 + (draws.next() < busy) for _ in range(bars - 1)] + [1]


@hookimpl
def tonesmith_composers() -> Iterable[type[Composer[Any]]]:
    """Return the composer of this module."""
    return [Harmony]
