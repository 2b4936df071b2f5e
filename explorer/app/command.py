"""``tonesmith explore app``: what a person types."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tonesmith.explorer.options import Json
from tonesmith.terminal.messages import echo
from tonesmith.terminal.text import json_text

HOST, PORT = "127.0.0.1", 7860


def app(
    library: Annotated[
        Path | None,
        typer.Option(
            "--library", metavar="FOLDER", show_default="in your data", help="Folder of the models, and of the sounds."
        ),
    ] = None,
    host: Annotated[
        str,
        typer.Option("--host", metavar="ADDRESS", help="Address to listen at: by default for this machine alone."),
    ] = HOST,
    port: Annotated[
        int, typer.Option("--port", min=0, max=65_535, metavar="INT", help="Port to listen at; 0 for any that is free.")
    ] = PORT,
    browser: Annotated[bool, typer.Option("--browser/--no-browser", help="Open the page in a browser.")] = True,
    as_json: Json = False,
) -> None:
    """Fit, play and compare in a browser. Nothing leaves this machine; Ctrl-C ends it.

    Only this machine can open the page, unless --host says otherwise: whoever opens it can use all of it.
    """
    from tonesmith.explorer.app.page import serve
    from tonesmith.explorer.model_library import default_library

    folder = library or default_library()
    with serve(folder, host, port, show=browser) as running:
        told = {"path": str(folder), "address": running.address}
        echo(json_text(told) if as_json else f"{running.address} shows {folder}. Ctrl-C ends it.")
        running.wait()
