"""The help screen: the keys, how filters are written, and every name that they know."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from rich.console import Group
from rich.table import Table
from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Static

from tonesmith.preview.lists.source import Source
from tonesmith.terminal.text import one_line

KEYS = (
    ("arrows, pages", "move; also j, k, home and end"),
    ("tab", "go to the label and back, which arrows then scroll"),
    ("space", "play the row, or stop"),
    ("p", "play each row that you move to, or no longer"),
    ("a, b", "keep the row as A or as B"),
    ("x", "play A and B in turn, equally loud"),
    ("1 to 5, 0", "rate the row, or take the rating away"),
    ("m", "mark the row, or take the mark away"),
    ("/", "filter; an empty filter shows all"),
    ("s, S", "sort by a field, or turn the order around; so does a click on a head"),
    ("g", "go to the row of a number"),
    ("r", "show the rejected candidates, or the rows"),
    ("e", "write the sound of the row as a WAV file"),
    ("E", "write sound, label and preset of each marked row"),
    ("u", "read the dataset anew, where it has grown"),
    ("t", "dark or light"),
    ("escape", "stop reading"),
    ("q", "leave"),
)
FILTERS = (
    ("warm pad", "both words in the name of a preset, an author, a style or an origin"),
    ("pitch = 60", "also != < <= > >="),
    ('preset ~ "saw lead"', "the preset has this text in its name"),
    ("split = test and not rating < 3", "and, or, not, and parentheses"),
)

_WIDEST = 34
"""Columns of what stands at the left."""


class Help(ModalScreen[None]):
    """Lists what can be done."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,question_mark,q,f1", "dismiss", "Back"),
    ]
    DEFAULT_CSS = """
    Help { align: center middle; }
    Help > VerticalScroll { width: 90%; max-width: 100; height: 90%; border: round $accent; background: $surface; }
    Help Static { padding: 0 1; }
    """

    def __init__(self, source: Source) -> None:
        super().__init__()
        self._source = source

    def compose(self) -> ComposeResult:
        with VerticalScroll():
            yield Static(_page(self._source))

    def on_mount(self) -> None:
        self.query_one(VerticalScroll).focus()


def _page(source: Source) -> Group:
    names = tuple((one_line(name), one_line(field.doc)) for name, field in source.fields.items())
    return Group(
        *_section("Keys (escape closes this page)", KEYS),
        *_section("Filters", FILTERS),
        *_section(f"Names of what filters and orders of {source.unit}s know", names),
    )


def _section(title: str, lines: Sequence[tuple[str, str]]) -> tuple[Text, Table, Text]:
    """Return a title, and lines of which each has something at the left and what it means at the right."""
    table = Table.grid(padding=(0, 2), expand=True)
    table.add_column(max_width=_WIDEST, overflow="fold")
    table.add_column(ratio=1)
    for left, right in lines:
        table.add_row(Text(left, "italic"), Text(right))
    return Text(title, "bold"), table, Text()
