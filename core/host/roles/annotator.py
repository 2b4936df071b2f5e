"""An annotator says things of items."""

from __future__ import annotations

import json
from abc import abstractmethod
from collections.abc import Callable, Collection, Iterable, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, ClassVar, NamedTuple

from tonesmith.host.roles.annotation import Annotation, Authority
from tonesmith.host.roles.base import O, Plugin

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from tonesmith.score.score import Score


class Recorded(NamedTuple):
    """A recording: float32 (channels, frames), full scale 1.0, and its rate in Hz."""

    audio: NDArray[np.float32]
    sample_rate: int


class Subject:
    """An item as annotators see it, one after another. Its score and recording are read when they are first asked for.

    They are the next annotator's as well, so that they cannot be changed.

    Args:
        item: its name.
        names: that its files had in their sources, with ``/``.
        score: reads its score; returns None if it has none.
        recording: likewise of its recording.
        choices: label of the profile -> word in small letters -> the choice that it stands for.
        own: names and stems of its files that no other item has.
    """

    def __init__(
        self,
        item: str,
        names: Iterable[str] = (),
        score: Callable[[], Score | None] = lambda: None,
        recording: Callable[[], Recorded | None] = lambda: None,
        choices: Mapping[str, Mapping[str, str]] | None = None,
        own: Collection[str] = (),
    ) -> None:
        self.item = item
        self.choices = dict(choices or {})
        self.own = frozenset(own)
        self.names = tuple(names)
        self._read_score, self._read_recording = score, recording

    @cached_property
    def score(self) -> Score | None:
        """Its score, or None."""
        return self._read_score()

    @cached_property
    def recording(self) -> Recorded | None:
        """Its recording, or None."""
        return self._read_recording()


class Annotator(Plugin[O]):
    """Says things of an item. A pure function of the item and the options: no state, no randomness, no clock.

    It says nothing rather than guess, and how sure it is of what it says.
    """

    role = "annotator"
    version: ClassVar[int] = 1
    """Of what it says. Raise it with the code: items are then annotated again."""
    authority: ClassVar[Authority] = "detector"
    """What kind of witness it is."""

    def __init__(self, options: O) -> None:
        self.options = options
        self.set_up()

    def set_up(self) -> None:
        """Prepare. Override this, not the constructor. It may raise :class:`tonesmith.errors.ConfigError`."""

    def definition(self) -> str:
        """Return what it says things by: its version, its options, and what else decides, such as a file's content."""
        chosen = self.options.model_dump(mode="json", exclude_defaults=True)
        return f"{self.version} {json.dumps(chosen, sort_keys=True)}" if chosen else str(self.version)

    @abstractmethod
    def annotate(self, subject: Subject) -> Iterable[Annotation]:
        """Return what it says of an item, each name once: name, value and confidence."""
