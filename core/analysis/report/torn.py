"""The holes that rejections tear in a space, as a table of a report."""

from __future__ import annotations

from tonesmith.analysis.holes import Hole, holes
from tonesmith.analysis.report.chart import Table, short
from tonesmith.dataset.reader import Dataset
from tonesmith.errors import TonesmithError

_TITLE = "Holes that rejections tear"
_NOTE = (
    "Ranges and choices whose candidates are mostly rejected, more often than chance explains. Of all is the share of"
)
_HEAD = ("parameter", "where", "rejected", "candidates", "share", "of all", "because")


def torn(dataset: Dataset) -> Table | None:
    """Return the holes of a dataset; None if nothing was rejected."""
    if not dataset.rejections:
        return None
    try:
        found = holes(dataset)
    except TonesmithError as error:
        return Table(_TITLE, f"They are not known: {short(error)}", (), ())
    if not found:
        return Table(_TITLE, "None: what was rejected has nothing to do with one parameter.", (), ())
    note = f"{_NOTE} all candidates that was rejected for the same reason."
    return Table(_TITLE, note, _HEAD, [_row(hole) for hole in found])


def _row(hole: Hole) -> tuple[str | int, ...]:
    shares = (f"{hole.share:.0%}", f"{hole.base_share:.1%}")
    counts = (hole.rejected, hole.candidates)
    return (short(hole.parameter), short(hole.where), *counts, *shares, short(f"{hole.by}: {hole.reason}"))
