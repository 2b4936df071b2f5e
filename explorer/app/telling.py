"""Between this product's words and Gradio's: errors become messages, and progress a bar."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tonesmith.errors import TonesmithError
from tonesmith.terminal.progress import Progress


@contextmanager
def errors_shown() -> Iterator[None]:
    """Show an error of tonesmith as a message of the page, and no traceback at the terminal."""
    import gradio as gr

    try:
        yield
    except TonesmithError as error:
        raise gr.Error(str(error), duration=None, print_exception=False) from None


class Bar(Progress):
    """Progress that a bar of the page shows.

    Args:
        shown: Gradio's progress.
        what: is being done, above the bar.
    """

    def __init__(self, shown: Any, what: str) -> None:
        super().__init__()
        self._shown, self._what = shown, what

    def show(self, now: float) -> None:
        """Move the bar."""
        del now
        self._shown((min(self.meter.done, self.meter.total), max(self.meter.total, 1)), desc=self._what)
