"""``tonesmith score``: how good a model's predictions are, by their sounds and as labels."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tonesmith.cli.options import Json, Processes, Quiet, Trust
from tonesmith.cli.written import File, check_files, json_bytes, write_files
from tonesmith.terminal.messages import echo
from tonesmith.terminal.text import json_text


def score(  # noqa: PLR0913, PLR0917 - Typer makes a flag of each
    dataset: Annotated[Path, typer.Argument(metavar="DATASET", help="Path of the dataset.")],
    predictions: Annotated[
        Path,
        typer.Argument(metavar="PREDICTIONS", help="A .npz or .parquet file, or a dataset, with a row number each."),
    ],
    out: Annotated[
        Path | None,
        typer.Option(
            "--out", "-o", metavar="OUT", help="New dataset of the predicted sounds; the result is beside it as .json."
        ),
    ] = None,
    rows: Annotated[
        int, typer.Option("--rows", min=0, metavar="N", help="Predictions to score, chosen at random. 0 means all.")
    ] = 0,
    baseline_rows: Annotated[
        int, typer.Option("--baseline-rows", min=1, metavar="N", help="Of these, rows to render baselines for.")
    ] = 100,
    pool: Annotated[
        int, typer.Option("--pool", min=1, metavar="N", help="Rows among which the nearest one is looked for.")
    ] = 1000,
    seed: Annotated[int, typer.Option("--seed", metavar="INT", help="Random seed of the choices.")] = 0,
    clip: Annotated[bool, typer.Option("--clip", help="Take the nearest end for a value outside [0, 1].")] = False,
    force: Annotated[bool, typer.Option("--force", help="Overwrite the result, but not a dataset.")] = False,
    workers: Processes = 0,
    trust: Trust = False,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Render predicted labels on the synth of a dataset, and compare sounds and labels with the true ones.

    Baselines are always in the table: the mean label, a random row, the row that sounds most alike, and the true label.
    Writes the predicted sounds as a dataset, and the whole result as JSON.
    """
    from tonesmith.analysis.scoring.score import Settings
    from tonesmith.analysis.scoring.score import score as scored
    from tonesmith.terminal.progress import progress

    path = out or predictions.with_name(f"{predictions.stem}.scored{dataset.suffix}")
    result = path.with_name(f"{path.name}.json")
    files = [File("--out", result, ".json", lambda: json_bytes(found.data))]
    check_files(files, force=force)
    settings = Settings(rows, baseline_rows, pool, seed, "clip" if clip else "refuse")
    with progress(f"scoring {predictions.name}", hidden=quiet) as shown:
        found = scored(dataset, predictions, settings, out=path, workers=workers, trust=trust, progress=shown)
    write_files(files, force=force)
    if as_json:
        echo(json_text(dict(found.data)))
    else:
        echo("\n".join([*found.lines(), "", f"sounds  {path}", f"result  {result}"]))
