"""Rhythm and articulation of scores."""

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
        "places",
        (16,),
        ("place",),
        "1",
        "share of the onsets at each of 16 places of a bar",
        tolerance=TOLERANCE,
        missing=True,
    ),
    number("swing_ratio", "beats", "place of the off-beat in its beat: 0.5 is straight, 0.667 triplets"),
    number("swing_spread", "beats", "interquartile range of these places"),
    number("offset_s", "s", "median onset after the swung grid; negative if before"),
    number("offset_spread_s", "s", "interquartile range of that"),
    number("ioi_median_s", "s", "median interval between onsets"),
    number("ioi_entropy_bits", "bits", "entropy of the intervals between onsets"),
    number("articulation", "1", "median share of the time until the next onset that a note is held"),
    number("groove_consistency", "1", "how alike neighbouring bars are"),
)


class Groove(ScoreFeature[Options]):
    """Swing, timing, intervals between onsets, articulation, and how alike the bars of a score are.

    ::

        tonesmith corpus features emotion_v1 --add groove

    Sources: Friberg & Sundstroem 2002, "Swing ratios and ensemble timing in jazz performance"; Wu & Yang 2020, "The
    Jazz Transformer on the front line"; Bresin & Battel 2000, "Articulation strategies in expressive piano
    performance".
    """

    name = "groove"
    summary = "swing, timing, intervals, articulation and likeness of the bars of a score"
    Options = Options

    def score_arrays(self) -> Sequence[FeatureArray]:
        """Return the histogram of places (16,), and a number for each other."""
        return _ARRAYS

    def score_definition(self) -> Mapping[str, Any]:
        """Return how each array is made."""
        return {
            "version": 1,
            "onsets": "of all parts, drums included; equal ones count once",
            "places": "onsets rounded to the nearest sixteenth part of their bar, half up; the end of a bar is the "
            "first place of the next; each place of a bar counts once",
            "groove_consistency": "1 - mean over neighbouring bars of places that are taken in one of the two / 16, "
            "from the first bar with an onset to the last; NaN of one bar",
            "swing_ratio": "median place between 0.4 and 0.85 of the way from beat to beat, less that of onsets on the "
            "beat, where beats divide by two; of eighth or sixteenth notes, whichever agree more; of hi-hats and rides "
            "alone where they play off the beat; NaN where off-beats disagree by 0.25 or more",
            "offset_s": "of onsets, or of those of other notes where hi-hats or rides play, from the nearest place of "
            "the swung grid; NaN where the interquartile range is above 0.3 of a sixteenth note",
            "ioi_entropy_bits": "-sum(p * log2(p)) of intervals between onsets, rounded to twelfths of a beat, half "
            "up; those of 0 left out",
            "articulation": "median over notes, drums left out, of seconds held / seconds until the next onset of the "
            "part; the last ones of a part left out",
        }

    def compute_score(self, score: Score) -> Mapping[str, NDArray[Any]]:
        """Return the arrays."""
        import numpy as np

        from tonesmith.score.metrics import rhythm_of

        found = rhythm_of(score)
        told = numbers(
            swing_ratio=found.swing_ratio,
            swing_spread=found.swing_spread,
            offset_s=found.offset_s,
            offset_spread_s=found.offset_spread_s,
            ioi_median_s=found.ioi_median_s,
            ioi_entropy_bits=found.ioi_entropy_bits,
            articulation=found.articulation,
            groove_consistency=found.groove_consistency,
        )
        return {"places": found.places.astype(np.float32), **told}


@hookimpl
def tonesmith_features() -> Iterable[type[Feature[Any]]]:
    """Return the feature of this module."""
    return [Groove]
