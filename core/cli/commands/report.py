"""``tonesmith report``: a dataset as a page to look at and listen to."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tonesmith.cli.options import Json, Quiet
from tonesmith.terminal.messages import echo
from tonesmith.terminal.text import json_text

if TYPE_CHECKING:
    from tonesmith.analysis.report.report import Written

Rows = Annotated[
    int, typer.Option("--rows", min=1, max=3000, metavar="N", help="Rows to listen to and to put on the map, at most.")
]
Seed = Annotated[int, typer.Option("--seed", metavar="INT", help="Random seed of the draw of rows.")]
Force = Annotated[bool, typer.Option("--force", help="Overwrite the page if it exists.")]


def report(
    dataset: Annotated[Path, typer.Argument(metavar="DATASET", help="Path of the dataset.")],
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", metavar="FILE", show_default="DATASET.report.html", help="Page to write: .html."),
    ] = None,
    rows: Rows = 300,
    seed: Seed = 0,
    targets: Annotated[
        Path | None,
        typer.Option(
            "--targets",
            metavar="DATASET",
            help="Of predictions that `tonesmith score` rendered: the dataset that they are of, to compare by ear.",
        ),
    ] = None,
    force: Force = False,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Write a dataset as one HTML page: a map of its sounds to listen to, and charts of all that is in it.

    The page is at most 10 MB and needs no network. Of a large dataset it listens to some rows, drawn at random.
    """
    from tonesmith.analysis.report.report import Drawing, page_beside, write_report
    from tonesmith.terminal.progress import progress

    path = out or page_beside(dataset)
    with progress(f"listening to {dataset.name}", hidden=quiet) as shown:
        written = write_report(dataset, path, Drawing(rows, seed), targets=targets, force=force, progress=shown)
    tell({"path": str(dataset)}, written, as_json=as_json)


def tell(of: dict[str, Any], written: Written, *, as_json: bool) -> None:
    """Print what was written, after what it is of."""
    from tonesmith.terminal.text import counted, one_line, size

    if as_json:
        damaged = [{"where": where, "what": what} for where, what in written.damaged.items()]
        facts = {"rows": written.rows, "clips": written.clips, "nbytes": written.nbytes, "damaged": damaged}
        echo(json_text({**of, "out": str(written.path), **facts}))
        return
    lines = [f"{written.path}: {counted(written.rows, 'sound')} on its map, {size(written.nbytes)}"]
    if written.clips < written.rows:
        lines.append(f"  {written.clips:,} of them can be heard: more clips would make the page too large")
    lines += [f"  {where} is left out: {one_line(what, 200)}" for where, what in list(written.damaged.items())[:12]]
    echo("\n".join(lines))
