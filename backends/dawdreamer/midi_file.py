"""MIDI messages as the file that DawDreamer reads them from: nothing else takes a controller or a channel."""

from __future__ import annotations

import math
import os
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from tonesmith.score.events import digits
from tonesmith.score.messages import Message

_FINEST = 0x7FFF
_SECOND = 1_000_000


@contextmanager
def midi_file(told: Sequence[Message], rate: int) -> Iterator[Path]:
    """Give the path of a MIDI file with some messages for as long as it takes to read it.

    On Linux it is memory without a name: nothing is left of it, not even when this process is killed.
    """
    content = midi_bytes(told, rate)
    if hasattr(os, "memfd_create"):
        handle = os.memfd_create("tonesmith-midi")
        try:
            os.write(handle, content)
            yield Path(f"/proc/self/fd/{handle}")
        finally:
            os.close(handle)
        return
    with tempfile.TemporaryDirectory(prefix="tonesmith-") as folder:
        path = Path(folder) / "phrase.mid"
        path.write_bytes(content)
        yield path


def midi_bytes(told: Sequence[Message], rate: int) -> bytes:
    """Return a MIDI file in which two ticks are a frame, and each message is in the middle of its own.

    DawDreamer cuts fractions of frames off.
    """
    resolution, tempo = _clock(2 * rate)
    events = [b"\x00\xff\x51\x03" + tempo.to_bytes(3)]
    before = 0
    for frame, message in told:
        tick = round((2 * frame + 1) * resolution * _SECOND / (tempo * 2 * rate))
        events.append(digits(tick - before) + message)
        before = tick
    track = b"".join((*events, b"\x00\xff\x2f\x00"))
    return b"MThd" + (6).to_bytes(4) + b"\0\0\0\1" + resolution.to_bytes(2) + b"MTrk" + len(track).to_bytes(4) + track


def _clock(ticks: int) -> tuple[int, int]:
    """Return ticks per beat and microseconds per beat for so many ticks a second, as nearly as a file can tell them."""
    common = math.gcd(ticks, _SECOND)
    resolution, tempo = ticks // common, _SECOND // common
    if resolution > _FINEST:
        return _FINEST, round(_FINEST * _SECOND / ticks)
    factor = max(1, min(_FINEST // resolution, 0xFFFFFF // tempo))
    return resolution * factor, tempo * factor
