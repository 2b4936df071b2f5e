"""Markdown and YAML of text that nobody has checked: names of presets, of parameters, of files."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from tonesmith.terminal.text import LONGEST, escaped, one_line

_SHORT = 20
"""Rows of a table that is not folded away."""

_SPECIAL = re.compile(r"([\\`*_\[\]<>|~&#@$!^{}]|:(?=//)|(?<=[wW]{3})\.)")
"""What may begin a tag, an entity, emphasis, a cell or a link, and the middle of an address, which becomes one."""

_BARE = re.compile("[a-z]+(_[a-z]+)+|license|tags|configs|path|split|features|name|dtype|sequence|length|struct|audio")
"""Keys of a YAML head that need no quotes: the usual ones, none of which YAML takes for other than text."""

_PLAIN = re.compile(r"[\w .,;:/()+=%'\"-]*\w[\w .,;:/()+=%'\"-]*")


def plain(text: object, longest: int = LONGEST) -> str:
    """Return Markdown that shows a text as it is, in a sentence or in a cell of a table."""
    return _SPECIAL.sub(r"\\\1", one_line(text, longest))


def code(text: object, longest: int = LONGEST) -> str:
    """Return Markdown that sets a name as code; one with other than the characters of names is shown plainly."""
    line = one_line(text, longest)
    return f"`{line}`" if _PLAIN.fullmatch(line) else plain(line, longest)


def fenced(language: str, text: str) -> Iterator[str]:
    """Yield the lines of a block of code, fenced by more backticks than are in it."""
    fence = "`" * max(3, 1 + max(map(len, re.findall("`+", text)), default=0))
    yield f"{fence}{language}"
    yield from text.rstrip("\n").split("\n")
    yield fence


def table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    """Yield the lines of a table. Its cells are Markdown; a column whose head ends in ``#`` holds numbers."""
    yield f"| {' | '.join(head.removesuffix('#') for head in heads)} |"
    yield f"|{'|'.join('--:' if head.endswith('#') else '---' for head in heads)}|"
    for row in rows:
        yield f"| {' | '.join(row)} |"


def folded(summary: str, heads: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Yield the lines of a table, folded away under a summary if it is long, and a blank line."""
    if len(rows) <= _SHORT:
        yield from table(heads, rows)
    else:
        yield from (f"<details><summary>{summary}</summary>", "")
        yield from table(heads, rows)
        yield from ("", "</details>")
    yield ""


def front_matter(values: Mapping[str, Any]) -> Iterator[str]:
    """Yield the lines of a YAML head that is read back as these values.

    Strings are written as in JSON, which YAML reads alike, and stand on one line.
    """
    yield "---"
    for key, value in values.items():
        yield from _entry(key, value, "")
    yield "---"


def _entry(name: str, value: Any, indent: str) -> Iterator[str]:
    key = name if _BARE.fullmatch(name) else _scalar(name)
    if isinstance(value, Mapping) and value:
        yield f"{indent}{key}:"
        for inner, of in value.items():
            yield from _entry(inner, of, f"{indent}  ")
    elif isinstance(value, Sequence) and not isinstance(value, str) and value:
        yield f"{indent}{key}:"
        for item in value:
            yield from _item(item, indent)
    else:
        yield f"{indent}{key}: {_scalar(value)}"


def _item(value: Any, indent: str) -> Iterator[str]:
    if isinstance(value, Mapping) and value:
        lines = [line for key, of in value.items() for line in _entry(key, of, f"{indent}  ")]
        yield f"{indent}- {lines[0].lstrip()}"
        yield from lines[1:]
    else:
        yield f"{indent}- {_scalar(value)}"


def _scalar(value: Any) -> str:
    """Return JSON, with the characters escaped that YAML does not take as they are; it knows no pairs of escapes."""
    if isinstance(value, Mapping):
        return f"{{{', '.join(f'{_scalar(key)}: {_scalar(of)}' for key, of in value.items())}}}"
    if isinstance(value, Sequence) and not isinstance(value, str):
        return f"[{', '.join(map(_scalar, value))}]"
    text = json.dumps(value, ensure_ascii=False, allow_nan=False)
    if isinstance(value, float):
        text = text if "." in text else text.replace("e", ".0e")  # else YAML 1.1 reads 1e-05 as text
    return escaped(text)
