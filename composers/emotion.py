"""Music of a mood: its mode, tempo, register, dynamics and chords follow from valence and arousal."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import AfterValidator, Field

from tonesmith.composers._options import METERS_HELP, Bpm, MeterNames, ordered
from tonesmith.errors import ConfigError, ScoreError, unknown_name
from tonesmith.host.hookspecs import hookimpl
from tonesmith.host.roles import Composed, Composer, Options

if TYPE_CHECKING:
    from tonesmith.composers._bars import Stream
    from tonesmith.plan.annotated import AnnotationField, Value


_Degree = Annotated[float, Field(ge=-1.0, le=1.0)]
Degrees = Annotated[_Degree | tuple[_Degree, _Degree], AfterValidator(ordered)]
"""A coordinate of the circumplex, or a range to draw from."""


class EmotionOptions(Options):
    """Options of :class:`Emotion`."""

    mood: tuple[str, ...] = Field(
        default=(),
        description="Moods to draw from: happy, excited, tender, calm, sad, fearful, tense, angry. Unset: all.",
    )
    valence: Degrees | None = Field(
        default=None, description="Valence -1..1, or a range to draw from, instead of a mood."
    )
    arousal: Degrees | None = Field(
        default=None, description="Arousal -1..1, or a range to draw from, instead of a mood."
    )
    spread: float = Field(
        default=0.08, ge=0.0, le=1.0, description="Standard deviation of valence and arousal around those of the mood."
    )
    variation: float = Field(
        default=1.0,
        ge=0.0,
        le=4.0,
        description="How much mode, tempo and so on vary beside the emotion; 0: not at all.",
    )
    tonic: tuple[str, ...] = Field(default=(), description="Tonics to draw from, such as C,F#. Unset: all 12.")
    bars: int = Field(default=8, ge=1, le=64, description="Number of bars; fewer where they would take too long.")
    meter: MeterNames = Field(default=("4/4",), description=METERS_HELP)
    bpm: Bpm = Field(
        default=(50.0, 200.0), description="Quarter notes per minute, or the least and the most, whatever the emotion."
    )
    drums: bool = Field(default=False, description="Add a part of drums.")


class Emotion(Composer[EmotionOptions]):
    """Melody, chords and bass of an intended emotion.

    A mood is drawn, and a point of valence and arousal near it; or a point from the ranges ``valence`` and
    ``arousal``, and the mood is the nearest one. One additive table, after Eerola, Friberg & Bresin 2013, says
    what follows from the point; the chords are a progression that only this mood has.
    """

    name = "emotion"
    summary = "melody, chords and bass of a mood, or of valence and arousal"
    Options = EmotionOptions

    def set_up(self) -> None:
        """Check moods and tonics. Raises :class:`ConfigError`, such as for an unknown mood."""
        from tonesmith.composers._moods import MOODS
        from tonesmith.score.bars import check_bars
        from tonesmith.score.theory import pitch_class

        options = self.options
        for name in options.mood:
            if name not in MOODS:
                raise ConfigError(unknown_name("mood", name, MOODS))
        if options.mood and (options.valence is not None or options.arousal is not None):
            raise ConfigError("composer.mood excludes composer.valence and composer.arousal: give one or the others.")
        self._moods = options.mood or tuple(MOODS)
        check_bars(options.meter, options.bpm, self.seconds)
        try:
            self._tonics = tuple(pitch_class(name) for name in options.tonic) or tuple(range(12))
        except ScoreError as error:
            raise ConfigError(f"composer.tonic: {error}") from None

    def fields(self) -> Sequence[AnnotationField]:
        """Return mood, valence, arousal and the cues that follow, key, meter and progression."""
        from tonesmith.composers._fields import BARS, METER, TEMPO, key_fields
        from tonesmith.composers._moods import MOODS
        from tonesmith.plan.annotated import AnnotationField

        length = 32 + 16 * self.options.bars
        return (
            AnnotationField("mood", "choice", "the intended mood", tuple(MOODS)),
            AnnotationField("valence", "number", "intended, from unpleasant, -1, to pleasant, 1"),
            AnnotationField("arousal", "number", "intended, from still, -1, to excited, 1"),
            *key_fields(),
            TEMPO,
            AnnotationField("register", "whole", "MIDI pitch about which the melody moves"),
            AnnotationField("dynamics", "whole", "MIDI velocity, without accents"),
            AnnotationField("articulation", "number", "share of its time that a note sounds, 1 for legato"),
            AnnotationField("density", "number", "places for notes of the melody per quarter note"),
            METER,
            BARS,
            AnnotationField("progression", "text", "numerals, with | between bars", length=length),
            AnnotationField("chords", "text", "chord symbols, with | between bars", length=length),
        )

    def compose(self, index: int) -> Composed:
        """Return the score of an index."""
        from tonesmith.composers._bars import Stream, by_bars, score_of
        from tonesmith.composers._moods import MOODS, cues_at
        from tonesmith.composers._song import PARTS, drums, harmonised, song, voice_ranges
        from tonesmith.composers._texture import starts_of
        from tonesmith.score.bars import Bar, bars_within
        from tonesmith.score.theory import Tonality

        options, draws = self.options, Stream(self.seed, "composer emotion", index)
        mood, valence, arousal = self._meant(draws)
        cues = cues_at(valence, arousal, options.variation, options.bpm, draws)
        tonality, bar = Tonality(draws.pick(self._tonics), cues.mode), Bar.of(draws.pick(options.meter))
        bars = bars_within(bar, cues.tempo_bpm, options.bars, self.seconds)
        slots = _slots(bars)
        progression = draws.pick(MOODS[mood].progressions(cues.mode))
        harmony = harmonised(progression, sum(slots), tonality, voice_ranges(cues.register))
        parts = song(harmony, *starts_of(slots, bar), bar, tonality, cues, draws)
        if options.drums:
            parts.append(drums(bars, bar, cues))
        annotations: dict[str, Value] = {
            "mood": mood,
            "valence": valence,
            "arousal": arousal,
            "key": str(tonality),
            "mode": cues.mode,
            "tempo_bpm": cues.tempo_bpm,
            "register": cues.register,
            "dynamics": cues.dynamics,
            "articulation": cues.articulation,
            "density": cues.density,
            "meter": bar.name,
            "bars": bars,
            "progression": by_bars(harmony.numerals, slots),
            "chords": by_bars(harmony.symbols, slots),
        }
        return Composed(score_of(parts, PARTS[: len(parts)], bar, cues.tempo_bpm, tonality), annotations)

    def _meant(self, draws: Stream) -> tuple[str, float, float]:
        """Return mood, valence and arousal."""
        from tonesmith.composers._moods import MOODS, nearest_mood

        options = self.options
        given = (options.valence, options.arousal)
        if given != (None, None):
            point = [round(draws.between((-1.0, 1.0) if ends is None else ends), 3) for ends in given]
            return nearest_mood(*point), point[0], point[1]
        mood = draws.pick(self._moods)
        centre = (MOODS[mood].valence, MOODS[mood].arousal)
        point = [round(min(max(at + options.spread * draws.bell(), -1.0), 1.0), 3) for at in centre]
        return mood, point[0], point[1]


def _slots(bars: int) -> list[int]:
    """Return the chords in each bar: one, or two where a progression would not be heard otherwise."""
    return {1: [2], 2: [2, 2], 3: [1, 2, 1]}.get(bars, [1] * bars)


@hookimpl
def tonesmith_composers() -> Iterable[type[Composer[Any]]]:
    """Return the composer of this module."""
    return [Emotion]
