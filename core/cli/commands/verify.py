"""``tonesmith verify``: check that a dataset is as it was written."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tonesmith.cli.options import Json, Quiet, Trust
from tonesmith.host.registry import Host
from tonesmith.terminal.messages import echo
from tonesmith.terminal.text import json_text, one_line

if TYPE_CHECKING:
    from tonesmith.dataset.verify import Damage

_SHOWN = 20
_LONGEST = 1000
"""Characters that are shown of what is wrong with a row."""


def verify(
    dataset: Annotated[Path, typer.Argument(metavar="DATASET", help="Path of the dataset.")],
    render: Annotated[
        int,
        typer.Option(
            "--render", min=0, metavar="N", help="Number of rows to render again and compare, sample by sample."
        ),
    ] = 0,
    trust: Trust = False,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Check every stored byte against its digest and, with --render, the audio against its labels.

    Lists the rows that differ, and exits with 1 if there are any.
    """
    from tonesmith.dataset.opening import open_dataset
    from tonesmith.dataset.verify import check_integrity, check_renders, rows_to_render
    from tonesmith.host.trust import check_trusted

    opened = open_dataset(dataset)
    if render:  # said before hours are spent on reading
        check_trusted(opened.plan, Host.load(), trust=trust)
    rows = rows_to_render(opened, render)
    with _progress("reading", len(opened), hidden=quiet or as_json) as advance:
        damage = list(check_integrity(opened, advance))
    unreadable = {found.row for found in damage}
    sound = [row for row in rows if row not in unreadable]
    if sound:
        with _progress("rendering", len(sound), hidden=quiet or as_json) as advance:
            damage += check_renders(opened, sound, dataset, Host.load(), advance, trust=trust)
    if as_json:
        report = {"rows": len(opened), "rows_planned": opened.plan.rows, "rendered": len(sound)}
        found = [asdict(item) for item in damage]
        echo(json_text({**report, "complete": opened.complete, "digest": opened.digest, "damage": found}))
    else:
        echo("\n".join(_lines(dataset, len(opened), opened.plan.rows, len(sound), damage)))
    if damage:
        raise typer.Exit(1)


def _lines(path: Path, rows: int, planned: int, rendered: int, damage: list[Damage]) -> Iterable[str]:
    missing = f" ({planned - rows} of the plan's {planned} are not rendered yet)" if rows < planned else ""
    bad = {item.row for item in damage if item.what != "render" and item.row >= 0}
    yield f"{path}: {rows} rows{missing}"
    yield f"  stored    {rows - len(bad)} of {rows} rows are as they were written"
    if rendered:
        differing = sum(item.what == "render" for item in damage)
        yield f"  rendered  {rendered - differing} of {rendered} rows sound as they did, bit for bit"
    for item in damage[:_SHOWN]:
        where = f"row {item.row} (block {item.block}): " if item.row >= 0 else ""
        what = "" if item.what == "beside" else f"{item.what}: "
        yield f"  {where}{what}{one_line(item.detail, _LONGEST)}".removesuffix(": ")
    if len(damage) > _SHOWN:
        yield f"  and {len(damage) - _SHOWN} more; --json lists all"


@contextmanager
def _progress(what: str, total: int, *, hidden: bool) -> Iterator[Callable[[int], None]]:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, disable=hidden or not console.is_terminal, transient=True) as progress:
        task = progress.add_task(what, total=total)
        yield lambda rows: progress.advance(task, rows)
