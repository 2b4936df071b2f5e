"""The pictures of a sound: its waveform, and its spectrogram below."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from rich.color import Color
from rich.segment import Segment
from rich.style import Style
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from tonesmith.media.colours import magma
from tonesmith.screen.cells import UPPER, shaded

_COLOURS = [Color.from_rgb(*colour) for colour in magma(256).tolist()]


class Picture(Widget):
    """Draws pictures that were made for its size; it says when its size has changed."""

    DEFAULT_CSS = "Picture { height: 9; color: $accent; }"

    class Resized(Message):
        """Pictures of another size are wanted."""

    def __init__(self) -> None:
        super().__init__()
        self._wave: Sequence[str] = ()
        self._pixels: NDArray[np.uint8] = np.zeros((0, 0), np.uint8)

    @property
    def form(self) -> tuple[int, int, int]:
        """Width, lines of the waveform and lines of the spectrogram."""
        width, height = max(1, self.size.width), max(2, self.size.height)
        return width, max(1, height // 3), height - max(1, height // 3)

    def show(self, wave: Sequence[str] = (), pixels: NDArray[np.uint8] | None = None) -> None:
        """Show pictures that :mod:`tonesmith.screen.cells` made; nothing by default."""
        self._wave = wave
        self._pixels = np.zeros((0, 0), np.uint8) if pixels is None else pixels
        self.refresh()

    def on_resize(self) -> None:
        self.post_message(self.Resized())

    def render_line(self, y: int) -> Strip:
        width = self.size.width
        if y < len(self._wave):
            return Strip([Segment(self._wave[y], self.rich_style)]).adjust_cell_length(width, self.rich_style)
        row = y - len(self._wave)
        if 2 * row + 1 >= len(self._pixels):
            return Strip.blank(width, self.rich_style)
        pair = self._pixels[2 * row : 2 * row + 2]
        if self.app.no_color:
            return Strip([Segment(shaded(pair)[0], self.rich_style)]).adjust_cell_length(width, self.rich_style)
        cells = [
            Segment(UPPER, Style(color=_COLOURS[upper], bgcolor=_COLOURS[lower]))
            for upper, lower in zip(*pair.tolist(), strict=True)
        ]
        return Strip(cells).adjust_cell_length(width, self.rich_style)
