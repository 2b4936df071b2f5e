"""The score of a row: that of an item, or what of it lies in a window."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from tonesmith.corpus.media import read_score
from tonesmith.errors import DatasetError, ScoreError

if TYPE_CHECKING:
    from tonesmith.score.score import Score


def scores_of(path: Path, starts: Sequence[float], seconds: float) -> Iterator[Score | None]:
    """Yield the score of each row of an item; None where no note begins.

    Args:
        path: of the MIDI file.
        starts: seconds at which rows begin, ascending.
        seconds: of a row; 0.0 for the whole score.

    Raises :class:`DatasetError` if the file cannot be read.
    """
    from tonesmith.score.cutting import Window, pieces

    try:
        found = path.stat()
        score = _read(path, found.st_mtime_ns, found.st_size)
    except (ScoreError, OSError) as error:
        raise DatasetError(f"{path} cannot be read as MIDI: {error}") from None
    if not seconds:
        yield from (score for _ in starts)
        return
    edges = [(_tick(score, start), _tick(score, start + seconds)) for start in starts]
    windows = [Window(first, max(last, first + 1), 1) for first, last in edges]
    yield from (piece if len(piece) else None for piece in pieces(score, windows))


@lru_cache(maxsize=4)
def _read(path: Path, changed: int, nbytes: int) -> Score:
    """Return the score in a file. It is kept for the rows that follow, unless the file changes."""
    del changed, nbytes
    return read_score(path)


def _tick(score: Score, seconds: float) -> int:
    """Return the first tick at or after a moment."""
    return int(score.tempos.reached(round(seconds * 1e6 * score.resolution)))
