"""``tonesmith config``: what editors and people need to write a composition."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tonesmith.cli.options import Json
from tonesmith.host.registry import Host
from tonesmith.terminal.messages import echo
from tonesmith.terminal.text import json_text

HELP = "Help editors to check plugins.toml."


def config_app(host: Host) -> typer.Typer:
    """Return the commands about compositions."""
    app = typer.Typer(help=HELP, no_args_is_help=True)

    @app.command("schema")
    def schema(
        out: Annotated[
            Path | None, typer.Option("--out", "-o", metavar="FILE", help="Write it to FILE, which ends in .json.")
        ] = None,
        force: Annotated[bool, typer.Option("--force", help="Overwrite a file that is not such a schema.")] = False,
        as_json: Json = False,
    ) -> None:
        """Print the JSON schema of plugins.toml, with the options of every installed plugin.

        An editor that knows it completes keys, explains them and marks mistakes. Write it beside plugins.toml, and put
        the line "#:schema ./tonesmith.schema.json" first there.
        """
        from tonesmith.cli.schema_file import is_schema, schema_bytes
        from tonesmith.cli.written import File, file_lines, files_json, write_files
        from tonesmith.host.editor_schema import composition_schema

        if out is None:
            echo(json_text(composition_schema(host), indent=None if as_json else 2))
            return
        file = File("--out", out, ".json", lambda: schema_bytes(host))
        written = write_files([file], force=force or is_schema(out))
        echo(json_text(files_json(written)[0]) if as_json else file_lines(written)[0])

    return app
