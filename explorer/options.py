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
Device = Annotated[
    str | None, typer.Option("--device", metavar="NAME", show_default="auto", help="Of a vae: auto, cpu, cuda or mps.")
]
Minutes = Annotated[
    float | None,
    typer.Option("--minutes", metavar="NUMBER", show_default="10", help="Of a vae: most for each training."),
]
ModelOptions = Annotated[
    list[str] | None,
    typer.Option("--option", metavar="NAME=VALUE", help="Option of the model, such as preset=small. Repeatable."),
]
ReplaceModel = Annotated[bool, typer.Option("--force", help="Replace a model that exists.")]
Overwrite = Annotated[bool, typer.Option("--force", help="Overwrite a file that exists.")]
Json = Annotated[bool, typer.Option("--json", help="Print only JSON.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Hide progress.")]
