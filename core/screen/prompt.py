"""The line at the bottom in which a filter, a field, a row or a folder is typed."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.message import Message
from textual.suggester import Suggester
from textual.widgets import Input, Static

_LAST_WORD = re.compile(r"""[^\s()=<>!~"']+$""")


class Names(Suggester):
    """Completes the name that is typed last."""

    def __init__(self, names: Sequence[str]) -> None:
        super().__init__(use_cache=False, case_sensitive=True)
        self._names = sorted(names)

    async def get_suggestion(self, value: str) -> str | None:
        """Return the whole text with its last word completed; None where nothing completes it."""
        match = _LAST_WORD.search(value)
        known = next((name for name in self._names if match and name.startswith(match[0])), None)
        return None if known is None or match is None else value[: match.start()] + known


class Prompt(Horizontal):
    """Asks for one line. It is there only while it asks.

    Args:
        longest: characters that it takes.
    """

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "leave", "Cancel", show=False)]
    DEFAULT_CSS = """
    Prompt { height: 1; display: none; }
    Prompt.-asking { display: block; }
    Prompt Static { width: auto; color: $text-accent; text-style: bold; }
    Prompt Input { width: 1fr; height: 1; border: none; padding: 0; background: $surface; }
    """

    class Answered(Message):
        """Something was typed.

        Attributes:
            what: was asked for.
            text: as it was typed.
        """

        def __init__(self, what: str, text: str) -> None:
            super().__init__()
            self.what, self.text = what, text

    class Left(Message):
        """Nothing was typed."""

    def __init__(self, longest: int) -> None:
        super().__init__()
        self._what, self._longest = "", longest

    def compose(self) -> ComposeResult:
        yield Static(markup=False)
        yield Input(compact=True, max_length=self._longest, select_on_focus=False)

    def ask(self, what: str, text: str, names: Sequence[str] = ()) -> None:
        """Ask for something.

        Args:
            what: which is shown in front.
            text: that stands there at first.
            names: that complete what is typed.
        """
        self._what = what
        self.add_class("-asking")
        self.query_one(Static).update(f"{what}: ")
        field = self.query_one(Input)
        field.suggester = Names(names) if names else None
        field.value = text
        field.cursor_position = len(text)
        field.focus()

    def point(self, place: int) -> None:
        """Put the cursor to a character that is wrong."""
        self.query_one(Input).cursor_position = place

    def leave(self) -> None:
        """Ask no more."""
        self.remove_class("-asking")

    def action_leave(self) -> None:
        self.leave()
        self.post_message(self.Left())

    @on(Input.Submitted)
    def _answer(self, event: Input.Submitted) -> None:
        event.stop()
        self.post_message(self.Answered(self._what, event.value.strip()))
