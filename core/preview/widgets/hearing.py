"""The current row of the screen: drawn, told, played, and compared with another."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from textual import on
from textual.binding import Binding, BindingType

from tonesmith.preview.detail import Detail, reject_lines
from tonesmith.preview.lists.rejects import RejectSource
from tonesmith.preview.showing import Drawn, drawn
from tonesmith.preview.widgets.listing import Listing
from tonesmith.screen.background import Finished
from tonesmith.screen.label import Label
from tonesmith.screen.line import Line
from tonesmith.screen.picture import Picture
from tonesmith.screen.table import Table
from tonesmith.terminal.text import one_line

_LONGEST = 1000
"""Characters of what is said of a row that cannot be read."""


class Hearing(Listing):
    """Adds the current row. Arguments as for :class:`Listing`."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("space", "play", "Play"),
        Binding("x", "other", "A/B", show=False),
        Binding("p", "autoplay", "Autoplay", show=False),
        Binding("a", "keep('A')", "Keep as A", show=False),
        Binding("b", "keep('B')", "Keep as B", show=False),
    ]

    detail: Detail | None = None
    """The current row as it was read, None where it was not."""
    _play_when_read = False
    _keep_when_read: frozenset[str] = frozenset()

    def on_unmount(self) -> None:
        """Let go of the sound output."""
        self.listening.player.close()

    def take(self, result: Any) -> None:
        """Show a row that was read."""
        if not isinstance(result, Drawn):
            super().take(result)
            return
        if result.detail.index != self.row:
            return
        self.detail = result.detail
        self.query_one(Picture).show(result.wave, result.pixels)
        self.query_one(Label).show(result.detail.lines)
        if self._play_when_read:
            self.listening.heard = ""
            self.listening.play(result.detail)
        self._play_when_read = False
        for name in sorted(self._keep_when_read):
            self.action_keep(name)
        self._keep_when_read = frozenset()

    def fail(self, finished: Finished) -> None:
        """Show why a row cannot be read where it would stand."""
        if finished.lane != "row":
            super().fail(finished)
            return
        self._clear([Line(one_line(finished.failure, _LONGEST), "warning")])

    @on(Table.Moved)
    def _read_row(self) -> None:
        index, self.detail = self.row, None
        self.query_one(Picture).display = self.source is self.session.rows
        if self.autoplay:
            self.listening.player.stop()
        self._play_when_read, self._keep_when_read = self.autoplay, frozenset()
        if index is not None:
            dataset, form = self.session.dataset, self.query_one(Picture).form
            self.submit("row", lambda check: drawn(dataset, index, form, check))
            return
        self.stop("row")
        reject = self.table.index
        of = self.source
        self._clear(
            reject_lines(reject, of.entries[reject]) if isinstance(of, RejectSource) and reject is not None else ()
        )

    @on(Picture.Resized)
    def _draw_again(self) -> None:
        if (index := self.row) is not None:
            dataset, form = self.session.dataset, self.query_one(Picture).form
            self.submit("row", lambda check: drawn(dataset, index, form, check))

    def _clear(self, lines: Sequence[Line]) -> None:
        self.detail = None
        self.query_one(Picture).show()
        self.query_one(Label).show(lines)

    def action_play(self) -> None:
        """Play the row, or stop what is played."""
        if self.detail is not None:
            self.listening.toggle(self.detail)
        elif self.row is not None:
            self._play_when_read = True

    def action_autoplay(self) -> None:
        """Play each row that is moved to, or no longer."""
        self.autoplay = not self.autoplay
        self.tell("Each row that you move to is played." if self.autoplay else "Rows are played with space.")
        self.entitle()

    def action_keep(self, name: str) -> None:
        """Keep the row as A or B."""
        if self.detail is not None:
            self.listening.keep(name, self.detail)
            self.tell("Press x to play A and B in turn." if len(self.listening.pair) == 2 else "")
            self.entitle()
        elif self.row is not None:
            self._keep_when_read |= {name}

    def action_other(self) -> None:
        """Play the other one of A and B."""
        if not self.listening.other():
            self.tell("Press a on one row and b on another, then x plays them in turn.")
        self.entitle()
