"""The words of a Faust program, as Faust's own scanner parts them, and the program without its comments.

The rules are those of ``compiler/parser/faustlexer.l`` in Faust 2: a string has no escapes and ends at the next quote;
a line comment ends at a line feed or a carriage return; between ``<mdoc>`` and ``</mdoc>`` is documentation.

Faust is given the words that were found here, and never the text itself. So a text on which this scanner and Faust's do
not agree means another program, and hides nothing: outside of its strings, what Faust reads has no comment left.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

Kind = Literal["gap", "string", "name", "number", "other"]

_NAME = r"_*[A-Za-z][_A-Za-z0-9]*"
_EXPONENT = r"(?:e[-+]?[0-9]+)?f?"
_WORDS = re.compile(
    rf"""(?P<gap>/\*.*?(?:\*/|\Z)|//[^\n\r]*|<mdoc>.*?(?:</mdoc>|\Z)|[ \t\n\r]+)
    |(?P<string>"[^"]*")
    |(?P<name>(?:::)?{_NAME}(?:::{_NAME})*)
    |(?P<number>(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+){_EXPONENT})
    |(?P<other>.)""",
    re.DOTALL | re.VERBOSE,
)


@dataclass(frozen=True, slots=True)
class Word:
    """A word of a program: a string with its quotes, a name, a number, any other sign; or the gap between two."""

    kind: Kind
    text: str

    @property
    def content(self) -> str:
        """What is between the quotes of a string."""
        return self.text[1:-1]


def words_of(source: str) -> tuple[Word, ...]:
    """Return the words of a program. Of a gap only its line ends are kept, or else one space. Takes any text."""
    found = []
    for match in _WORDS.finditer(source):
        if match["gap"] is not None:
            found.append(Word("gap", "\n" * match["gap"].count("\n") or " "))
        else:
            kind = next(kind for kind in _KINDS if match[kind] is not None)
            found.append(Word(kind, match[kind]))
    return tuple(found)


def text_of(words: Iterable[Word]) -> str:
    """Return a program of these words."""
    return "".join(word.text for word in words)


_KINDS: tuple[Kind, ...] = ("string", "name", "number", "other")
