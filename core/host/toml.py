"""Where each key of a TOML text stands, which :mod:`tomllib` does not tell.

The scanner reads only text that :mod:`tomllib` has accepted, so it need not find errors: it follows the
grammar of TOML 1.0 just far enough never to take a comment or the inside of a string for a key.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tonesmith.document import read_plain
from tonesmith.errors import ConfigError

KeyPath = tuple[str | int, ...]
"""Keys from the root of a document, with an index for each array passed."""

_BARE = re.compile(r"[A-Za-z0-9_-]+")
_STRINGS = re.compile(
    r"""
      \"{3} (?:[^\\]|\\.)*? \"{3,5}
    | '{3} .*? '{3,5}
    | "(?:[^"\\\n]|\\.)*"
    | '[^'\n]*'
    """,
    re.DOTALL | re.VERBOSE,
)
_SCALAR = re.compile(r"[^,\]}#\n]+")
_BLANK = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")


@dataclass(frozen=True, slots=True)
class TomlSource:
    """A parsed document, and where its keys stand.

    Attributes:
        label: what messages call it, such as "plugins.toml"; "" for one that is not a file.
        data: as :mod:`tomllib` returns it.
        lines: key path -> line, counted from 1.
    """

    label: str
    data: Mapping[str, Any]
    lines: Mapping[KeyPath, int] = field(default_factory=dict)

    def line(self, path: KeyPath) -> int:
        """Return the line of a key, or of the nearest table around it; 0 without one."""
        return next((self.lines[path[:n]] for n in range(len(path), 0, -1) if path[:n] in self.lines), 0)

    def where(self, path: KeyPath) -> str:
        """Return "file:line: " of a key, "file: " without a line, and "" without a file."""
        line = self.line(path)
        return f"{self.label}:{line}: " if line else f"{self.label}: " if self.label else ""


def read_toml(path: Path) -> TomlSource:
    """Return the document in a file.

    Raises :class:`ConfigError` if there is no such file, or its text is not TOML.
    """
    try:
        text = read_plain(path).decode("utf-8").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path}: is not UTF-8 text ({error.reason} at byte {error.start})") from None
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}") from None
    return parse_toml(text, str(path))


def parse_toml(text: str, label: str) -> TomlSource:
    """Return the document in a text. Raises :class:`ConfigError` with the line where it is not TOML."""
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        said = str(error)
        at = re.search(r" \(at line (\d+), column \d+\)$", said)
        line = int(at.group(1)) if at else text.count("\n") + 1
        said = said[: at.start()] if at else said.removesuffix(" (at end of document)")
        raise ConfigError(f"{label}:{line}: not TOML: {said}") from None
    return TomlSource(label, data, locate(text))


def locate(text: str) -> dict[KeyPath, int]:
    """Return the line of every key, table and array element of a valid TOML text."""
    return _Scanner(text).document()


class _Scanner:
    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.lines: dict[KeyPath, int] = {}
        self.counts: dict[KeyPath, int] = {}

    def document(self) -> dict[KeyPath, int]:
        table: KeyPath = ()
        self.skip(_BLANK)
        while self.at < len(self.text):
            if self.text[self.at] == "[":
                table = self.header()
            else:
                self.pair(table)
            self.skip(_BLANK)
        return self.lines

    def header(self) -> KeyPath:
        """Read a ``[table]`` or ``[[array]]`` header, and return the path of what follows it."""
        brackets = 2 if self.text.startswith("[[", self.at) else 1
        line = self.line()
        self.at += brackets
        path: KeyPath = ()
        *outer, last = self.key()
        for part in outer:
            path = self.named((*path, part), line)
            if path in self.counts:
                path = (*path, self.counts[path] - 1)
        path = self.named((*path, last), line)
        if brackets == 2:
            self.counts[path] = self.counts.get(path, 0) + 1
            path = self.named((*path, self.counts[path] - 1), line)
        self.at += brackets
        return path

    def named(self, path: KeyPath, line: int) -> KeyPath:
        self.lines.setdefault(path, line)
        return path

    def pair(self, table: KeyPath) -> None:
        line = self.line()
        path = table
        for part in self.key():
            path = self.named((*path, part), line)
        self.at += 1  # the equals sign
        self.value(path)

    def key(self) -> list[str]:
        """Return the parts of a dotted key, and stop at the character after it."""
        parts: list[str] = []
        while True:
            self.skip(_BLANK)
            if self.text[self.at] in "\"'":
                parts.append(next(iter(tomllib.loads(f"{self.skip(_STRINGS)} = 0"))))
            else:
                parts.append(self.skip(_BARE))
            self.skip(_BLANK)
            if self.text[self.at] != ".":
                return parts
            self.at += 1

    def value(self, path: KeyPath) -> None:
        self.skip(_BLANK)
        first = self.text[self.at]
        if first in "\"'":
            self.skip(_STRINGS)
        elif first == "[":
            self.items(path)
        elif first == "{":
            self.inline_table(path)
        else:
            self.skip(_SCALAR)

    def items(self, path: KeyPath) -> None:
        self.at += 1
        index = 0
        self.skip(_BLANK)
        while self.text[self.at] != "]":
            self.lines[(*path, index)] = self.line()
            self.value((*path, index))
            index += 1
            self.comma()
        self.at += 1

    def inline_table(self, path: KeyPath) -> None:
        self.at += 1
        self.skip(_BLANK)
        while self.text[self.at] != "}":
            self.pair(path)
            self.comma()
        self.at += 1

    def comma(self) -> None:
        self.skip(_BLANK)
        if self.text[self.at] == ",":
            self.at += 1
            self.skip(_BLANK)

    def skip(self, pattern: re.Pattern[str]) -> str:
        found = pattern.match(self.text, self.at)
        taken = found.group() if found else ""
        self.at += len(taken)
        return taken

    def line(self) -> int:
        return self.text.count("\n", 0, self.at) + 1
