"""Text for people: one line of anything, counts, sizes, times."""

from __future__ import annotations

LONGEST = 80
"""Characters of a text that are shown."""

WHOLE = 10**9
"""As a length: of a text that must not be cut."""


def one_line(text: object, longest: int = LONGEST) -> str:
    """Return a text on one line, cut to a length, without what a screen does not show or shows elsewhere."""
    visible = "".join(c if c.isprintable() else " " for c in str(text))
    line = " ".join(visible.split())
    return line if len(line) <= longest else f"{line[: longest - 1].rstrip()}…"


def sentence(text: str) -> str:
    """Return a text with a capital first letter and a full stop; a first word that is more than letters stays."""
    first = text.split(maxsplit=1)[0] if text.strip() else ""
    capital = text[:1].upper() + text[1:] if first.rstrip(",;:.").isalpha() and first.islower() else text
    return capital if not capital or capital.endswith((".", "!", "?")) else f"{capital}."


def counted(number: int, thing: str, things: str = "") -> str:
    """Return a number and its noun, such as "1 row" or "2 rows"."""
    return f"{number} {thing if number == 1 else things or f'{thing}s'}"


def escaped(text: str) -> str:
    """Return text of JSON, YAML or TOML with what a screen does not show escaped, as each of their strings may be."""
    return "".join(c if c.isprintable() or c == "\n" else _escape(ord(c)) for c in text)


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
