"""The list: a table of any length, of which only the lines on the screen are made."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from rich.cells import cell_len, set_cell_size
from rich.segment import Segment
from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

_SIGN = 3
"""Columns of the sign in front of a row: a mark and a rating."""
_KEPT = 20_000
"""Lines whose cells are kept."""
_UNREAD, _DAMAGED = "...", "cannot be read"


@dataclass(frozen=True, slots=True)
class Column:
    """A column of the list: the field that it shows, its head, its width, and whether it is a number."""

    name: str
    head: str
    width: int
    right: bool

    def fitted(self, text: str) -> str:
        """Return a text as wide as the column, and a space."""
        short = text if cell_len(text) <= self.width else f"{set_cell_size(text, self.width - 1)}…"
        missing = " " * (self.width - cell_len(short))
        return f"{missing}{short} " if self.right else f"{short}{missing} "


class Table(ScrollView, can_focus=True):
    """Shows indices in an order, with the cells of those that were read; it asks for the others."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "move(-1)", "Up", show=False),
        Binding("down,j", "move(1)", "Down", show=False),
        Binding("pageup", "page(-1)", "Page up", show=False),
        Binding("pagedown", "page(1)", "Page down", show=False),
        Binding("home", "end(False)", "First", show=False),
        Binding("end", "end(True)", "Last", show=False),
    ]
    COMPONENT_CLASSES: ClassVar[set[str]] = {"table--head", "table--cursor", "table--faint"}
    DEFAULT_CSS = """
    Table { height: 1fr; scrollbar-size: 1 1; }
    Table > .table--head { text-style: bold; color: $text-accent; }
    Table > .table--cursor { background: $primary; color: $text; text-style: bold; }
    Table > .table--faint { color: $text-muted; }
    """

    class Moved(Message):
        """Another line is the current one."""

    class Wanted(Message):
        """The cells of some indices are to be shown, and were not read yet."""

        def __init__(self, indices: Sequence[int]) -> None:
            super().__init__()
            self.indices = indices

    class Sorted(Message):
        """A head was clicked."""

        def __init__(self, name: str) -> None:
            super().__init__()
            self.name = name

    def __init__(self, sign: Callable[[int], str]) -> None:
        super().__init__()
        self.order: NDArray[np.int64] = np.zeros(0, np.int64)
        self.columns: Sequence[Column] = ()
        self.cursor = 0
        self._sign = sign
        self._cells: dict[int, tuple[str, ...] | None] = {}

    @property
    def index(self) -> int | None:
        """What the current line shows, or None in an empty list."""
        return int(self.order[self.cursor]) if len(self.order) else None

    def show(self, order: NDArray[np.int64], columns: Sequence[Column], cursor: int = 0) -> None:
        """Show indices in an order, from the one that the cursor is on."""
        self.order, self.columns = order, columns
        self._cells.clear()
        width = _SIGN + sum(column.width + 1 for column in columns)
        self.virtual_size = Size(width, len(order) + 1)
        self.move(cursor)

    def fill(self, cells: Mapping[int, tuple[str, ...] | None]) -> None:
        """Show the cells of some indices; None for those that cannot be read."""
        if len(self._cells) > _KEPT:
            self._cells.clear()
        self._cells.update(cells)
        self.refresh()

    def move(self, position: int) -> None:
        """Make a line the current one."""
        self.cursor = max(0, min(position, len(self.order) - 1))
        height = self._lines
        top = round(self.scroll_y)
        if not top <= self.cursor < top + height:
            top = self.cursor if self.cursor < top else self.cursor - height + 1
        self.scroll_to(y=max(0, min(top, len(self.order) - height)), animate=False, force=True, immediate=True)
        self.ask()
        self.refresh()
        self.post_message(self.Moved())

    def ask(self) -> None:
        """Ask for the cells that are on the screen and were not read."""
        top = round(self.scroll_y)
        seen = self.order[top : top + max(self._lines, 1)].tolist()
        if missing := [index for index in seen if index not in self._cells]:
            self.post_message(self.Wanted(missing))

    @property
    def _lines(self) -> int:
        return max(0, self.size.height - 1)

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        super().watch_scroll_y(old_value, new_value)
        self.ask()

    def on_resize(self) -> None:
        self.move(self.cursor)

    def action_move(self, lines: int) -> None:
        self.move(self.cursor + lines)

    def action_page(self, pages: int) -> None:
        self.move(self.cursor + pages * max(1, self._lines))

    def action_end(self, last: bool) -> None:
        self.move(len(self.order) - 1 if last else 0)

    def on_click(self, event: events.Click) -> None:
        if event.y:
            position = round(self.scroll_y) + event.y - 1
            if position < len(self.order):
                self.move(position)
            return
        place = event.x + round(self.scroll_x) - _SIGN
        for column in self.columns:
            if 0 <= place <= column.width:
                self.post_message(self.Sorted(column.name))
            place -= column.width + 1

    def render_line(self, y: int) -> Strip:
        width = self.size.width
        position = round(self.scroll_y) + y - 1
        if y == 0:
            style = self.get_component_rich_style("table--head")
            segments = [Segment(" " * _SIGN, style), *(Segment(c.fitted(c.head), style) for c in self.columns)]
        elif position < len(self.order):
            segments = self._row(position)
            style = segments[-1].style or self.rich_style
        else:
            return Strip.blank(width, self.rich_style)
        left = round(self.scroll_x)
        return Strip(segments).crop_extend(left, left + width, style)

    def _row(self, position: int) -> list[Segment]:
        index = int(self.order[position])
        name = "table--cursor" if position == self.cursor else "table--faint"
        cells = self._cells.get(index, ())
        style = self.rich_style if cells and position != self.cursor else self.get_component_rich_style(name)
        sign = Segment(set_cell_size(self._sign(index), _SIGN), style)
        if not cells:
            told = _UNREAD if index not in self._cells else _DAMAGED
            return [sign, Segment(f"{index:>8} {told}", style)]
        return [sign, *(Segment(c.fitted(t), style) for c, t in zip(self.columns, cells, strict=False))]
