"""A score read back from its JSON form, which anybody may have written."""

from __future__ import annotations

import binascii
from collections.abc import Mapping, Sequence
from typing import Any, Final, get_args

from tonesmith.document import parsed_object
from tonesmith.errors import DatasetError, ScoreError
from tonesmith.score.score import Key, Meter, Part, Score, Text, TextKind, controls_of, notes_of
from tonesmith.score.timing import Tempos

FORMAT: Final = 1
"""Version of the stored form. A reader refuses another one."""
_KEYS: Final = frozenset(
    ("format", "resolution", "parts", "notes", "tempos", "meters", "keys", "controls", "texts"),
)
_KINDS: Final = get_args(TextKind)


def stored_score(data: Mapping[str, Any]) -> Score:
    """Return the score of a JSON form, as :meth:`Score.to_json` writes it.

    Raises :class:`ScoreError` for any other, naming what is wrong with it.
    """
    if data.get("format") != FORMAT:
        raise ScoreError(f"a score of format {data.get('format')!r}; this version of tonesmith reads {FORMAT}.")
    if unlike := _KEYS ^ set(data):
        raise ScoreError(f"a score without, or with an unknown, {min(map(str, unlike))!r}.")
    if type(data["resolution"]) is not int:
        raise ScoreError("a score whose resolution is no whole number.")
    return Score(
        data["resolution"],
        notes_of(_rows(data, "notes", 5)),
        tuple(_part(part) for part in _list(data, "parts")),
        _tempos(data),
        tuple(Meter(*row) for row in _rows(data, "meters", 3)),
        tuple(_key(row) for row in _list(data, "keys")),
        controls_of(_rows(data, "controls", 4)),
        tuple(_text(row) for row in _list(data, "texts")),
    )


def score_from(content: bytes) -> Score:
    """Return the score of an asset: what :attr:`Score.content` holds.

    Raises :class:`ScoreError` for anything else.
    """
    try:
        return stored_score(parsed_object(content, "a score"))
    except DatasetError as error:
        raise ScoreError(f"{error!s:.200}.") from None


def _list(data: Mapping[str, Any], name: str) -> Sequence[Any]:
    rows = data[name]
    if not isinstance(rows, list):
        raise ScoreError(f"a score whose {name} are no list.")
    return rows


def _rows(data: Mapping[str, Any], name: str, width: int) -> list[Any]:
    """Return the rows of a list, each of so many whole numbers."""
    rows = _list(data, name)
    for place, row in enumerate(rows):
        if not (isinstance(row, list) and len(row) == width and all(type(value) is int for value in row)):
            raise ScoreError(f"a score whose {name}[{place}] is no list of {width} whole numbers.")
    return list(rows)


def _tempos(data: Mapping[str, Any]) -> Tempos:
    rows = _rows(data, "tempos", 2)
    if [row[0] for row in rows] != sorted({row[0] for row in rows}):
        raise ScoreError("a score whose tempos do not rise.")
    return Tempos.of((tick, microseconds) for tick, microseconds in rows)


def _part(part: Any) -> Part:
    known = isinstance(part, dict) and set(part) == {"program", "drums", "name"}
    if not known or type(part["program"]) is not int or type(part["drums"]) is not bool:
        raise ScoreError("a score with a part that has no program, drums and name.")
    return Part(part["program"], part["drums"], _bytes(part["name"]))


def _key(row: Any) -> Key:
    fits = isinstance(row, list) and len(row) == 3 and type(row[0]) is type(row[1]) is int and type(row[2]) is bool
    if not fits:
        raise ScoreError("a score with a key that is no tick, sharps and whether it is minor.")
    return Key(*row)


def _text(row: Any) -> Text:
    if not (isinstance(row, list) and len(row) == 3 and type(row[0]) is int and row[1] in _KINDS):
        raise ScoreError("a score with a text that is no tick, kind and content.")
    return Text(row[0], row[1], _bytes(row[2]))


def _bytes(digits: Any) -> bytes:
    try:
        return binascii.unhexlify(digits)
    except (TypeError, ValueError):
        raise ScoreError("a score with a text that is not written in hexadecimal digits.") from None
