"""The lines of the panel: what is told of a row, folded to the width that there is."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from typing import ClassVar

from rich.cells import cell_len, set_cell_size
from rich.segment import Segment
from textual.geometry import Size
from textual.scroll_view import ScrollView
from textual.strip import Strip

from tonesmith.screen.line import Kind, Line


class Label(ScrollView, can_focus=True):
    """Shows lines with a text at the left and a value at the right."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {"label--head", "label--group", "label--faint", "label--warning"}
    DEFAULT_CSS = """
    Label { height: 1fr; overflow-x: hidden; overflow-y: scroll; scrollbar-size-vertical: 1; }
    Label:focus { background: $surface-lighten-1; }
    Label > .label--head { text-style: bold; }
    Label > .label--group { text-style: bold; color: $text-accent; }
    Label > .label--faint { color: $text-disabled; }
    Label > .label--warning { color: $text-warning; }
    """

    def __init__(self) -> None:
        super().__init__()
        self._lines: Sequence[Line] = ()
        self._folded: list[tuple[str, Kind]] = []

    def show(self, lines: Sequence[Line], *, keep_place: bool = False) -> None:
        """Show lines, from the first, or from where the last ones were read."""
        self._lines = lines
        self._fold()
        if not keep_place:
            self.scroll_to(y=0, animate=False, immediate=True)

    def on_resize(self) -> None:
        self._fold()

    def _fold(self) -> None:
        width = max(8, self.scrollable_content_region.width)
        self._folded = [(part, line.kind) for line in self._lines for part in folded(line, width)]
        self.virtual_size = Size(width, len(self._folded))
        self.refresh()

    def render_line(self, y: int) -> Strip:
        place = y + round(self.scroll_y)
        if place >= len(self._folded):
            return Strip.blank(self.size.width, self.rich_style)
        text, kind = self._folded[place]
        style = self.rich_style if kind == "plain" else self.get_component_rich_style(f"label--{kind}")
        return Strip([Segment(text, style)]).adjust_cell_length(self.size.width, style)


def folded(line: Line, width: int) -> Iterator[str]:
    """Yield the lines of a width that hold one line: its value at the right, below its text if both are too long."""
    room = width - cell_len(line.value)
    if line.value and cell_len(line.text) < room:
        yield set_cell_size(line.text, room) + line.value
        return
    yield from textwrap.wrap(line.text, width, subsequent_indent="  ") or [""]
    for part in textwrap.wrap(line.value, width - 4) if line.value else ():
        yield f"{' ' * (width - cell_len(part))}{part}"
