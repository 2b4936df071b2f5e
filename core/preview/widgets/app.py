"""The whole screen: with ratings, marks, exports, the help and the ways out."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from collections.abc import Callable
from pathlib import Path
from typing import ClassVar

from textual.binding import Binding, BindingType

from tonesmith.errors import TonesmithError
from tonesmith.preview.lists.query import QueryError
from tonesmith.preview.lists.source import Arrangement
from tonesmith.preview.session import Session
from tonesmith.preview.widgets.hearing import Hearing
from tonesmith.preview.widgets.help import Help
from tonesmith.screen.background import Check
from tonesmith.screen.player import Device, Output
from tonesmith.terminal.text import counted, sentence

EXPORT = "export to"


class Preview(Hearing):
    """Shows a dataset.

    Args:
        session: with the dataset.
        wanted: filter and order at first, which were checked.
        opened: opens the sound output.
        light: whether it is light at first.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("m", "mark", "Mark"),
        Binding("e", "write", "WAV", show=False),
        Binding("E", "ask_export", "Export"),
        Binding("question_mark,f1", "help", "Help", key_display="?"),
        Binding("q", "quit", "Quit"),
        Binding("t", "shade", "Dark or light", show=False),
        Binding("ctrl+c", "interrupt", "Interrupt", show=False, priority=True),
        *(Binding(str(rating), f"rate({rating})", "Rate", show=False) for rating in range(6)),
    ]

    def __init__(
        self,
        session: Session,
        wanted: Arrangement | None = None,
        opened: Callable[[int], Output] = Device,
        *,
        light: bool = False,
    ) -> None:
        super().__init__(session, wanted or Arrangement(), opened, light=light)

    def on_mount(self) -> None:
        """Leave the terminal as it was also where the process is asked to end."""
        with contextlib.suppress(NotImplementedError, RuntimeError, ValueError):  # not everywhere, nor in any thread
            for number in (signal.SIGTERM, signal.SIGHUP):
                asyncio.get_running_loop().add_signal_handler(number, self.exit, None, 128 + number)

    def action_rate(self, rating: int) -> None:
        """Rate the row, or take its rating away with 0."""
        self._note(lambda number: self.session.marks.rate(number, rating))

    def action_mark(self) -> None:
        """Mark the row, or take its mark away."""
        self._note(self.session.marks.toggle)

    def _note(self, change: Callable[[int], None]) -> None:
        if (index := self.row) is None:
            return
        try:
            change(int(self.session.dataset.rows[index]))
        except (TonesmithError, OSError) as error:
            self.tell(sentence(str(error)), wrong=True)
        self.entitle()

    def action_write(self) -> None:
        """Write the sound of the row."""
        if (index := self.row) is not None:
            session = self.session
            self.submit("work", lambda _: f"Written: {session.exporter.sound(index, session.folder)}")

    def action_ask_export(self) -> None:
        """Ask where the marked rows are to be written."""
        if self.session.marks.rows:
            self.ask(EXPORT, str(self.session.folder))
        else:
            self.tell("No row is marked. Press m on those to export.")

    def obey(self, what: str, text: str) -> None:
        """Do what was typed. See :meth:`Listing.obey`."""
        if what != EXPORT:
            super().obey(what, text)
            return
        if not text:
            raise QueryError("expected the name of a folder", 0)
        self.tell(f"Writing {counted(len(self.session.marks.rows), 'row')}.")
        session = self.session

        def job(check: Check) -> str:
            def told(done: int, total: int) -> None:
                check()
                self.post_message(self.Told(f"Written: {done:,} of {total:,} rows."))

            return str(session.exporter.rows(session.marks.rows, Path(text).expanduser(), told))

        self.submit("work", job)

    def action_help(self) -> None:
        """Show the help."""
        self.push_screen(Help(self.source))

    def action_shade(self) -> None:
        """Change between dark and light."""
        self.theme = "textual-dark" if self.theme == "textual-light" else "textual-light"

    def action_interrupt(self) -> None:
        """Leave as after Ctrl-C."""
        self.exit(return_code=130)
