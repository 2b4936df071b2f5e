"""``tonesmith status``: how far a dataset is, and who is at work on it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tonesmith.cli.options import Json
from tonesmith.terminal.messages import echo
from tonesmith.terminal.text import clock, counted, json_text, one_line

if TYPE_CHECKING:
    from tonesmith.run.history import PastRun
    from tonesmith.run.status import Status, Statuses

_EVERY = 2.0
"""Seconds between two looks."""
_SHOWN = 10
"""Runs that are shown, besides those at work."""
_WIDTH = 80


def status(
    dataset: Annotated[Path, typer.Argument(metavar="DATASET", help="Path of the dataset.")],
    watch: Annotated[bool, typer.Option("--watch", "-w", help="Show it until it is complete.")] = False,
    as_json: Json = False,
) -> None:
    """Say how far a dataset is: rows, speed, time left, rejections, the last error, and who is at work.

    Speed and runs are known where the runs left a log beside the dataset. The rest is read from its blocks.
    """
    from tonesmith.run.status import Statuses

    statuses = Statuses(dataset)
    found = statuses.now()
    if not watch:
        echo(json_text(found.to_json()) if as_json else "\n".join(status_lines(found, time.time())))
    elif as_json:
        _stream(statuses, found)
    else:
        _watch(statuses, found)


def _stream(statuses: Statuses, found: Status) -> None:
    """Print one line of JSON at a time."""
    echo(json_text(found.to_json()))
    while not found.complete:
        time.sleep(_EVERY)
        found = statuses.now()
        echo(json_text(found.to_json()))


def _watch(statuses: Statuses, found: Status) -> None:
    """Show it on a terminal in place of what was there; elsewhere now and then, with the time."""
    from rich.console import Console
    from rich.live import Live
    from rich.text import Text

    from tonesmith.terminal.progress import Pace, redraws

    console = Console()
    if redraws(console):
        with Live(Text(_whole(found)), console=console, auto_refresh=False) as live:
            while not found.complete:
                time.sleep(_EVERY)
                found = statuses.now()
                live.update(Text(_whole(found)), refresh=True)
        return
    pace = Pace(time.monotonic())
    _print_with_time(found)
    while not found.complete:
        time.sleep(_EVERY)
        found = statuses.now()
        if found.complete or pace.is_due(time.monotonic()):
            _print_with_time(found)


def _whole(found: Status) -> str:
    return "\n".join(status_lines(found, time.time()))


def _print_with_time(found: Status) -> None:
    echo(f"{time.strftime('%H:%M:%S')} {_whole(found)}")


def status_lines(found: Status, now: float) -> Iterator[str]:
    """Yield the lines that tell a status, each of at most 80 columns, but for the path.

    Args:
        found: the status.
        now: seconds since 1970.
    """
    share = f" ({100 * found.rows // found.rows_planned} %)" if found.rows_planned else ""
    yield f"{found.path}: {found.rows:,} of {counted(found.rows_planned, 'row')}{share}"
    yield f"  blocks    {found.blocks:,} of {found.blocks_planned:,}"
    if found.rate is not None and found.seconds_left is not None:
        yield f"  speed     {found.rate:.1f} rows/s, about {clock(found.seconds_left)} left"
    yield f"  rejected  {counted(sum(found.rejections.values()), 'candidate')}"
    for cause, count in list(found.rejections.items())[:_SHOWN]:
        yield f"            {count:>6,}  {one_line(cause, _WIDTH - 24)}"
    if (wrong := found.last_error) is not None:
        yield f"  error     {one_line(f'{_moment(wrong.error_time, now)}: {wrong.error}', _WIDTH - 12)}"
    yield from _run_lines(found, now)


def _run_lines(found: Status, now: float) -> Iterator[str]:
    working = [run for run in found.runs if run.state == "working"]
    past = [run for run in found.runs if run.state != "working"]
    for run in working:
        yield f"  at work   {_named(run)}, since {_moment(run.started, now)}"
        yield f"            {counted(run.rows, 'row')}, last sign of life {_ago(now - run.seen)}"
    if not working:
        yield f"  at work   {_nobody(found)}"
    for run in reversed(past[-_SHOWN:]):
        told = f"{_named(run)}, {_moment(run.seen, now)}, {counted(run.rows, 'row')}"
        yield f"  {run.state:<9} {one_line(told, _WIDTH - 12)}"


def _nobody(found: Status) -> str:
    if found.complete:
        return "nobody: the dataset is complete"
    known = "nobody" if found.runs else "nobody that is known here"
    return f"{known}. Run the same command to resume."


def _named(run: PastRun) -> str:
    return f"{one_line(run.host, 24)}, process {run.pid}"


def _moment(moment: float, now: float) -> str:
    """Return a time of today, or one with its date."""
    try:
        when, today = datetime.fromtimestamp(moment).astimezone(), datetime.fromtimestamp(now).astimezone()
    except (OverflowError, OSError, ValueError):
        return "an unknown time"
    return f"{when:%H:%M:%S}" if when.date() == today.date() else f"{when:%Y-%m-%d %H:%M}"


def _ago(seconds: float) -> str:
    return f"{clock(max(seconds, 0.0))} ago"
