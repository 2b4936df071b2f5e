"""The command on whose screen a person labels items: ``browse``."""

from __future__ import annotations

import os
import shlex
import sys
from pathlib import Path
from typing import Annotated

import typer

from tonesmith.corpus.commands.options import PathArgument
from tonesmith.corpus.errors import CorpusError
from tonesmith.errors import ConfigError, check_libraries
from tonesmith.terminal.messages import say

By = Annotated[
    str, typer.Option("--by", metavar="PERSON", help="Who says it.", show_default="the user of this machine")
]


def browse(
    path: PathArgument,
    label: Annotated[
        str, typer.Option("--label", metavar="NAME", help="Label to begin with.", show_default="the classes")
    ] = "",
    query: Annotated[
        str,
        typer.Option(
            "--filter", "-f", metavar="FILTER", help="Show only these, such as 'split=train emotion=sad song'."
        ),
    ] = "",
    by: By = "",
    light: Annotated[bool, typer.Option("--light", help="Dark text on a light background.")] = False,
) -> None:
    """Hear the items of a corpus in the terminal, and say what they are with one key. Every word is stored at once.

    The least sure ones come first: of which nothing is said, or sources disagree.
    """
    check_screen(path)
    show(path, label, query, by, light=light)


def check_screen(path: Path) -> None:
    """Raise :class:`ConfigError` where no screen can be drawn, with what does the same without one."""
    piped = [name for name in ("stdin", "stdout", "stderr") if not getattr(sys, name).isatty()]
    if piped or os.environ.get("TERM") == "dumb":
        told = f"{piped[0]} is not one" if piped else "TERM=dumb says that this one cannot be drawn on"
        name = shlex.quote(str(path))
        raise ConfigError(
            f"browse needs a terminal, and {told}. Label an item without one: "
            f"tonesmith corpus label {name} ITEM NAME=VALUE"
        )
    check_libraries("browse", ["textual"], "preview")


def show(path: Path, label: str = "", query: str = "", by: str = "", *, light: bool = False) -> None:
    """Show the screen, and write the files that other programs read when it is left."""
    from tonesmith.corpus.browsing.app import Browser
    from tonesmith.corpus.corpus import Corpus

    with Corpus(path) as corpus:
        app = Browser(corpus, label, query, by, light=light)
        app.run()
        if not corpus.is_written:
            try:
                corpus.write()
            except CorpusError as error:
                say(f"every word is stored; manifest.json is older: {error} Then: tonesmith corpus write {path}")
    if app.return_code:
        raise typer.Exit(app.return_code)
