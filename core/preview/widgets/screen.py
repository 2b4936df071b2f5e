"""What every part of the screen stands on: the layout, the threads, and the line that says what goes on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from textual import on
from textual.app import App, ComposeResult
from textual.containers import Horizontal, Vertical
from textual.message import Message
from textual.widgets import Footer, Static

from tonesmith.preview.lists.query import LONGEST
from tonesmith.preview.lists.source import Arrangement, Source
from tonesmith.preview.session import Session
from tonesmith.preview.sound.listening import Listening
from tonesmith.screen.background import Finished, Job, Lane
from tonesmith.screen.label import Label
from tonesmith.screen.picture import Picture
from tonesmith.screen.player import Output
from tonesmith.screen.prompt import Prompt
from tonesmith.screen.table import Table
from tonesmith.terminal.text import one_line, sentence

_LANES = ("list", "cells", "row", "work", "growth")
_LONGEST = 1000
"""Characters of a message; the line shows those that fit."""


class Base(App[None]):
    """The layout of the screen, and what threads bring to it.

    Args:
        session: with the dataset.
        opened: opens the sound output.
        light: whether it is light at first.
    """

    TITLE = "tonesmith preview"
    ENABLE_COMMAND_PALETTE = False
    CSS = """
    #title, #told { height: 1; padding: 0 1; }
    #title { background: $panel; color: $text; }
    #told { color: $text-muted; }
    #told.-wrong { color: $text-error; text-style: bold; }
    #panel { width: 2fr; min-width: 28; padding: 0 0 0 1; }
    Table { width: 3fr; }
    .-narrow #panel { display: none; }
    .-tall Picture { height: 12; }
    """
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (60, "-wide")]  # noqa: RUF012 - no class variable in Textual
    VERTICAL_BREAKPOINTS = [(0, "-low"), (28, "-tall")]  # noqa: RUF012 - likewise

    class Arrived(Message):
        """A thread has finished its work."""

        def __init__(self, finished: Finished) -> None:
            super().__init__()
            self.finished = finished

    class Told(Message):
        """A thread has something to say."""

        def __init__(self, text: str, *, wrong: bool = False) -> None:
            super().__init__()
            self.text, self.wrong = text, wrong

    def __init__(self, session: Session, opened: Callable[[int], Output], *, light: bool) -> None:
        super().__init__()
        self.session = session
        self.theme = "textual-light" if light else "textual-dark"
        self.listening = Listening(opened, self._sound_told)
        self.source: Source = session.rows
        self.arrangements = {"row": Arrangement(), "reject": Arrangement()}
        self.autoplay = False
        self._lanes = {name: Lane(name, self._arrived) for name in _LANES}

    @property
    def busy(self) -> bool:
        """Whether a thread is at work."""
        return any(lane.busy for lane in self._lanes.values())

    @property
    def table(self) -> Table:
        """The list."""
        return self.query_one(Table)

    @property
    def row(self) -> int | None:
        """The index of the current row, None where there is none: in an empty list, and among rejects."""
        return self.table.index if self.source is self.session.rows else None

    def compose(self) -> ComposeResult:
        """Yield the widgets from the top."""
        yield Static(id="title", markup=False)
        with Horizontal():
            yield Table(self._sign)
            with Vertical(id="panel"):
                yield Picture()
                yield Label()
        yield Static(id="told", markup=False)
        yield Prompt(LONGEST)
        yield Footer()

    def submit(self, lane: str, job: Job) -> None:
        """Let a thread do a job; what it returns is given to :meth:`take`."""
        self._lanes[lane].submit(job)

    def stop(self, lane: str) -> bool:
        """End the work of a thread, and return whether there was any."""
        return self._lanes[lane].stop()

    def take(self, result: Any) -> None:
        """Show what a thread has brought. A text is said; every other kind is for those who asked for it."""
        if isinstance(result, str):
            self.tell(result)

    def fail(self, finished: Finished) -> None:
        """Show why a thread has failed."""
        self.tell(sentence(finished.failure), wrong=True)

    def tell(self, text: str, *, wrong: bool = False) -> None:
        """Say something in the line at the bottom."""
        told = self.query_one("#told", Static)
        told.update(one_line(text, _LONGEST))
        told.set_class(wrong, "-wrong")

    def ask(self, what: str, text: str = "", names: Sequence[str] = ()) -> None:
        """Ask for a line of text."""
        self.tell("")
        self.query_one(Prompt).ask(what, text, names)

    def _arrived(self, finished: Finished) -> None:
        self.post_message(self.Arrived(finished))

    def _sound_told(self, failure: str) -> None:
        if failure:
            self.post_message(self.Told(f"{sentence(failure)} Press e to write the WAV file.", wrong=True))

    @on(Arrived)
    def _take_or_fail(self, arrived: Arrived) -> None:
        if arrived.finished.failure:
            self.fail(arrived.finished)
        else:
            self.take(arrived.finished.result)

    @on(Told)
    def _tell(self, told: Told) -> None:
        self.tell(told.text, wrong=told.wrong)

    @on(Prompt.Left)
    def _back_to_list(self) -> None:
        self.tell("")
        self.table.focus()

    def _sign(self, index: int) -> str:
        """Return what stands in front of a line of the list: the mark and the rating of a row."""
        if self.source is not self.session.rows:
            return ""
        mark = self.session.marks[int(self.session.dataset.rows[index])]
        return f"{'*' if mark.marked else ' '}{mark.rating or ' '}"
