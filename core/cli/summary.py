"""The summary at the end of a run."""

from __future__ import annotations

import shlex

from tonesmith.plan.summary import Summary
from tonesmith.terminal.text import clock, counted, size


def summary_lines(summary: Summary) -> list[str]:
    """Return the closing summary: the rows there are now, and the rejections."""
    rows = f"{counted(summary.rows, 'row')} of {counted(summary.patches, 'patch', 'patches')}"
    if not summary.complete:
        rows = f"{summary.rows:,} of {counted(summary.rows_planned, 'row')}"
    speed = f", {summary.rows_added / summary.seconds:.1f} rows/s" if summary.rows_added and summary.seconds else ""
    rejected = sum(summary.rejections.values())
    lines = [
        f"{summary.path}: {rows}",
        f"  added     {counted(summary.rows_added, 'row')} in {clock(summary.seconds)}{speed}",
        f"  size      {size(summary.nbytes)}",
        f"  rejected  {rejected:,} of {counted(summary.candidates, 'candidate')}",
        *(f"            {count:>6,}  {reason}" for reason, count in _by_count(summary)),
        f"  digest    {summary.digest}",
    ]
    return lines if summary.complete else [*lines, "Incomplete. Run the same command to resume."]


def next_lines(summary: Summary) -> list[str]:
    """Return commands to try next with a dataset that is new and complete; none for another."""
    path = shlex.quote(str(summary.path))
    if not summary.complete or not summary.rows or summary.rows_added < summary.rows:
        return []
    return [
        "Next:",
        f"  tonesmith inspect {path}",
        f"  tonesmith verify {path} --render 50",
        f"  tonesmith export {path} --row 0 --audio row0.wav",
    ]


def _by_count(summary: Summary) -> list[tuple[str, int]]:
    return sorted(summary.rejections.items(), key=lambda item: (-item[1], item[0]))
