"""An augmenter makes variants of items: what it draws, what it does with that, and what becomes of the labels."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from tonesmith.host.roles.annotation import Said
from tonesmith.host.roles.base import O, Plugin

if TYPE_CHECKING:
    from tonesmith.score.draws import Draws

Parameters = Mapping[str, Any]
"""What is drawn for one child: plain JSON, from which alone the child can be made again."""


@dataclass(frozen=True, slots=True)
class Unsuited:
    """Nothing can be drawn for an item.

    Attributes:
        reason: a clause that follows the name of the item, such as "has only drums".
    """

    reason: str


@dataclass(frozen=True, slots=True)
class Relabelled:
    """What becomes of one label of the parent.

    Attributes:
        value: of the child; None if nothing can be said of it any more.
        certainty: 1 for a value that follows exactly, such as the key of a transposed score. Less for one that is only
            inherited and may have changed: the confidence of the parent's label is multiplied by it.
    """

    value: Said | None
    certainty: float = 1.0


class Augmenter(Plugin[O]):
    """Makes a variant of a score or of a recording. Drawing and applying are apart.

    What is drawn is stored with the child, and :meth:`apply` makes the same child of it again. All methods are pure
    functions of their arguments and the options: no state, no global randomness, no clock.

    What it is given, and what it returns, is a :class:`tonesmith.Score` if ``takes`` is "score", and a
    :class:`tonesmith.Recorded` (float32 (channels, frames), and its rate) if it is "audio". It changes neither in
    place.
    """

    role = "augmenter"
    takes: ClassVar[Literal["score", "audio"]]
    """What it is applied to."""
    version: ClassVar[int] = 1
    """Of what it makes of the same parameters. Raise it with the code: children are then other children."""
    libraries: ClassVar[tuple[str, ...]] = ()
    """Distributions whose version may change what it makes, such as ("pedalboard",). They are stored with a child."""

    def __init__(self, options: O) -> None:
        self.options = options
        self.set_up()

    def set_up(self) -> None:
        """Prepare. Override this, not the constructor. It may raise :class:`tonesmith.errors.ConfigError`."""

    @abstractmethod
    def draw(self, music: Any, draws: Draws) -> Parameters | Unsuited:
        """Return the parameters of one child, or why there can be none.

        A draw that this music does not allow, such as one that takes a note out of MIDI's range, is drawn again and
        never clamped.

        Args:
            music: the score or recording that it will be applied to.
            draws: the only randomness there is: its numbers depend on the seed, the item, the chain and the child.
        """

    @abstractmethod
    def apply(self, music: Any, parameters: Parameters) -> Any:
        """Return the changed score or recording."""

    def relabel(self, labels: Mapping[str, Said], parameters: Parameters) -> Mapping[str, Relabelled]:
        """Return what becomes of the labels that it touches, by name; the others stay as they are.

        Args:
            labels: what one source says of the parent.
            parameters: that were drawn.
        """
        return {}
