"""Music of a mood: its mode, tempo, register, dynamics and chords follow from valence and arousal."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from pydantic import Field

from tonesmith.errors import ConfigError, ScoreError, unknown_name
from tonesmith.host.hookspecs import hookimpl
from tonesmith.host.roles import Composed, Composer, Options

if TYPE_CHECKING:
    from tonesmith.composers._bars import Draws
    from tonesmith.plan.annotated import AnnotationField, Value


class EmotionOptions(Options):
    """Options of :class:`Emotion`."""

    moods: tuple[str, ...] = Field(
        default=(),
        description="Moods to draw from: happy, excited, tender, calm, sad, fearful, tense, angry. Unset: all.",
    )
    valence: tuple[float, float] | None = Field(
        default=None, description="Draw valence from [low, high] in -1..1, instead of moods."
    )
    arousal: tuple[float, float] | None = Field(
        default=None, description="Draw arousal from [low, high] in -1..1, instead of moods."
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
    tonics: tuple[str, ...] = Field(default=(), description="Tonics to draw from, such as C,F#. Unset: all 12.")
    bars: int = Field(default=8, ge=1, le=64, description="Most bars of a score. Fewer where a phrase is too short.")
    meters: tuple[str, ...] = Field(
        default=("4/4",), description="Meters to draw from: 2/4, 3/4, 4/4, 5/4, 6/4, 5/8, 6/8, 7/8, 9/8, 12/8."
    )
    tempo: tuple[float, float] = Field(
        default=(50.0, 200.0),
        description="Lowest and highest tempo, in quarter notes per minute, whatever the emotion.",
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
        """Check moods, ranges and meters. Raises :class:`ConfigError`, such as for an unknown mood."""
        from tonesmith.composers._bars import check_length, check_range, meters_named
        from tonesmith.composers._moods import MOODS
        from tonesmith.score.theory import pitch_class

        options = self.options
        for name in options.moods:
            if name not in MOODS:
                raise ConfigError(unknown_name("mood", name, MOODS))
        if options.moods and (options.valence or options.arousal):
            raise ConfigError("composer.moods and ranges of valence or arousal exclude each other: give one of them.")
        for key, bounds in (("valence", options.valence), ("arousal", options.arousal)):
            check_range(key, bounds or (-1.0, 1.0), -1.0, 1.0)
        self._moods = options.moods or tuple(MOODS)
        self._meters = meters_named(options.meters)
        check_range("tempo", options.tempo, 20.0, 400.0)
        check_length(self._meters, options.tempo[0], self.seconds)
        try:
            self._tonics = tuple(pitch_class(name) for name in options.tonics) or tuple(range(12))
        except ScoreError as error:
            raise ConfigError(f"composer.tonics: {error}") from None

    def fields(self) -> Sequence[AnnotationField]:
        """Return mood, valence, arousal and the cues that follow, key, meter and progression."""
        from tonesmith.composers._bars import METERS
        from tonesmith.composers._moods import MOODS
        from tonesmith.plan.annotated import AnnotationField
        from tonesmith.score.theory import Tonality

        keys = tuple(str(Tonality(tonic, mode)) for mode in ("major", "minor") for tonic in range(12))
        length = 32 + 16 * self.options.bars
        return (
            AnnotationField("mood", "choice", "the intended mood", tuple(MOODS)),
            AnnotationField("valence", "number", "intended, from unpleasant, -1, to pleasant, 1"),
            AnnotationField("arousal", "number", "intended, from still, -1, to excited, 1"),
            AnnotationField("key", "choice", "tonic and mode", keys),
            AnnotationField("mode", "choice", "mode of the key", ("major", "minor")),
            AnnotationField("tempo_bpm", "number", "quarter notes per minute"),
            AnnotationField("register", "whole", "MIDI pitch about which the melody moves"),
            AnnotationField("dynamics", "whole", "MIDI velocity, without accents"),
            AnnotationField("articulation", "number", "share of its time that a note sounds, 1 for legato"),
            AnnotationField("density", "number", "places for notes of the melody per quarter note"),
            AnnotationField("meter", "choice", "time signature", tuple(METERS)),
            AnnotationField("bars", "whole", "bars of the score"),
            AnnotationField("progression", "text", "numerals, with | between bars", length=length),
            AnnotationField("chords", "text", "chord symbols, with | between bars", length=length),
        )

    def compose(self, index: int) -> Composed:
        """Return the score of an index."""
        from tonesmith.composers._bars import METERS, Draws, bars_that_fit, by_bars, score_of
        from tonesmith.composers._moods import MOODS, cues_at
        from tonesmith.composers._song import PARTS, drums, song, voice_ranges
        from tonesmith.composers._texture import starts_of
        from tonesmith.score.theory import Tonality, lead_voices, parse_numeral, symbol_of

        options, draws = self.options, Draws(self.seed, "composer emotion", index)
        mood, valence, arousal = self._meant(draws)
        cues = cues_at(valence, arousal, options.variation, options.tempo, draws)
        tonality, meter = Tonality(draws.pick(self._tonics), cues.mode), draws.pick(self._meters)
        bar = METERS[meter]
        bars = bars_that_fit(options.bars, bar, cues.tempo_bpm, self.seconds)
        slots = _slots(bars)
        numerals = _numerals(draws.pick(MOODS[mood].progressions(cues.mode)), sum(slots), cues.mode)
        chords = [parse_numeral(numeral, tonality) for numeral in numerals]
        starts, lengths = starts_of(slots, bar)
        voices = lead_voices(chords, voice_ranges(cues.register))
        parts = song(chords, voices, starts, lengths, bar, tonality, cues, draws)
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
            "meter": meter,
            "bars": bars,
            "progression": by_bars(numerals, slots),
            "chords": by_bars([symbol_of(chord, tonality) for chord in chords], slots),
        }
        return Composed(score_of(parts, PARTS[: len(parts)], bar, cues.tempo_bpm, tonality), annotations)

    def _meant(self, draws: Draws) -> tuple[str, float, float]:
        """Return mood, valence and arousal."""
        from tonesmith.composers._moods import MOODS, nearest_mood

        options = self.options
        if options.valence or options.arousal:
            point = [round(draws.between(*(bounds or (-1.0, 1.0))), 3) for bounds in (options.valence, options.arousal)]
            return nearest_mood(*point), point[0], point[1]
        mood = draws.pick(self._moods)
        centre = (MOODS[mood].valence, MOODS[mood].arousal)
        point = [round(min(max(at + options.spread * draws.bell(), -1.0), 1.0), 3) for at in centre]
        return mood, point[0], point[1]


def _slots(bars: int) -> list[int]:
    """Return the chords in each bar: one, or two where a progression would not be heard otherwise."""
    return {1: [2], 2: [2, 2], 3: [1, 2, 1]}.get(bars, [1] * bars)


def _numerals(progression: str, count: int, mode: str) -> list[str]:
    """Return so many numerals: the progression again and again, and the tonic at the end."""
    bars = progression.split()
    return [bars[place % len(bars)] for place in range(count - 1)] + ["I" if mode == "major" else "i"]


@hookimpl
def tonesmith_composers() -> Iterable[type[Composer[Any]]]:
    """Return the composer of this module."""
    return [Emotion]
