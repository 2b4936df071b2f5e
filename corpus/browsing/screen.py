"""The layout of the screen, and what threads bring to it: the list, the current item, its sound."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from textual import on
from textual.app import App, ComposeResult
from textual.containers import Horizontal, Vertical
from textual.message import Message
from textual.widgets import Footer, Static

from tonesmith.corpus.browsing.facts import Drawn, drawn, lines_of
from tonesmith.corpus.browsing.order import Entry
from tonesmith.corpus.store import Store
from tonesmith.screen.background import Finished, Lane
from tonesmith.screen.label import Label
from tonesmith.screen.picture import Picture
from tonesmith.screen.player import Device, Output, Player
from tonesmith.screen.prompt import Prompt
from tonesmith.screen.table import Column, Table
from tonesmith.terminal.text import one_line, sentence

_LONGEST = 1000
"""Characters of a message, of which the line shows those that fit, and of what is typed."""


class Base(App[None]):
    """Shows the items of a corpus, and plays the current one.

    Args:
        corpus: that is open, for this thread.
        label: that is looked at first.
        opened: opens the sound output.
        light: whether it is light.
    """

    TITLE = "tonesmith corpus browse"
    ENABLE_COMMAND_PALETTE = False
    CSS = """
    #title, #told { height: 1; padding: 0 1; }
    #title { background: $panel; color: $text; }
    #keys { height: auto; max-height: 3; padding: 0 1; color: $text-accent; }
    #told { color: $text-muted; }
    #told.-wrong { color: $text-error; text-style: bold; }
    #panel { width: 1fr; padding: 0 0 0 1; }
    Table { width: 1fr; }
    .-tall Picture { height: 14; }
    """
    VERTICAL_BREAKPOINTS = [(0, "-low"), (32, "-tall")]  # noqa: RUF012 - no class variable in Textual

    class Arrived(Message):
        """A thread has finished its work."""

        def __init__(self, finished: Finished) -> None:
            super().__init__()
            self.finished = finished

    class Unheard(Message):
        """A sound cannot be played."""

        def __init__(self, failure: str) -> None:
            super().__init__()
            self.failure = failure

    def __init__(
        self, corpus: Store, label: str, opened: Callable[[int], Output] = Device, *, light: bool = False
    ) -> None:
        super().__init__()
        self.corpus, self.label = corpus, label
        self.theme = "textual-light" if light else "textual-dark"
        self.entries: list[Entry] = []
        self.drawn: Drawn | None = None
        self.player = Player(opened, self._sound_told)
        self._play_when_read = False
        self._lane = Lane("item", lambda finished: self.post_message(self.Arrived(finished)))

    @property
    def busy(self) -> bool:
        """Whether a thread is at work."""
        return self._lane.busy

    @property
    def table(self) -> Table:
        """The list."""
        return self.query_one(Table)

    @property
    def entry(self) -> Entry | None:
        """The current one, None in an empty list."""
        index = self.table.index
        return None if index is None else self.entries[index]

    def compose(self) -> ComposeResult:
        """Yield the widgets from the top."""
        yield Static(id="title", markup=False)
        with Horizontal():
            yield Table(lambda index: "" if self.entries[index].doubt else "*")
            with Vertical(id="panel"):
                yield Picture()
                yield Label()
        yield Static(id="keys", markup=False)
        yield Static(id="told", markup=False)
        yield Prompt(_LONGEST)
        yield Footer()

    def on_unmount(self) -> None:
        """Let go of the sound output."""
        self.player.close()

    def list(self, entries: Sequence[Entry], cursor: int = 0) -> None:
        """Show items, from the one at the cursor."""
        self.entries = [*entries]
        width = max(12, self.table.size.width - 26)
        columns = (
            Column("item", "item", width, right=False),
            Column("value", self.label, 12, right=False),
            Column("doubt", "doubt", 5, right=True),
        )
        self.table.show(np.arange(len(self.entries), dtype=np.int64), columns, cursor)
        if not self.entries:
            self._clear()

    def tell(self, text: str, *, wrong: bool = False) -> None:
        """Say something in the line at the bottom."""
        told = self.query_one("#told", Static)
        told.update(one_line(text, _LONGEST))
        told.set_class(wrong, "-wrong")

    def show_known(self) -> None:
        """Show what is known of the current item."""
        if self.entry is None:
            return
        try:
            item = self.corpus[self.entry.item]
        except KeyError:
            self.tell("This item was removed by another command. Press o to read the list anew.", wrong=True)
            return
        failure = self.drawn.failure if self.drawn and self.drawn.item == item.id else ""
        self.query_one(Label).show([*lines_of(item, self.label, failure)])

    def action_play(self) -> None:
        """Play the item, or stop it."""
        if self.player.playing:
            self.player.stop()
        elif self.drawn is not None and self.drawn.audio.size:
            self.player.play(self.drawn.audio, self.drawn.sample_rate)
        else:
            self._play_when_read = self.drawn is None

    @on(Table.Wanted)
    def _fill(self, wanted: Table.Wanted) -> None:
        every = [(index, self.entries[index]) for index in wanted.indices if index < len(self.entries)]
        self.table.fill({i: (one_line(e.item, 200), one_line(e.value, 200), f"{e.doubt:.2f}") for i, e in every})

    @on(Table.Moved)
    @on(Picture.Resized)
    def _read(self) -> None:
        self.player.stop()
        self.drawn, self._play_when_read = None, False
        self.show_known()
        if self.entry is None:
            return
        try:
            item = self.corpus[self.entry.item]
        except KeyError:
            return
        folder, form = self.corpus.path, self.query_one(Picture).form
        self._lane.submit(lambda check: drawn(folder, item, form, check))

    def _clear(self) -> None:
        self.drawn = None
        self.query_one(Picture).show()
        self.query_one(Label).show(())

    @on(Arrived)
    def _show(self, arrived: Arrived) -> None:
        result = arrived.finished.result
        if arrived.finished.failure:
            self.tell(sentence(arrived.finished.failure), wrong=True)
        if not isinstance(result, Drawn) or self.entry is None or result.item != self.entry.item:
            return
        self.drawn = result
        self.query_one(Picture).show(result.wave, result.pixels)
        if result.failure:
            self.show_known()
        if self._play_when_read:
            self.action_play()

    def _sound_told(self, failure: str) -> None:
        if failure:
            self.post_message(self.Unheard(failure))

    @on(Unheard)
    def _tell_unheard(self, unheard: Unheard) -> None:
        self.tell(f"{sentence(unheard.failure)} Labels can be given all the same.", wrong=True)
