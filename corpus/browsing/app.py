"""The whole screen: what a person says of an item, with one key or a number, stored at once and taken back."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from collections.abc import Callable
from typing import Any, ClassVar, Final

from textual import events, on
from textual.binding import Binding, BindingType
from textual.widgets import Static

from tonesmith.corpus.browsing.order import Filter, entries, labels_of, text_of
from tonesmith.corpus.browsing.screen import Base
from tonesmith.corpus.store import PERSON, Store
from tonesmith.errors import TonesmithError
from tonesmith.host.roles.annotation import Said
from tonesmith.screen.player import Device, Output
from tonesmith.screen.prompt import Prompt
from tonesmith.terminal.text import counted, one_line, sentence

_CHOICE_KEYS: Final = "1234567890abcdefghimtvwyzABCDEFGHIJKLMQRSTVWYZ"
"""Keys for choices: those that do nothing else."""
_FILTER: Final = "filter"
_PATIENCE: Final = 0.3
"""Seconds that a key waits for another command on the corpus."""


class Browser(Base):
    """Lets a person hear and label the items of a corpus.

    Args:
        corpus: that is open, for this thread.
        label: to begin with; "" for the classes of the profile.
        query: filter to begin with, such as ``split=train``.
        by: who speaks; "" for the user of this machine.
        opened: opens the sound output.
        light: whether it is light.

    Raises :class:`ConfigError` for an unknown label, and for a filter that cannot be.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("space", "play", "Play"),
        Binding("n,right", "step(1)", "Move", key_display="n p"),
        Binding("p,left", "step(-1)", "Previous", show=False),
        Binding("u", "undo", "Undo"),
        Binding("x", "unsay", "Unsay"),
        Binding("tab", "turn(1)", "Label", priority=True, key_display="tab"),
        Binding("shift+tab", "turn(-1)", "Label back", priority=True, show=False),
        Binding("enter", "type", "Type", show=False),
        Binding("slash", "ask_filter", "Filter", key_display="/"),
        Binding("o", "order", "Sort"),
        Binding("q", "quit", "Quit"),
        Binding("ctrl+c", "interrupt", "Interrupt", show=False, priority=True),
    ]

    def __init__(
        self,
        corpus: Store,
        label: str = "",
        query: str = "",
        by: str = "",
        opened: Callable[[int], Output] = Device,
        *,
        light: bool = False,
    ) -> None:
        self.labels = labels_of(corpus.profile, label)
        super().__init__(corpus, self.labels[0], opened, light=light)
        self._filter, self._query = Filter.of(query, corpus.profile), query
        self._by, self._said = by, 0
        self._undo: list[tuple[str, str, Said | None]] = []
        corpus.wait = _PATIENCE

    def on_mount(self) -> None:
        """Show the list, and leave the terminal as it was also where the process is asked to end."""
        with contextlib.suppress(NotImplementedError, RuntimeError, ValueError):  # not everywhere, nor in any thread
            for number in (signal.SIGTERM, signal.SIGHUP):
                asyncio.get_running_loop().add_signal_handler(number, self.exit, None, 128 + number)
        self.table.focus()
        self.call_after_refresh(self.action_order)

    @property
    def choices(self) -> dict[str, Said]:
        """Key -> the value that it gives the current label; empty for one whose values are typed."""
        label = self.corpus.profile.label(self.label)
        values: tuple[Said, ...] = (True, False) if label.kind == "flag" else label.choices
        return dict(zip(_CHOICE_KEYS, values, strict=False))

    def on_key(self, event: events.Key) -> None:
        """Give the current label the value of a key, or begin to type a number."""
        if self._asking or event.character is None:
            return
        kind = self.corpus.profile.label(self.label).kind
        if event.character in self.choices:
            event.stop()
            self.say(self.choices[event.character])
        elif kind in {"number", "whole"} and event.character in "-.0123456789":
            event.stop()
            event.prevent_default()
            self._ask_value(event.character)

    @property
    def _asking(self) -> bool:
        return self.query_one(Prompt).has_class("-asking")

    def say(self, value: Said | None) -> None:
        """Store a person's word of the current item, and go on to the next one."""
        if self.entry is None:
            return
        item = self.entry.item
        before = self._own_word(item, self.label)
        if self._store(item, self.label, value):
            self._undo.append((item, self.label, before))
            self._said += 1
            self._renew(item)
            self.action_step(1)
            self.tell(f"{one_line(item, 40)}: {self.label} {text_of(value) or 'unsaid'}. Press u to undo.")

    def _own_word(self, item: str, label: str) -> Said | None:
        with contextlib.suppress(KeyError):
            said = self.corpus[item].annotations
            return next((one.value for one in said if (one.name, one.source) == (label, PERSON)), None)
        return None

    def _store(self, item: str, label: str, value: Said | None) -> bool:
        try:
            said: dict[str, Any] = {label: value}
            self.corpus.label(item, self._by, **said)
        except (TonesmithError, OSError) as error:
            self.tell(sentence(str(error)), wrong=True)
            return False
        return True

    def _renew(self, item: str) -> None:
        """Show what is now believed of an item, in its place in the list."""
        new = next(iter(entries(self.corpus.connection, self.label, item)), None)
        self.entries = [new if new and entry.item == item else entry for entry in self.entries]
        self.list(self.entries, self.table.cursor)
        self.entitle()

    def action_step(self, by: int) -> None:
        """Go to the next item, or to the one before."""
        self.table.move(self.table.cursor + by)

    def action_undo(self) -> None:
        """Take back the last word, and go to its item."""
        if not self._undo:
            self.tell("There is nothing to undo.")
            return
        item, label, before = self._undo[-1]
        if not self._store(item, label, before):
            return
        self._undo.pop()
        self.label = label
        self._renew(item)
        place = next((n for n, entry in enumerate(self.entries) if entry.item == item), self.table.cursor)
        self.table.move(place)
        self.tell(f"{one_line(item, 40)}: {label} is {text_of(before) or 'not said by you'} again.")

    def action_unsay(self) -> None:
        """Take back what a person said of the label of the current item."""
        self.say(None)

    def action_turn(self, by: int) -> None:
        """Look at another label."""
        if not self._asking:
            self.label = self.labels[(self.labels.index(self.label) + by) % len(self.labels)]
            self.action_order()

    def action_order(self) -> None:
        """Read the list anew, the greatest doubt first."""
        every = entries(self.corpus.connection, self.label)
        self.list(self._filter.kept(every, self.corpus.connection))
        self.entitle()

    def entitle(self) -> None:
        """Say in the title and the line of keys where the person is."""
        of = len(self.corpus)
        count = f"{len(self.entries):,} of {of:,} items" if self._query else counted(of, "item")
        shown = f" | filter: {one_line(self._query, 40)}" if self._query else ""
        done = sum(not entry.doubt for entry in self.entries)
        head = f"{self.corpus.path.name} | {count} | {self.label}: {done:,} said by a person{shown}"
        self.query_one("#title", Static).update(one_line(head, 200))
        self.query_one("#keys", Static).update(self._keys())

    def _keys(self) -> str:
        label = self.corpus.profile.label(self.label)
        if self.choices:
            return "  ".join(f"{key} {text_of(value)}" for key, value in self.choices.items())
        if label.kind in {"number", "whole"}:
            low, high = (("" if end is None else f"{end:g}") for end in (label.low, label.high))
            return f"type a number{f' from {low} to {high}' if low and high else ''}, and press enter"
        return "press enter to type"

    def action_type(self) -> None:
        """Type a value."""
        self._ask_value("")

    def _ask_value(self, text: str) -> None:
        if self.entry is not None:
            self.tell("")
            self.query_one(Prompt).ask(self.label, text, self.corpus.profile.label(self.label).choices)

    def action_ask_filter(self) -> None:
        """Ask for a filter."""
        self.tell("Words of a name, split=train, or LABEL=VALUE. An empty filter shows all.")
        self.query_one(Prompt).ask(_FILTER, self._query, [f"{name}=" for name in (*self.labels, "split")])

    @on(Prompt.Answered)
    def _take(self, answered: Prompt.Answered) -> None:
        profile = self.corpus.profile
        try:
            if answered.what == _FILTER:
                self._filter, self._query = Filter.of(answered.text, profile), answered.text
            else:
                value = profile.label(self.label).accepted(self.label, answered.text) if answered.text else None
        except TonesmithError as error:
            self.tell(sentence(str(error)), wrong=True)
            return
        self._back_to_list()
        if answered.what == _FILTER:
            self.action_order()
        else:
            self.say(value)

    @on(Prompt.Left)
    def _back_to_list(self) -> None:
        self.query_one(Prompt).leave()
        self.tell("")
        self.table.focus()

    def action_interrupt(self) -> None:
        """Leave as after Ctrl-C. Every word is stored."""
        self.exit(return_code=130)
