"""Docstrings and tables as Markdown."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterable, Sequence

_ROLE = re.compile(r":(?:class|func|meth|attr|mod|data|exc):`~?([^`]+)`")
_CODE = re.compile(r"(`[^`\n]+`)")
_SECTIONS = {"Args", "Attributes", "Environment", "Raises", "Returns", "Yields"}
_ENTRY = re.compile(r"(\*{0,2}\w[\w., *]*?): (.*)")


def table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """Return the lines of a table, and an empty one; nothing without rows."""
    lines = [_line(row) for row in rows]
    return [_line(heads), "|" + "---|" * len(heads), *lines, ""] if lines else []


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cell.replace("\n", " ").replace("|", r"\|") for cell in cells) + " |"


def code(text: str) -> str:
    """Return a word as code; "" stays empty."""
    return f"`{text}`" if text else ""


def inline(text: str) -> str:
    """Return a piece of a docstring as Markdown: names as code, and nothing that reads as HTML."""
    plain = _ROLE.sub(lambda role: f"`{role[1].removeprefix('tonesmith.')}`", text).replace("``", "`")
    parts = _CODE.split(plain)
    return "".join(part if place % 2 else _escaped(part) for place, part in enumerate(parts))


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace("*", r"\*")


def document(text: str | None) -> list[str]:
    """Return the lines of a docstring as Markdown, with an empty one after each paragraph."""
    lines: list[str] = []
    for paragraph in _paragraphs(inspect.cleandoc(text or "")):
        lines += _paragraph(paragraph)
    return lines


def _paragraphs(text: str) -> list[str]:
    """Return the paragraphs of a text; an indented one belongs to the one before it, if that ends with a colon."""
    found: list[str] = []
    for part in re.split(r"\n\s*\n", text):
        if found and part.startswith("    ") and (found[-1].rstrip().endswith(":") or "\n    " in found[-1]):
            found[-1] += f"\n\n{part}"
        elif part.strip():
            found.append(part)
    return found


def _paragraph(text: str) -> list[str]:
    head, _, rest = text.partition("\n")
    body = inspect.cleandoc(f"\n{rest}")
    if head.rstrip(":") in _SECTIONS and head.endswith(":"):
        return [f"**{head.rstrip(':')}**", "", *_entries(body), ""]
    if "::\n" in text:
        words, _, example = text.partition("::\n")
        shown = [*(_words(f"{words}:") if words.strip() else []), "```python"]
        return [*shown, *inspect.cleandoc(f"\n{example}").splitlines(), "```", ""]
    return _words(text)


def _words(text: str) -> list[str]:
    lines = text.splitlines()
    if any(line.startswith("- ") for line in lines):
        return [*map(inline, lines), ""]
    return [inline(" ".join(line.strip() for line in lines)), ""]


def _entries(body: str) -> list[str]:
    """Return a list of the entries ``name: text`` of a section; a section without such entries as it is."""
    entries: list[str] = []
    for line in body.splitlines():
        if line.startswith(" ") and entries:
            entries[-1] += f" {line.strip()}"
        elif line.strip():
            entries.append(line.strip())
    named = [_ENTRY.fullmatch(entry) for entry in entries]
    if not all(named):
        return [inline(" ".join(entries))]
    return [f"- `{match[1]}`: {inline(match[2])}" for match in named if match]


def sentence(text: str) -> str:
    """Return the first paragraph of a docstring, on one line."""
    return " ".join(inspect.cleandoc(text or "").partition("\n\n")[0].split())
