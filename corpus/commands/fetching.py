"""Commands that bring public sets: ``sources``, ``download``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tonesmith.corpus.commands.options import Json, Quiet
from tonesmith.terminal.messages import echo
from tonesmith.terminal.text import json_text, size


def sources(as_json: Json = False) -> None:
    """List public sets, with the licence that their source states."""
    from tonesmith.corpus.sources import source_lines
    from tonesmith.corpus.sources import sources as known

    if as_json:
        echo(json_text({"sources": [source.to_json() for source in known().values()]}))
    else:
        echo("\n".join(source_lines()))


def download(
    source: Annotated[str, typer.Argument(metavar="NAME|URL", help="Set of corpus sources, or an http or https URL.")],
    to: Annotated[Path, typer.Option("--to", metavar="FOLDER", help="Folder to put the file in.")],
    sha256: Annotated[str, typer.Option("--sha256", metavar="DIGITS", help="SHA-256 that it must have.")] = "",
    licence: Annotated[
        str, typer.Option("--licence", metavar="TEXT", help="Licence that its source states, for the items of it.")
    ] = "",
    most: Annotated[
        float, typer.Option("--most-gigabytes", min=0.001, metavar="N", help="Most that it may have, in 10^9 bytes.")
    ] = 64.0,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Download a file over http or https. Run the same command again to resume one that broke off.

    It has its name only when it is whole. Items that you add from it know its source and licence.
    """
    from tonesmith.corpus.downloading import Wanted, fetch
    from tonesmith.corpus.sources import source_of
    from tonesmith.terminal.progress import progress

    known = None if "://" in source else source_of(source)
    wanted = Wanted(
        known.url if known else source,
        to,
        sha256.lower() or (known.sha256 if known else ""),
        round(most * 1e9),
        known.name if known else "",
        licence or (known.licence if known else ""),
    )
    path = wanted.checked()
    with progress(f"downloading {path.name}", "bytes", hidden=quiet) as counter:
        done = fetch(wanted, counter)
    if as_json:
        echo(json_text(done.to_json()))
    else:
        echo(f"{done.path}: {size(done.nbytes)}, SHA-256 {done.sha256}{'' if done.fresh else ', here already'}")
        echo(f"Add it to a corpus: tonesmith corpus add CORPUS {done.path}")
