"""The language of filters, such as ``cutoff > 80 and not origin = bank``: text in, a tree out.

::

    either     = both ("or" both)*
    both       = one (["and"] one)*
    one        = "not" one | "(" either ")" | name operator value | text
    operator   = "=" | "!=" | "<" | "<=" | ">" | ">=" | "~"

Words side by side must all be met. A text alone, such as ``warm pad``, is looked for in names; ``~`` means that the
value has the text in it. Quotes hold together what has spaces or signs: ``preset = "Warm Pad (2)"``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from tonesmith.errors import ConfigError
from tonesmith.terminal.text import one_line

LONGEST = 1000
"""Characters of a filter."""
_DEEPEST = 32
"""Parentheses and negations in each other."""
_TOKEN = re.compile(
    r"""\s*(?:(?P<operator>[<>!]=|[=<>~])=?|(?P<bracket>[()])|"(?P<double>[^"]*)"|'(?P<single>[^']*)'"""
    r"""|(?P<word>[^\s()=<>!~"']+))"""
)
_WORDS = ("and", "or", "not")


class QueryError(ConfigError):
    """A filter cannot be read.

    Attributes:
        place: of the character that is wrong, from 0.
    """

    def __init__(self, message: str, place: int) -> None:
        super().__init__(f"column {place + 1}: {message}")
        self.place = place


@dataclass(frozen=True, slots=True)
class Text:
    """A text that some name of a row must have in it."""

    text: str


@dataclass(frozen=True, slots=True)
class Compared:
    """A comparison with a value.

    Attributes:
        name: of what is compared.
        operator: one of ``= != < <= > >= ~``.
        value: as it was typed.
        place, value_place: of the name and of the value in the filter, from 0.
    """

    name: str
    operator: str
    value: str
    place: int = 0
    value_place: int = 0


@dataclass(frozen=True, slots=True)
class Not:
    """What must not be met."""

    of: Query


@dataclass(frozen=True, slots=True)
class Every:
    """What must all be met; nothing is met by every row."""

    parts: tuple[Query, ...]


@dataclass(frozen=True, slots=True)
class Some:
    """What must be met by one at least."""

    parts: tuple[Query, ...]


Query = Text | Compared | Not | Every | Some


@dataclass(frozen=True, slots=True)
class _Token:
    """A part of the filter: an "operator", a "bracket", a "word", a "quoted" text, or the "end"."""

    kind: str
    text: str
    place: int

    def is_word(self, word: str) -> bool:
        return self.kind == "word" and self.text.lower() == word

    @property
    def closes(self) -> bool:
        return (self.kind, self.text) == ("bracket", ")")


def parse(text: str) -> Query:
    """Return what a filter asks for. Raises :class:`QueryError` with the place of what is wrong."""
    if len(text) > LONGEST:
        raise QueryError(f"a filter has at most {LONGEST:,} characters", LONGEST)
    parser = _Parser(list(_tokens(text)))
    query = parser.either(0) if parser.next.kind != "end" else Every(())
    if parser.next.kind != "end":
        raise QueryError("there is no ( for this )", parser.next.place)
    return query


def _tokens(text: str) -> Iterator[_Token]:
    place, end = 0, len(text.rstrip())
    while place < end:
        match = _TOKEN.match(text, place)
        if match is None:
            where = place + len(text[place:]) - len(text[place:].lstrip())
            if text[where] in "\"'":
                raise QueryError("this quote is not closed", where)
            raise QueryError(f"{one_line(text[where])!r} is no operator. Did you mean '!='?", where)
        kind = match.lastgroup or ""
        quoted = kind in {"double", "single"}
        yield _Token("quoted" if quoted else kind, match[kind], match.start(kind) - quoted)
        place = match.end()
    yield _Token("end", "", len(text))


class _Parser:
    def __init__(self, tokens: list[_Token]) -> None:
        self._tokens = tokens
        self._at = 0

    @property
    def next(self) -> _Token:
        return self._tokens[self._at]

    def _take(self) -> _Token:
        token = self.next
        self._at += 1
        return token

    def either(self, depth: int) -> Query:
        parts = [self._both(depth)]
        while self.next.is_word("or"):
            self._take()
            parts.append(self._both(depth))
        return parts[0] if len(parts) == 1 else Some(tuple(parts))

    def _both(self, depth: int) -> Query:
        parts = [self._one(depth)]
        while not self._ends():
            if self.next.is_word("and"):
                self._take()
            parts.append(self._one(depth))
        return parts[0] if len(parts) == 1 else Every(tuple(parts))

    def _ends(self) -> bool:
        return self.next.kind == "end" or self.next.closes or self.next.is_word("or")

    def _one(self, depth: int) -> Query:
        token = self._take() if self.next.kind != "end" else self.next
        if depth > _DEEPEST:
            raise QueryError(f"more than {_DEEPEST} parentheses are in each other", token.place)
        if token.is_word("not"):
            return Not(self._one(depth + 1))
        if (token.kind, token.text) == ("bracket", "("):
            return self._inside(token, depth)
        if token.kind not in {"word", "quoted"} or any(map(token.is_word, _WORDS)):
            told = f"before {token.text!r}" if token.text else "here"
            raise QueryError(f"expected a name or a text {told}", token.place)
        return self._compared(token) if self.next.kind == "operator" else Text(token.text)

    def _inside(self, bracket: _Token, depth: int) -> Query:
        inner = self.either(depth + 1)
        if not self.next.closes:
            raise QueryError("this ( is not closed", bracket.place)
        self._take()
        return inner

    def _compared(self, name: _Token) -> Query:
        operator = self._take()
        if self.next.kind not in {"word", "quoted"}:
            raise QueryError(f"expected a value after {operator.text!r}", self.next.place)
        value = self._take()
        return Compared(name.text, operator.text, value.text, name.place, value.place)


def compared(query: Query) -> Iterator[Compared]:
    """Yield the comparisons in a filter, in order."""
    match query:
        case Compared():
            yield query
        case Not(of):
            yield from compared(of)
        case Every(parts) | Some(parts):
            for part in parts:
                yield from compared(part)


def has_text(query: Query) -> bool:
    """Return whether a filter looks for a text in names."""
    match query:
        case Text():
            return True
        case Not(of):
            return has_text(of)
        case Every(parts) | Some(parts):
            return any(map(has_text, parts))
    return False
