"""What the screen shows of one item: read and drawn at once, in a thread."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tonesmith.corpus.browsing.order import text_of
from tonesmith.corpus.browsing.roll import RATE, roll, tones
from tonesmith.corpus.media import Unfit, read_recording, read_score
from tonesmith.corpus.truth.items import Item
from tonesmith.errors import ScoreError
from tonesmith.screen.cells import spectrogram, waveform
from tonesmith.screen.line import Line
from tonesmith.terminal.text import clock, one_line

_HEARD = 600.0
"""Seconds of a recording that are shown and played."""
_SETTLED = 0.04
"""Seconds after which an item is read that is still the current one."""


@dataclass(frozen=True, eq=False, slots=True)
class Drawn:
    """An item that was read.

    Attributes:
        item: its name.
        audio: float32 (channels, frames), of its recording, or else of its score in plain tones.
        sample_rate: Hz.
        wave: lines of text.
        pixels: below them.
        failure: why nothing of it can be read, or "".
    """

    item: str
    audio: NDArray[np.float32]
    sample_rate: int
    wave: tuple[str, ...]
    pixels: NDArray[np.uint8]
    failure: str = ""


def drawn(folder: Path, item: Item, form: tuple[int, int, int], check: Callable[[], None]) -> Drawn:
    """Read an item and draw it, unless another one is wanted at once.

    Args:
        folder: of the corpus.
        item: to read.
        form: width, and lines of the upper and the lower picture.
        check: ends it where nobody waits for it.
    """
    time.sleep(_SETTLED)
    check()
    paths = {medium.kind: folder / medium.path for medium in item.media}
    width, upper, lower = form
    try:
        score = read_score(paths["score"]) if "score" in paths else None
        check()
        if "audio" not in paths:
            assert score is not None
            return Drawn(item.id, tones(score), RATE, (), roll(score, width, upper + lower))
        recorded = read_recording(paths["audio"], _HEARD)
    except (Unfit, ScoreError, OSError) as error:
        return Drawn(item.id, np.zeros((1, 0), np.float32), RATE, (), np.zeros((0, 0), np.uint8), str(error))
    check()
    picture = spectrogram(recorded.audio, recorded.sample_rate, width, lower)
    if score is None:
        wave = tuple(waveform(recorded.audio, width, upper))
        return Drawn(item.id, recorded.audio, recorded.sample_rate, wave, picture)
    return Drawn(
        item.id, recorded.audio, recorded.sample_rate, (), np.concatenate([roll(score, width, upper), picture])
    )


def lines_of(item: Item, label: str, failure: str = "") -> Iterator[Line]:
    """Yield what is known of an item: what it is, and what each source says, of the current label first."""
    yield Line(one_line(item.id), "head")
    if failure:
        yield Line(one_line(failure, 300), "warning")
    for medium in item.media:
        yield Line(medium.kind, value=clock(medium.seconds))
    for name, value in (("split", item.split), ("made from", item.parent)):
        if value:
            yield Line(name, value=one_line(value))
    names = [label, *(one.name for one in item.annotations)]
    for name in dict.fromkeys(names):
        yield Line(f"{name} *" if name == label else name, "group")
        said = [one for one in item.annotations if one.name == name]
        if not said:
            yield Line("nothing is said", "faint")
        for place, one in enumerate(said):
            who = one.by if one.authority == "person" and one.by else one.source
            text = one_line(text_of(one.value), 60)
            yield Line(text, "faint" if place else "plain", f"{one_line(who, 24)} {one.confidence:.2f}")
