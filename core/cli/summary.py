"""The summary at the end of a run."""

from __future__ import annotations

import shlex
from collections.abc import Iterator

from tonesmith.plan.summary import Shared, Summary
from tonesmith.terminal.text import clock, counted, one_line, size


def summary_lines(summary: Summary) -> list[str]:
    """Return the closing summary: the rows there are now, and the rejections."""
    if summary.share is not None and not summary.complete:
        return _share_lines(summary, summary.share)
    rows = f"{counted(summary.rows, 'row')} of {counted(summary.patches, 'patch', 'patches')}"
    if not summary.complete:
        rows = f"{summary.rows:,} of {counted(summary.rows_planned, 'row')}"
    lines = [
        f"{summary.path}: {rows}",
        _added(summary),
        f"  size      {size(summary.nbytes)}",
        *_rejected(summary),
        f"  digest    {summary.digest}",
    ]
    return lines if summary.complete else [*lines, "Incomplete. Run the same command to resume."]


def _share_lines(summary: Summary, share: Shared) -> list[str]:
    """Return what became of a share, and what is missing of the whole."""
    done = share.rows == share.rows_planned
    told = counted(share.rows, "row") if done else f"{share.rows:,} of {counted(share.rows_planned, 'row')}"
    blocks = f"block {share.blocks}" if share.blocks.isdecimal() else f"blocks {one_line(share.blocks)}"
    return [
        f"{summary.path}: {told} of {blocks}",
        _added(summary),
        *_rejected(summary),
        f"  missing   {share.missing:,} of {counted(share.blocks_planned, 'block')} of the whole dataset",
        f"Complete it once all are there: tonesmith finish {shlex.quote(str(summary.path))}"
        if done
        else "Incomplete. Run the same command to resume.",
    ]


def _added(summary: Summary) -> str:
    speed = f", {summary.rows_added / summary.seconds:.1f} rows/s" if summary.rows_added and summary.seconds else ""
    return f"  added     {counted(summary.rows_added, 'row')} in {clock(summary.seconds)}{speed}"


def _rejected(summary: Summary) -> Iterator[str]:
    yield f"  rejected  {sum(summary.rejections.values()):,} of {counted(summary.candidates, 'candidate')}"
    yield from (f"            {count:>6,}  {reason}" for reason, count in _by_count(summary))


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
