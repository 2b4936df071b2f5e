"""Pitch classes, key and chords of scores."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from tonesmith.features._scores import TOLERANCE, number, numbers
from tonesmith.host.hookspecs import hookimpl
from tonesmith.host.roles import Feature, Options, ScoreFeature
from tonesmith.plan.feature import FeatureArray

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tonesmith.score.score import Score

_ARRAYS = (
    FeatureArray(
        "pitch_classes",
        (12,),
        ("pitch class",),
        "1",
        "share of the sounding beats of each pitch class, from C on",
        tolerance=TOLERANCE,
        missing=True,
    ),
    number("scale_consistency", "1", "largest share of the notes that one diatonic scale holds"),
    number("key_margin", "1", "how much better the likeliest key correlates than the second"),
    number("key_confidence", "1", "how often a key with this margin is right"),
    number("in_key", "1", "share of the sounding beats on the degrees of that key"),
    number("chord_share", "1", "share of the beats with three pitch classes or more that are a known chord"),
    number("chords_per_beat", "1/beat", "changes of the known chord over beats"),
)


class Harmony(ScoreFeature[Options]):
    """How clearly a score has a scale, a key and chords.

    ::

        tonesmith corpus features emotion_v1 --add harmony

    Sources: Temperley 1999, "What's key for key?"; Mogren 2016, "C-RNN-GAN", for the scale consistency.
    """

    name = "harmony"
    summary = "pitch classes, scale, key and chords of a score"
    Options = Options

    def score_arrays(self) -> Sequence[FeatureArray]:
        """Return the histogram of pitch classes (12,), and a number for each other."""
        return _ARRAYS

    def score_definition(self) -> Mapping[str, Any]:
        """Return how each array is made."""
        from tonesmith.score.theory.key_finding import CALIBRATION, FEWEST, LEAST, PROFILES

        return {
            "version": 1,
            "drums": "are left out",
            "pitch_classes": "beats that notes of a pitch class are held, summed, over the sum of all",
            "scale_consistency": "max over the 12 major scales of notes in it / notes",
            "profiles": {mode: list(profile) for mode, profile in PROFILES.items()},
            "key": "the profile, on the tonic, with the greatest Pearson correlation with pitch_classes; none of fewer "
            f"than {FEWEST} notes, or below a correlation of {LEAST:g}",
            "key_margin": "correlation of the key less that of the second",
            "key_confidence": {
                "interpolated": "linearly by key_margin",
                "points": [list(pair) for pair in CALIBRATION],
            },
            "in_key": "sum of pitch_classes on the seven degrees of the major or natural minor scale of the key",
            "chord_share": "beats in which three pitch classes or more sound and are a known chord / beats in which "
            "three or more sound",
            "chords_per_beat": "known chords of another root or tones than the known chord before, over beats",
        }

    def compute_score(self, score: Score) -> Mapping[str, NDArray[Any]]:
        """Return the arrays."""
        import numpy as np

        from tonesmith.score.metrics import harmony_of

        found = harmony_of(score)
        told = numbers(
            scale_consistency=found.scale_consistency,
            key_margin=found.key_margin,
            key_confidence=found.key_confidence,
            in_key=found.in_key,
            chord_share=found.chord_share,
            chords_per_beat=found.chords_per_beat,
        )
        return {"pitch_classes": found.pitch_classes.astype(np.float32), **told}


@hookimpl
def tonesmith_features() -> Iterable[type[Feature[Any]]]:
    """Return the feature of this module."""
    return [Harmony]
