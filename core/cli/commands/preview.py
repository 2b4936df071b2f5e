"""``tonesmith preview``: look at a dataset in the terminal, and listen to it."""

from __future__ import annotations

import os
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tonesmith.cli.completion import parameter_names
from tonesmith.cli.options import Trust
from tonesmith.errors import ConfigError, check_libraries
from tonesmith.terminal.text import sentence

if TYPE_CHECKING:
    from tonesmith.preview.lists.source import Arrangement
    from tonesmith.preview.session import Session


def preview(
    dataset: Annotated[Path, typer.Argument(metavar="DATASET", help="Path of the dataset.")],
    query: Annotated[
        str,
        typer.Option("--filter", "-f", metavar="FILTER", help="Show only these rows, such as 'pitch = 60 and bass'."),
    ] = "",
    sort: Annotated[
        str,
        typer.Option(
            "--sort", metavar="NAME", help="Sort by a parameter or another field.", autocompletion=parameter_names
        ),
    ] = "",
    out: Annotated[
        Path | None,
        typer.Option(
            "--out", "-o", metavar="DIR", help="Folder for exports.", show_default="NAME.export in the current folder"
        ),
    ] = None,
    light: Annotated[bool, typer.Option("--light", help="Start with dark text on a light background.")] = False,
    trust: Trust = False,
) -> None:
    """Look at the rows of a dataset in the terminal, and listen to them.

    Filter and sort rows, see waveform, spectrogram and label, play rows, compare two at the same loudness, rate and
    mark them, export the marked ones. Press ? for the keys.
    """
    _check_terminal(dataset)
    check_libraries("preview", ["textual"], "preview")
    from tonesmith.preview.session import Session

    session = Session.open(dataset, out, trust=trust)
    wanted = _check_arrangement(query, sort, session)
    from tonesmith.preview.widgets.app import Preview

    app = Preview(session, wanted, light=light)
    app.run()
    if app.return_code:
        raise typer.Exit(app.return_code)


def _check_terminal(dataset: Path) -> None:
    """Raise :class:`ConfigError` where no screen can be drawn, with what tells of a dataset without one."""
    piped = [name for name in ("stdin", "stdout", "stderr") if not getattr(sys, name).isatty()]
    if not piped and os.environ.get("TERM") != "dumb":
        return
    told = f"{piped[0]} is not one" if piped else "TERM=dumb says that this one cannot be drawn on"
    name = shlex.quote(str(dataset))
    raise ConfigError(
        f"preview needs a terminal, and {told}. Use `tonesmith inspect {name}` for a summary, or "
        f"`tonesmith export {name} --row 0 --audio FILE` for one row."
    )


def _check_arrangement(query: str, sort: str, session: Session) -> Arrangement:
    """Return what is to be shown. Raises :class:`ConfigError` that names the option which is wrong."""
    from tonesmith.preview.lists.source import Arrangement

    for option, part in (("--filter", Arrangement(query)), ("--sort", Arrangement(sort=sort))):
        try:
            part.check(session.rows)
        except ConfigError as error:
            raise ConfigError(sentence(f"{option}: {error}")) from None
    return Arrangement(query, sort)
