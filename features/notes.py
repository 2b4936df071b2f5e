"""Pitches, density and velocities of scores."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from tonesmith.features._scores import number, numbers
from tonesmith.host.hookspecs import hookimpl
from tonesmith.host.roles import Feature, Options, ScoreFeature
from tonesmith.plan.feature import FeatureArray

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tonesmith.score.score import Score

_ARRAYS = (
    number("count", "notes", "notes, drums included"),
    number("duration_s", "s", "from the beginning until the last note ends"),
    number("duration_beats", "beats", "from the beginning until the last note ends"),
    number("pitch_low", "MIDI pitch", "lowest pitch"),
    number("pitch_high", "MIDI pitch", "highest pitch"),
    number("pitch_range", "semitones", "from the lowest pitch to the highest"),
    number("pitch_mean", "MIDI pitch", "mean pitch of the notes"),
    number("pitches_used", "pitches", "different pitches"),
    number("pitch_classes_used", "pitch classes", "different pitch classes"),
    number("pitch_entropy_bits", "bits", "entropy of the pitches"),
    number("pitch_class_entropy_bits", "bits", "entropy of the pitch classes"),
    number("polyphony", "pitches", "pitches that sound together on average, where any sounds"),
    number("polyphony_rate", "1", "share of the time in which two pitches or more sound"),
    number("notes_per_s", "1/s", "notes over seconds"),
    number("notes_per_beat", "1/beat", "notes over beats"),
    number("empty_beat_rate", "1", "share of the beats in which nothing sounds"),
    number("velocity_mean", "MIDI velocity", "mean velocity"),
    number("velocity_spread", "MIDI velocity", "standard deviation of the velocity"),
    number("velocity_range", "MIDI velocity", "greatest less least velocity"),
)


class Notes(ScoreFeature[Options]):
    """Pitches, density, polyphony and velocities of a score.

    ::

        tonesmith corpus features emotion_v1 --add notes

    Sources: Dong et al. 2020, "MusPy"; Dong et al. 2018, "MuseGAN"; Wu & Yang 2020, "The Jazz Transformer on the front
    line".
    """

    name = "notes"
    summary = "pitches, density, polyphony and velocities of a score"
    Options = Options

    def score_arrays(self) -> Sequence[FeatureArray]:
        """Return a number for each."""
        return _ARRAYS

    def score_definition(self) -> Mapping[str, Any]:
        """Return how each number is made."""
        return {
            "version": 1,
            "drums": "are notes, and have no pitch: pitches and polyphony leave them out",
            "duration": "from tick 0 until the last note ends, through the tempo map; a beat is a quarter note",
            "pitch_range": "pitch_high - pitch_low",
            "pitch_entropy_bits": "-sum(p * log2(p)), p = share of the notes with a pitch",
            "pitch_class_entropy_bits": "the same of pitch modulo 12",
            "polyphony": "sum over time of pitches that sound / time in which any sounds; time in beats; a pitch that "
            "several notes play at once counts once",
            "polyphony_rate": "time in which two pitches or more sound / time until the last pitch ends; time in beats",
            "notes_per_s": "count / duration_s",
            "notes_per_beat": "count / duration_beats",
            "empty_beat_rate": "1 - beats [b, b + 1) in which a note, or a drum, is held / ceil(duration_beats)",
            "velocity_spread": "standard deviation of the population",
        }

    def compute_score(self, score: Score) -> Mapping[str, NDArray[Any]]:
        """Return the numbers."""
        from tonesmith.score.metrics import pitches_of, texture_of

        pitches, texture = pitches_of(score), texture_of(score)
        return numbers(
            count=len(score),
            duration_s=texture.duration_s,
            duration_beats=texture.duration_beats,
            pitch_low=pitches.low,
            pitch_high=pitches.high,
            pitch_range=pitches.span,
            pitch_mean=pitches.mean,
            pitches_used=pitches.used,
            pitch_classes_used=pitches.classes_used,
            pitch_entropy_bits=pitches.entropy_bits,
            pitch_class_entropy_bits=pitches.class_entropy_bits,
            polyphony=texture.polyphony,
            polyphony_rate=texture.polyphony_rate,
            notes_per_s=texture.notes_per_s,
            notes_per_beat=texture.notes_per_beat,
            empty_beat_rate=texture.empty_beat_rate,
            velocity_mean=texture.velocity_mean,
            velocity_spread=texture.velocity_spread,
            velocity_range=texture.velocity_range,
        )


@hookimpl
def tonesmith_features() -> Iterable[type[Feature[Any]]]:
    """Return the feature of this module."""
    return [Notes]
