"""A feature is computed of every sound, and stored beside it with its definition."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from tonesmith.host.roles.base import O, Plugin

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tonesmith.plan.feature import FeatureArray, Sound
    from tonesmith.plan.plan import Audio


class Feature(Plugin[O]):
    """Computes arrays of a sound. A pure function of the sound and the options: no state, no randomness, no clock.

    What it computes is known before: :meth:`arrays` tells names and shapes from the form of the audio alone, and
    :meth:`definition` how they are made, so that whoever reads a dataset needs neither the plugin nor this code.

    The constructor and :meth:`arrays` raise :class:`tonesmith.errors.ConfigError` for options that cannot be used with
    such audio, and for a library that is missing. The command then ends with status 2, and nothing is written.
    """

    role = "feature"
    of: ClassVar[Literal["sound", "score"]] = "sound"
    """What it is computed of. One of scores is a :class:`tonesmith.host.roles.ScoreFeature`."""

    def __init__(self, options: O) -> None:
        self.options = options

    @classmethod
    def loads(cls, options: O) -> tuple[str, ...]:
        """Return what code it runs with these options that is not its own: full paths, or ``package.module:name``.

        A dataset may be a stranger's, and its plan names this. The host refuses to load what this user has not named
        himself in a run of his own. Return nothing of a file that is only read.
        """
        return ()

    @abstractmethod
    def arrays(self, audio: Audio) -> Sequence[FeatureArray]:
        """Return the arrays that it computes of each sound.

        Args:
            audio: the form of every sound: sample rate in Hz, channels, frames.
        """

    @abstractmethod
    def definition(self, audio: Audio) -> Mapping[str, Any]:
        """Return how the arrays are made, as JSON: everything that another program needs to compute the same.

        That is the version of this definition, and every choice that is made for the user: window, hop, padding,
        scale, norm, power, floor, reference.
        """

    @abstractmethod
    def compute(self, sound: Sound) -> Mapping[str, NDArray[Any]]:
        """Return name -> array, for each of :meth:`arrays`. The audio must be left as it is."""
