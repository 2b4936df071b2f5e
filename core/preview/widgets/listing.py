"""The list of the screen: filtered, sorted, of rows or of rejects, and read anew where the dataset has grown."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, ClassVar

import numpy as np
from textual import on
from textual.binding import Binding, BindingType
from textual.widgets import Static

from tonesmith.preview.lists.query import QueryError
from tonesmith.preview.lists.source import Arrangement, Source
from tonesmith.preview.session import Session
from tonesmith.preview.showing import Cells, Listed, cells_of, listed
from tonesmith.preview.widgets.screen import Base
from tonesmith.screen.player import Output
from tonesmith.screen.prompt import Prompt
from tonesmith.screen.table import Column, Table
from tonesmith.terminal.text import counted, one_line

FILTER, SORT, ROW = "filter", "sort by", "row"
_LOOK_AGAIN = 10.0
"""Seconds after which a dataset that is not complete is asked for new rows."""
_WIDEST_HEAD = 14


class Listing(Base):
    """Adds the list. Arguments as for :class:`Base`.

    Args:
        session: with the dataset.
        wanted: filter and order at first, which were checked.
        opened: opens the sound output.
        light: whether it is light at first.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("slash", "ask_filter", "Filter", key_display="/"),
        Binding("s", "ask_sort", "Sort"),
        Binding("S", "reverse", "Turn the order", show=False),
        Binding("g", "ask_row", "Go to", show=False),
        Binding("r", "rejects", "Rejects"),
        Binding("u", "again", "Read anew", show=False),
        Binding("escape", "stop", "Stop", show=False),
    ]

    def __init__(self, session: Session, wanted: Arrangement, opened: Callable[[int], Output], *, light: bool) -> None:
        super().__init__(session, opened, light=light)
        self.arrangements["row"] = wanted
        self._next = -1
        self._remark = ""

    @property
    def arrangement(self) -> Arrangement:
        """Filter and order of what is shown."""
        return self.arrangements[self.source.unit]

    def on_mount(self) -> None:
        """Read the list."""
        self.table.focus()
        self.entitle()
        self._list(self.arrangement)
        if not self.session.dataset.complete:
            self.set_interval(_LOOK_AGAIN, lambda: self.submit("growth", lambda _: self.session.grown()))

    @property
    def _current(self) -> int:
        """What the current line shows, -1 in an empty list."""
        return -1 if self.table.index is None else self.table.index

    def entitle(self) -> None:
        """Say at the top what is shown, and of the signs in the list that they may have changed."""
        shown, total, marked = len(self.table.order), len(self.source), len(self.session.marks.rows)
        counts = counted(total, self.source.unit)
        parts = [one_line(self.session.path.name), counts if shown == total else f"{shown:,} of {counts}"]
        parts += [f"filter: {one_line(self.arrangement.filter)}"] if self.arrangement.filter else []
        parts += [f"{marked:,} marked"] if marked else []
        parts += ["autoplay"] if self.autoplay else []
        parts += [str(self.listening)] if self.listening.pair else []
        self.query_one("#title", Static).update("  ".join(parts))
        self.table.refresh()

    def take(self, result: Any) -> None:
        """Show a list, cells of it, or that there are more rows by now."""
        match result:
            case Listed():
                self._show(result)
            case Cells():
                if result.source is self.source:
                    self.table.fill(result.cells)
            case Session():
                self._renew(result)
            case int():
                if result:
                    self.tell(f"{counted(result, 'row')} more by now. Press u to read them.")
            case _:
                super().take(result)

    def action_ask_filter(self) -> None:
        """Ask for a filter."""
        self.ask(FILTER, self.arrangement.filter, self._names())

    def action_ask_sort(self) -> None:
        """Ask for a field to sort by."""
        self.ask(SORT, "", self._names())

    def action_ask_row(self) -> None:
        """Ask for the number of a row."""
        if self.source is self.session.rows:
            self.ask(ROW)

    def action_reverse(self) -> None:
        """Turn the order around."""
        wanted = self.arrangement
        self._list(replace(wanted, sort=wanted.sort or self.source.listed[0], descending=not wanted.descending))

    def action_rejects(self) -> None:
        """Show the rejects, or the rows again."""
        session, rows = self.session, self.source is self.session.rows
        self.tell("Reading the rejected candidates." if rows else "")
        self._list(self.arrangements["reject" if rows else "row"], lambda: session.rejects if rows else session.rows)

    def action_again(self) -> None:
        """Read the dataset anew."""
        self.tell("Reading the dataset anew.")
        self.submit("growth", lambda _: self.session.again())

    def action_stop(self) -> None:
        """End the reading of a list, which stays as it was."""
        if self.stop("list"):
            self.tell("Stopped. The list is as it was.")

    @on(Prompt.Answered)
    def answer(self, answered: Prompt.Answered) -> None:
        """Do what was asked for, or say what is wrong with it."""
        try:
            self.obey(answered.what, answered.text)
        except QueryError as error:
            self.tell(f"{answered.what}: {error}", wrong=True)
            self.query_one(Prompt).point(error.place)
            return
        self.query_one(Prompt).leave()
        self.table.focus()

    def obey(self, what: str, text: str) -> None:
        """Do what was typed. Raises :class:`QueryError` with the place of what is wrong."""
        if what == FILTER:
            self._rearrange(replace(self.arrangement, filter=text))
        elif what == SORT:
            same = text == self.arrangement.sort
            self._rearrange(replace(self.arrangement, sort=text, descending=same and not self.arrangement.descending))
        elif what == ROW:
            self._go_to(text)

    @on(Table.Sorted)
    def _sort(self, message: Table.Sorted) -> None:
        self.obey(SORT, message.name)

    @on(Table.Wanted)
    def _read_cells(self, message: Table.Wanted) -> None:
        source, names = self.source, [column.name for column in self.table.columns]
        self.submit("cells", lambda _: cells_of(source, message.indices, names))

    def _names(self) -> list[str]:
        """Return the names that may stand on a screen as they are: those of a stranger's dataset may not."""
        return [name for name in self.source.fields if name.isprintable()]

    def _rearrange(self, wanted: Arrangement) -> None:
        wanted.check(self.source)
        self._next = self._current
        self._list(wanted)

    def _list(self, wanted: Arrangement, source: Callable[[], Source] | None = None) -> None:
        """Show a source in some way, as soon as what that needs is read."""
        shown = self.source

        def told(done: int, total: int) -> None:
            self.post_message(self.Told(f"Reading: {done / max(total, 1):.0%} of {total:,} rows. Escape stops."))

        self.submit("list", lambda check: listed(source or (lambda: shown), wanted, told, check))

    def _show(self, read: Listed) -> None:
        self.source = read.source
        self.arrangements[self.source.unit] = read.wanted
        found = np.flatnonzero(read.order == self._next).tolist()
        self._next = -1
        first, *others = self.source.listed
        names = [first, *read.wanted.asked(self.source), *others]
        self.tell(self._left_out() or self._remark)
        self._remark = ""
        self.table.show(read.order, [self._column(name) for name in names], found[0] if found else 0)
        self.entitle()

    def _left_out(self) -> str:
        unread = self.source.unread()
        if unread is None:
            return ""
        return f"{counted(int(unread.sum()), 'row')} of damaged blocks cannot be read. See: tonesmith verify"

    def _column(self, name: str) -> Column:
        field, wanted = self.source.fields[name], self.arrangement
        arrow = ("▼" if wanted.descending else "▲") if name == wanted.sort else ""
        head = f"{arrow}{field.head or one_line(name)}"
        return Column(name, head, max(field.width, min(len(head), _WIDEST_HEAD)), not field.is_text)

    def _go_to(self, text: str) -> None:
        number = int(text) if text.isdecimal() and len(text) < 19 else -1
        found = np.flatnonzero(self.session.dataset.rows[self.table.order] == number)
        if not len(found):
            raise QueryError(f"{one_line(text, 40) or 'nothing'} is no row of this list", 0)
        self.table.move(int(found[0]))

    def _renew(self, session: Session) -> None:
        more = len(session.dataset) - len(self.session.dataset)
        shows_rows = self.source is self.session.rows
        self._next = self._current
        self.session = session
        self._remark = f"{counted(more, 'row')} more." if more else "No more rows by now."
        self._list(self.arrangement, lambda: session.rows if shows_rows else session.rejects)
