"""Commands that let a model grow: ``add``, ``feed`` and ``versions``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tonesmith.errors import ConfigError
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
from tonesmith.terminal.messages import echo, warn
from tonesmith.terminal.text import counted, json_text

if TYPE_CHECKING:
    from tonesmith.explorer.growth import Grown


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("add", epilog="tonesmith explore add rain.model more-rain/")(_add)
    both = "tonesmith explore blend rain.model bells.model -o both.model --weights 0.6,0.4"
    app.command("blend", epilog=both)(_blend)
    app.command("feed", epilog="tonesmith explore feed rain.model out.flac")(_feed)
    app.command(
        "versions", epilog="tonesmith explore versions rain.model\ntonesmith explore versions rain.model --use 1"
    )(_versions)


def _add(  # noqa: PLR0913, PLR0917 - Typer makes a flag of each
    model: ModelFolder,
    sounds: Sounds,
    rows: Rows = None,
    split: Split = "",
    device: Device = None,
    minutes: Minutes = None,
    options: ModelOptions = None,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Fit a model again with more sounds, and keep the one before as a version.

    Its axes are turned to those it had, so that sliders and presets mean what they meant. What moved is told.
    A vae goes on from what it learned, with the options it was fitted with unless others are given.
    """
    from tonesmith.explorer.growth import add
    from tonesmith.terminal.progress import progress

    given = options_of(options or [], device=device, minutes=minutes)
    with progress(f"fitting {model.name}", "sounds", hidden=quiet) as counter:
        grown = add(model, sounds, rows=rows, split=split, options=given, told=warn, progress=counter)
    _tell(grown, as_json=as_json)


def _feed(
    model: ModelFolder,
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="Files that tonesmith explore made.")],
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Put sounds that a model made back into it, and keep the one before as a version.

    They are marked as made, count half as much as your own, a fifth of all at most, and are never held out.
    """
    from tonesmith.explorer.growth import feed
    from tonesmith.terminal.progress import progress

    with progress(f"fitting {model.name}", "sounds", hidden=quiet) as counter:
        grown = feed(model, files, told=warn, progress=counter)
    _tell(grown, as_json=as_json)


def _blend(
    models: Annotated[list[Path], typer.Argument(metavar="MODEL...", help="Folders of two models or more.")],
    out: Annotated[Path, typer.Option("--out", "-o", metavar="MODEL", help="Folder to write the model to.")],
    weights: Annotated[
        str | None, typer.Option("--weights", metavar="LIST", show_default="equal", help="Of each, such as 0.6,0.4.")
    ] = None,
    force: ReplaceModel = False,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Blend models: fit one on what all of them remember, in one common frame, with sliders of its own.

    Weights are what each model counts as a whole, however many sounds it has.
    """
    from tonesmith.explorer.blending import blend
    from tonesmith.explorer.shown import lines_of, shown_json
    from tonesmith.explorer.stored import read_description
    from tonesmith.terminal.progress import progress

    shares = _shares(weights)
    with progress(f"fitting {out.name}", "sounds", hidden=quiet) as counter:
        blend(models, out, weights=shares, force=force, told=warn, progress=counter)
    about = read_description(out)
    echo(json_text(shown_json(about, out)) if as_json else "\n".join(lines_of(about, out)))


def _shares(text: str | None) -> list[float]:
    try:
        return [] if text is None else [float(part) for part in text.split(",")]
    except ValueError:
        raise ConfigError(f"--weights: expected numbers such as 0.6,0.4, not {text!r}.") from None


def _versions(
    model: ModelFolder,
    use: Annotated[int | None, typer.Option("--use", min=1, metavar="INT", help="Version to use from now on.")] = None,
    delete: Annotated[int | None, typer.Option("--delete", min=2, metavar="INT", help="Version to delete.")] = None,
    as_json: Json = False,
) -> None:
    """List the versions of a model, or choose the one that is used."""
    from tonesmith.explorer import versions
    from tonesmith.explorer.grown import versions_json, versions_lines
    from tonesmith.explorer.stored import check_model

    check_model(model)
    if delete is not None:
        versions.delete(model, delete)
    if use is not None:
        versions.choose(model, use)
    echo(json_text(versions_json(model)) if as_json else "\n".join(versions_lines(model)))


def _tell(grown: Grown, *, as_json: bool) -> None:
    from tonesmith.explorer.grown import grown_json, grown_lines

    if as_json:
        echo(json_text(grown_json(grown)))
        return
    echo("\n".join(grown_lines(grown)))
    path = grown.model.path
    echo(f"\n{counted(len(grown.added), 'new sound')}. Undo: tonesmith explore versions {path} --use {grown.parent}")
