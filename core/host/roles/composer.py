"""A composer draws scores."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tonesmith.host.roles.base import O, Plugin

if TYPE_CHECKING:
    from tonesmith.plan.annotated import AnnotationField, Value
    from tonesmith.score.score import Score


@dataclass(frozen=True, slots=True)
class Composed:
    """A score, and what is said of it.

    Attributes:
        score: the music.
        annotations: a value for each of the composer's fields, by name.
        source: where a score that was not composed came from, such as the name of a file and a bar in it; else "".
    """

    score: Score
    annotations: Mapping[str, Value] = field(default_factory=dict)
    source: str = ""


class Composer(Plugin[O]):
    """Draws scores with what is true of them. ``compose`` is a pure function of the options, the seed and the index.

    Args of the constructor:
        options: the options of this composer.
        seed: the seed of the plan.
        seconds: that a score may last at most; None for no limit. A composer writes fewer bars rather than have its
            music cut.
    """

    role = "composer"

    def __init__(self, options: O, seed: int, seconds: float | None = None) -> None:
        self.options = options
        self.seed = seed
        self.seconds = seconds
        self.set_up()

    def set_up(self) -> None:
        """Prepare to compose. Override this, not the constructor.

        It may raise :class:`tonesmith.errors.ConfigError`, such as for a bar that is longer than ``seconds``.
        """

    @classmethod
    def recorded(cls, options: O) -> Mapping[str, Any]:
        """Return the options as JSON for the plan; by default all. Leave out what does not decide the scores.

        Such are the paths of files, of which the plan lists the scores themselves.
        """
        return options.model_dump(mode="json")

    def fields(self) -> Sequence[AnnotationField]:
        """Return what it says of every score; by default, nothing. Each is a cause of the notes, not an estimate."""
        return ()

    def collected(self) -> Sequence[Composed] | None:
        """Return every score of a composer that plays a fixed list; None, the default, of one that composes.

        The list is read once, when a plan is made. Its scores are kept as assets of the dataset, so that nothing
        depends on files outside it, and :meth:`compose` is not called where rows are made. It may raise
        :class:`tonesmith.errors.ConfigError`.
        """
        return None

    def remarks(self) -> Sequence[str]:
        """Return what a person should know of :meth:`collected`, such as files left out, a sentence each."""
        return ()

    @abstractmethod
    def compose(self, index: int) -> Composed:
        """Return the score of an index from 0 on, at a cost that does not grow with it.

        Raises :class:`IndexError` for one that a fixed list does not have.
        """
