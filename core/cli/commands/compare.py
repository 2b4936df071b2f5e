"""``tonesmith compare``: two datasets side by side as a page."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tonesmith.cli.commands.report import Force, Rows, Seed, tell
from tonesmith.cli.options import Json, Quiet


def compare(
    first: Annotated[Path, typer.Argument(metavar="DATASET", help="Path of a dataset.")],
    second: Annotated[Path, typer.Argument(metavar="OTHER", help="Path of the dataset to compare it with.")],
    out: Annotated[Path, typer.Option("--out", "-o", metavar="FILE", help="Page to write: .html.")],
    rows: Rows = 300,
    seed: Seed = 0,
    force: Force = False,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Write two datasets side by side as one HTML page: how their plans differ, and the sounds of both on one map."""
    from tonesmith.analysis.report.report import Drawing, write_comparison
    from tonesmith.terminal.progress import progress

    with progress(f"listening to {first.name} and {second.name}", hidden=quiet) as shown:
        written = write_comparison(first, second, out, Drawing(rows, seed), force=force, progress=shown)
    tell({"paths": [str(first), str(second)]}, written, as_json=as_json)
