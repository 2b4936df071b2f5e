"""Commands that fit a model and show it: ``fit`` and ``show``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tonesmith.explorer.options import (
    Device,
    Json,
    Minutes,
    ModelFolder,
    ModelOptions,
    Quiet,
    ReplaceModel,
    Rows,
    Sounds,
    Split,
)
from tonesmith.explorer.typed import options_of
from tonesmith.terminal.messages import echo, say, warn
from tonesmith.terminal.text import json_text


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("fit", epilog="tonesmith explore fit rain.model rain/\ntonesmith explore fit pads.model d.zarr")(_fit)
    app.command("show", epilog="tonesmith explore show rain.model\ntonesmith explore show rain.model --html rain.html")(
        _show
    )


def _fit(  # noqa: PLR0913, PLR0917 - Typer makes a flag of each
    model: Annotated[Path, typer.Argument(metavar="MODEL", help="Folder to write the model to.")],
    sounds: Sounds,
    kind: Annotated[
        str,
        typer.Option("--model", metavar="NAME", help="Kind: atlas, or vae, which is kept if it is better."),
    ] = "atlas",
    device: Device = None,
    minutes: Minutes = None,
    options: ModelOptions = None,
    rows: Rows = None,
    split: Split = "",
    force: ReplaceModel = False,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Fit a model to sounds: five files take seconds, five hundred take minutes.

    A dataset gives its rows, and sliders that are named by the parameters of its synth.
    The same sounds give the same model. A file that cannot be read, or is silent, is told and left out. A vae takes
    minutes; one that is stopped goes on when the same command is run again.
    """
    from tonesmith.explorer.calls import fit
    from tonesmith.explorer.checkpoints import Checkpoints
    from tonesmith.explorer.shown import lines_of, shown_json
    from tonesmith.explorer.stored import read_description
    from tonesmith.terminal.progress import progress

    with progress(f"fitting {model.name}", "sounds", hidden=quiet) as counter:
        chosen = options_of(options or [], device=device, minutes=minutes)
        try:
            fit(
                model,
                sounds,
                model=kind,
                options=chosen,
                rows=rows,
                split=split,
                force=force,
                told=warn,
                progress=counter,
            )
        except KeyboardInterrupt:
            if Checkpoints.beside(model).begun():
                say(f"The training is kept in {model}.training. Run the same command to go on.")
            raise
    about = read_description(model)
    echo(json_text(shown_json(about, model)) if as_json else "\n".join(lines_of(about, model)))


def _show(
    model: ModelFolder,
    version: Annotated[
        int | None,
        typer.Option("--version", min=1, metavar="INT", show_default="the one used", help="Version to show."),
    ] = None,
    compare: Annotated[
        bool, typer.Option("--compare", help="Show another model and the atlas side by side on held-out sounds.")
    ] = False,
    page: Annotated[
        Path | None,
        typer.Option("--html", metavar="FILE", help="Write a page with the same and a map, which loads nothing."),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Overwrite a page that exists.")] = False,
    as_json: Json = False,
) -> None:
    """Show what a model was fitted on, how near it comes, and its sliders with their confidence.

    Of sounds that were made with it, show how new they are: 0 is a copy, 1 as new as one of your sounds to the others.
    """
    from tonesmith.explorer.compared import compared
    from tonesmith.explorer.page import check_page, page_of, write_page
    from tonesmith.explorer.shown import lines_of, shown_json
    from tonesmith.explorer.stored import load, read_description
    from tonesmith.explorer.surveyed import survey_json, surveyed

    about = read_description(model, version)
    if page is not None:
        check_page(page, force=force)
    survey = surveyed(load(model, version)[0], model)
    written = {} if page is None else {"html": str(page)}
    if page is not None:
        write_page(page, page_of(about, model, survey, version))
    if as_json:
        echo(json_text({**shown_json(about, model, version), **survey_json(survey), **written}))
    else:
        echo("\n".join(compared(about, model) if compare else lines_of(about, model, version, survey)))
