"""What a row says of the item of a corpus that it is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

from tonesmith.plan.items import FRAMES, MIDI, PREFIX, SECONDS
from tonesmith.plan.rows import digest_hex
from tonesmith.terminal.text import counted, one_line


@dataclass(frozen=True, slots=True)
class RowItem:
    """The item of a corpus that a row is, or a window of it.

    Attributes:
        name: of the item.
        parent: name of the item that it was derived from; "" for an original.
        operation: what derived it; "" for an original.
        licence: as the corpus states it; "" if it states none.
        start: seconds of the item before the row begins.
        seconds: of the item that are in the row.
        frames: of audio that are the recording's, before the padding; 0 without a recording.
        sample_rate: of the row, in Hz.
        audio_sha256, midi_sha256: of the files in the corpus; "" where there is none.
    """

    name: str
    parent: str
    operation: str
    licence: str
    start: float
    seconds: float
    frames: int
    sample_rate: int
    audio_sha256: str
    midi_sha256: str

    @property
    def told(self) -> str:
        """The item in a line."""
        where = f" from {self.start:g} s" if self.start else ""
        sound = f"{counted(self.frames, 'frame')} at {self.sample_rate} Hz" if self.frames else ""
        media = " and ".join(filter(None, [sound, "a score" if self.midi_sha256 else ""]))
        return f"{one_line(self.name)}{where}, {self.seconds:.4g} s, {media or 'silence'}"


def item_from(columns: Mapping[str, NDArray[Any]], sample_rate: int) -> RowItem:
    """Return the item that the columns of a row tell of."""

    def text(name: str) -> str:
        stored = columns.get(f"{PREFIX}{name}")
        return "" if stored is None else stored.tobytes().rstrip(b"\0").decode(errors="replace")

    return RowItem(
        name=text("name"),
        parent=text("parent"),
        operation=text("operation"),
        licence=text("licence"),
        start=float(columns[f"{PREFIX}start_s"]),
        seconds=float(columns[SECONDS]),
        frames=int(columns[FRAMES]),
        sample_rate=sample_rate,
        audio_sha256=digest_hex(columns[f"{PREFIX}audio_sha256"]),
        midi_sha256=digest_hex(columns[MIDI]),
    )
