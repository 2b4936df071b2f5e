"""Pictures of a terminal: a command runs in one of 80 columns, and what is on its screen becomes an SVG."""

from __future__ import annotations

import fcntl
import io
import os
import pty
import re
import shlex
import struct
import subprocess
import termios
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from rich.console import Console
from rich.terminal_theme import MONOKAI
from rich.text import Text

COLUMNS, LINES = 80, 60
FONT = 'ui-monospace, Menlo, Consolas, "DejaVu Sans Mono", monospace'
_PIECE = re.compile(r"\x1b\[([?\d;]*)([A-Za-z])|\x1b[()][A-Z0-9]|([\r\n])|([^\x1b\r\n]+)")


class Screen:
    """What a terminal shows of the text that was written to it: lines, colours, and a cursor that moves up and back."""

    def __init__(self) -> None:
        self.lines: list[dict[int, tuple[str, str]]] = [{}]
        self.line = self.column = 0
        self.style = ""

    def write(self, text: str) -> None:
        """Take text with its control sequences, of which a command line uses few."""
        for found in _PIECE.finditer(text):
            given, kind, control, words = found.groups()
            if kind:
                self._obey(given, kind)
            elif control == "\r":
                self.column = 0
            elif control:
                self._go_to(self.line + 1)
            elif words:
                self._put(words)

    def _obey(self, given: str, kind: str) -> None:
        count = int(given) if given.isdigit() else 1
        if kind == "m":
            self.style = "" if given in ("", "0") else f"{self.style}\x1b[{given}m"
        elif kind == "A":
            self._go_to(max(0, self.line - count))
        elif kind == "B":
            self._go_to(self.line + count)
        elif kind == "K":
            self.lines[self.line] = {} if given == "2" else self._left()

    def _left(self) -> dict[int, tuple[str, str]]:
        return {place: cell for place, cell in self.lines[self.line].items() if place < self.column}

    def _go_to(self, line: int) -> None:
        self.line = line
        self.lines += [{} for _ in range(line + 1 - len(self.lines))]

    def _put(self, words: str) -> None:
        for letter in words:
            if self.column == COLUMNS:
                self._go_to(self.line + 1)
                self.column = 0
            self.lines[self.line][self.column] = (letter, self.style)
            self.column += 1

    def shown(self) -> list[str]:
        """Return the lines, each with its colours as control sequences, without empty ones at the end."""
        found = [self._line(cells) for cells in self.lines]
        while found and not found[-1]:
            found.pop()
        return found

    def _line(self, cells: Mapping[int, tuple[str, str]]) -> str:
        parts, style = [], ""
        for place in range(max(cells, default=-1) + 1):
            letter, wanted = cells.get(place, (" ", ""))
            if wanted != style:
                parts.append(f"\x1b[0m{wanted}")
                style = wanted
            parts.append(letter)
        return "".join(parts).rstrip()


def typed(command: str, folder: Path, until: str = "") -> list[str]:
    """Run a command in a terminal; return the lines of its screen, below the command itself.

    Args:
        command: as a user types it.
        folder: where.
        until: a pattern: the screen is taken when it shows this for the first time, and the command runs to its end.
    """
    screen, kept = Screen(), []
    for text in _written(shlex.split(command), folder):
        screen.write(text)
        if until and not kept and any(re.search(until, line) for line in screen.shown()):
            kept = screen.shown()
    return [f"\x1b[1;32m$\x1b[0m \x1b[1m{command}\x1b[0m", *(kept or screen.shown())]


def _written(words: Sequence[str], folder: Path) -> Iterable[str]:
    """Yield what a command writes to a terminal of its own, piece by piece."""
    parent, child = pty.openpty()
    fcntl.ioctl(child, termios.TIOCSWINSZ, struct.pack("HHHH", LINES, COLUMNS, 0, 0))
    kept = {name: value for name, value in os.environ.items() if name not in ("NO_COLOR", "COLUMNS", "FORCE_COLOR")}
    environment = {**kept, "TERM": "xterm-256color", "COLORTERM": "truecolor", "PYTHONUTF8": "1"}
    with subprocess.Popen(words, cwd=folder, env=environment, stdin=child, stdout=child, stderr=child) as process:
        os.close(child)
        text = b""
        while piece := _read(parent):
            text += piece
            whole = text.decode(errors="ignore")
            text = text[len(whole.encode()) :]
            yield whole
        process.wait()
    os.close(parent)


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 65536)
    except OSError:  # Linux says so that the other end is closed
        return b""


def drawn(lines: Iterable[str], title: str) -> str:
    """Return lines as an SVG of a terminal that loads no font from anywhere."""
    console = Console(record=True, width=COLUMNS, file=io.StringIO(), force_terminal=True, color_system="truecolor")
    for line in (*lines, ""):
        console.print(Text.from_ansi(line), soft_wrap=True)
    svg = console.export_svg(title=title, theme=MONOKAI, unique_id="terminal")
    svg = re.sub(r'viewBox="0 0 (\S+) (\S+)"', r'\g<0> width="\1" height="\2"', svg, count=1)
    return offline(svg)


def offline(svg: str) -> str:
    """Return an SVG of rich or textual without the fonts that it would load from the net."""
    svg = re.sub(r"\s*@font-face \{.*?\}", "", svg, flags=re.DOTALL)
    return re.sub(r"font-family: [^;]*Fira Code[^;]*;", f"font-family: {FONT};", svg)
