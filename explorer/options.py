"""Arguments and options that commands of the explorer share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

ModelFolder = Annotated[Path, typer.Argument(metavar="MODEL", help="Folder of the model.")]
Sounds = Annotated[
    list[Path], typer.Argument(metavar="SOUNDS...", help="Audio files, folders with audio files, and datasets.")
]
Rows = Annotated[
    int | None,
    typer.Option("--rows", min=1, metavar="N", show_default="all", help="Most rows to use of a dataset, at random."),
]
Split = Annotated[str, typer.Option("--split", metavar="SPLIT", help="Only rows of this split of a dataset.")]
ReplaceModel = Annotated[bool, typer.Option("--force", help="Replace a model that exists.")]
Overwrite = Annotated[bool, typer.Option("--force", help="Overwrite a file that exists.")]
Json = Annotated[bool, typer.Option("--json", help="Print only JSON.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Hide progress.")]
