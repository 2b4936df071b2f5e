"""Text for people: one line of anything, counts, sizes, times."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Sequence
from typing import Any

LONGEST = 80
"""Characters of a text that are shown."""

WHOLE = 10**9
"""As a length: of a text that must not be cut."""


def one_line(text: object, longest: int = LONGEST) -> str:
    """Return a text on one line, cut to a length, without what a screen does not show or shows elsewhere."""
    line = " ".join(spaced(str(text)).split())
    return line if len(line) <= longest else f"{line[: longest - 1].rstrip()}…"


def sentence(text: str) -> str:
    """Return a text with a capital first letter and a full stop; a first word that is more than letters stays."""
    first = text.split(maxsplit=1)[0] if text.strip() else ""
    capital = text[:1].upper() + text[1:] if first.rstrip(",;:.").isalpha() and first.islower() else text
    return capital if not capital or capital.endswith((".", "!", "?")) else f"{capital}."


def spaced(text: str) -> str:
    """Return a text on one line, with a space for each character that a screen does not show or shows elsewhere."""
    return "".join(c if c.isprintable() else " " for c in text)


def counted(number: int, thing: str, things: str = "") -> str:
    """Return a number and its noun, such as "1 row" or "2,000 rows"."""
    return f"{number:,} {thing if number == 1 else things or f'{thing}s'}"


def joined(things: Sequence[str]) -> str:
    """Return things as a sentence lists them: "a, b and c"."""
    return " and ".join(filter(None, [", ".join(things[:-1]), *things[-1:]]))


def escaped(text: str) -> str:
    """Return text of JSON, YAML or TOML with what a screen does not show escaped, as each of their strings may be."""
    return "".join(c if c.isprintable() or c == "\n" else _escape(ord(c)) for c in text)


def shown(text: object) -> str:
    """Return text of several lines as it may go to a terminal or a log: what neither shows as it is, is escaped.

    A terminal obeys control characters: they move the cursor, set its title, or fill the clipboard. Marks of direction
    show a text as another. Line ends and tabs stay, so a name that must not begin a line goes through :func:`one_line`.
    """
    whole = str(text)
    return whole if whole.isprintable() else "".join(map(_shown, whole))


def _shown(character: str) -> str:
    if character.isprintable() or character in "\n\t":
        return character
    return " " if unicodedata.category(character) == "Zs" else _escape(ord(character))


def json_text(data: Any, indent: int | None = None) -> str:
    """Return JSON in which each character is one that a terminal shows: all others are escaped."""
    return json_escaped(json.dumps(data, indent=indent))


def json_escaped(text: str) -> str:
    """Return JSON that says the same, with what a screen does not show escaped."""
    return text if text.isprintable() else "".join(map(_json_escaped, text))


def _json_escaped(character: str) -> str:
    if character.isprintable() or character == "\n":
        return character
    return "\\u007f" if character == "\x7f" else json.dumps(character)[1:-1]


def _escape(point: int) -> str:
    return f"\\u{point:04x}" if point < 0x10000 else f"\\U{point:08x}"


_UNITS = ("B", "KiB", "MiB", "GiB", "TiB")


def size(nbytes: int) -> str:
    """Return a number of bytes as a person reads it."""
    amount, unit = float(nbytes), 0
    while amount >= 1024 and unit < len(_UNITS) - 1:
        amount, unit = amount / 1024, unit + 1
    return f"{amount:.1f} {_UNITS[unit]}" if unit else f"{nbytes} B"


def clock(seconds: float) -> str:
    """Return seconds as h:mm:ss."""
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes // 60}:{minutes % 60:02}:{rest:02}"


def rough(seconds: float) -> str:
    """Return seconds as a person says them, no more exact than an estimate is: "40 s", "12 min", "3.5 h", "9 days"."""
    if seconds < 90:
        return f"{max(round(seconds), 1)} s"
    if seconds < 5400:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h" if seconds < 48 * 3600 else f"{seconds / 86400:,.0f} days"
