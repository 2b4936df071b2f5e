"""Arguments and options that commands of corpora share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

PathArgument = Annotated[Path, typer.Argument(metavar="PATH", help="Folder of the corpus.")]
Json = Annotated[bool, typer.Option("--json", help="Print only JSON.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Hide progress.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Say what would be done, and change nothing.")]
Wait = Annotated[
    float, typer.Option("--wait", min=0, metavar="SECONDS", help="Time to wait for another command on the corpus.")
]
SetOption = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="NAME.OPTION=VALUE", help="Option of a plugin. Repeat it for several."),
]
Workers = Annotated[
    int, typer.Option("--workers", "-j", min=0, max=256, metavar="N", help="Processes.", show_default="one per core")
]
WAIT = 60.0
"""Seconds to wait for another command."""


def names_of(text: str) -> tuple[str, ...]:
    """Return the names that an option lists with commas."""
    return tuple(name.strip() for name in text.split(",") if name.strip())
