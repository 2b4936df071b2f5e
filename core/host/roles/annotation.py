"""What is said of an item of a corpus: a name, a value, and who says it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

Said = float | int | bool | str | tuple[str, ...]
"""The value of an annotation: a number, true or false, a text, or several texts."""

Authority = Literal["person", "composer", "table", "folder", "score", "detector"]
"""What kind of witness says it."""

AUTHORITIES: Final[tuple[Authority, ...]] = ("person", "composer", "table", "folder", "score", "detector")
"""From the one that is believed first to the one that is believed last."""


@dataclass(frozen=True, slots=True)
class Annotation:
    """One value that one source gives an item.

    Attributes:
        name: of what is said, a word of lower-case letters, digits and ``_``, with its unit at the end.
        value: a number, true or false, a text, or several texts.
        confidence: 0..1, of the source in what it says.
        source: who says it, such as the name of an annotator. An annotator leaves it, and what follows, empty: the
            corpus fills it in.
        version: of the source.
        authority: what kind of witness it is.
        by: the person, or the program and its version.
        at: the moment, in UTC, as ISO 8601.
    """

    name: str
    value: Said
    confidence: float = 1.0
    source: str = ""
    version: str = ""
    authority: Authority = "detector"
    by: str = ""
    at: str = ""
