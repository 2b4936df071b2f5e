"""A feature of scores: numbers and arrays that follow from the notes."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from tonesmith.errors import ConfigError
from tonesmith.host.roles.base import O
from tonesmith.host.roles.feature import Feature

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tonesmith.plan.feature import FeatureArray, Sound
    from tonesmith.plan.plan import Audio
    from tonesmith.score.score import Score


class ScoreFeature(Feature[O]):
    """Computes arrays of a score. A pure function of the score and the options: no state, no randomness, no clock.

    Shapes are the same for every score. Where there is nothing to measure, such as in a score of drums alone, NaN
    stands in an array with ``missing=True``.
    """

    of: ClassVar[Literal["sound", "score"]] = "score"

    @abstractmethod
    def score_arrays(self) -> Sequence[FeatureArray]:
        """Return the arrays that it computes of each score. Names say units: ``_s``, ``_beats``, ``_hz``, ``_bits``."""

    @abstractmethod
    def score_definition(self) -> Mapping[str, Any]:
        """Return how the arrays are made, as JSON with a ``version``: all that another program needs."""

    @abstractmethod
    def compute_score(self, score: Score) -> Mapping[str, NDArray[Any]]:
        """Return name -> array, for each of :meth:`score_arrays`."""

    def arrays(self, audio: Audio) -> Sequence[FeatureArray]:
        """Return :meth:`score_arrays`."""
        return self.score_arrays()

    def definition(self, audio: Audio) -> Mapping[str, Any]:
        """Return :meth:`score_definition`."""
        return self.score_definition()

    def compute(self, sound: Sound) -> Mapping[str, NDArray[Any]]:
        """Raise :class:`ConfigError`: a sound has no notes."""
        raise ConfigError(f"the feature {self.name!r} is computed of scores, not of sounds.")
