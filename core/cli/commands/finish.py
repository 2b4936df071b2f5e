"""``tonesmith finish``: complete a dataset that many jobs have made, or say what is missing."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tonesmith.cli.options import Json
from tonesmith.terminal.messages import echo
from tonesmith.terminal.text import counted, json_text, size

if TYPE_CHECKING:
    from tonesmith.run.finish import Finished


def finish(
    dataset: Annotated[Path, typer.Argument(metavar="DATASET", help="Path of the dataset.")], as_json: Json = False
) -> None:
    """Complete a dataset that jobs made with --share or --blocks, once every block is there.

    If blocks are missing, prints the command that makes them and exits with 1. Safe to repeat.
    """
    from tonesmith.run.finish import finish as finished

    found = finished(dataset)
    echo(json_text(found.to_json()) if as_json else "\n".join(_lines(found)))
    if not found.complete or found.dividing:
        raise typer.Exit(1)


def _lines(found: Finished) -> Iterator[str]:
    if found.complete:
        yield f"{found.path}: complete, {counted(found.rows, 'row')} in {counted(found.blocks, 'block')}"
        yield f"  size      {size(found.nbytes)}"
        yield f"  digest    {found.digest}"
        return
    yield f"{found.path}: {found.rows:,} of {counted(found.rows_planned, 'row')}"
    lacking = found.blocks_planned - found.blocks
    makes = f"This makes {'it' if lacking == 1 else 'them'}:"
    yield f"  missing   {lacking:,} of {counted(found.blocks_planned, 'block')}. {makes}"
    yield f"  {found.command}" if found.command else _by_hand(found)


def _by_hand(found: Finished) -> str:
    return f"  the command that made the dataset, with --blocks {found.missing}"
