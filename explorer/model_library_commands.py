"""``tonesmith explore library``: the models of a folder, listed, searched, tagged, renamed, deleted and restored."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tonesmith.explorer.options import Json
from tonesmith.terminal.messages import echo
from tonesmith.terminal.text import counted, json_text

if TYPE_CHECKING:
    from tonesmith.explorer.model_library import Library

Folder = Annotated[
    Path | None,
    typer.Option("--library", metavar="FOLDER", show_default="in your data", help="Folder of the models."),
]
Name = Annotated[str, typer.Argument(metavar="NAME", help="Name of the model.")]


def library_app() -> typer.Typer:
    """Return the sub-app."""
    app = typer.Typer(
        help="Keep models in a folder: list, search, tag, rename, delete and restore them.",
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        rich_markup_mode="rich",
    )
    app.command("list", epilog="tonesmith explore library list --library models")(_list)
    app.command("search", epilog="tonesmith explore library search rain glass --library models")(_search)
    app.command("tag", epilog="tonesmith explore library tag rain wet night --remove dry --library models")(_tag)
    app.command("rename", epilog="tonesmith explore library rename rain drizzle --library models")(_rename)
    app.command("delete", epilog="tonesmith explore library delete rain --library models")(_delete)
    app.command("restore", epilog="tonesmith explore library restore rain --library models")(_restore)
    app.command("empty", epilog="tonesmith explore library empty --library models")(_empty)
    return app


def _list(library: Folder = None, as_json: Json = False) -> None:
    """List the models of a library, and what is in its bin."""
    _found((), library, as_json=as_json)


def _search(
    words: Annotated[
        list[str], typer.Argument(metavar="WORD...", help="Part of a name, a tag, or the name of a sound; all of them.")
    ],
    library: Folder = None,
    as_json: Json = False,
) -> None:
    """List the models that have every word in their name, a tag, or the name of a sound."""
    _found(words, library, as_json=as_json)


def _found(words: tuple[str, ...] | list[str], folder: Path | None, *, as_json: bool) -> None:
    from tonesmith.terminal.table import table

    library = _opened(folder)
    kept, binned = library.models(words), library.binned() if not words else []
    if as_json:
        told = {"models": [each.to_json() for each in kept], "bin": [each.to_json() for each in binned]}
        echo(json_text({"path": str(library.root), **told}))
        return
    echo(f"{library.root}: {counted(len(kept), 'model')}")
    rows = [(one.name, ", ".join(one.tags), str(len(one.sounds)), f"{one.seconds:,.1f}") for one in kept]
    if rows:
        echo("\n".join(["", *table(("model", "tags", "sounds", "seconds"), rows)]))
    for one in kept:
        if one.damage:
            echo(one.damage)
    if binned:
        gone = [(each.name, each.at, each.id) for each in binned]
        echo("\n".join(["", *table(("in the bin", "deleted (UTC)", "id"), gone)]))


def _tag(
    name: Name,
    tags: Annotated[list[str] | None, typer.Argument(metavar="[TAG...]", help="Tags to give it.")] = None,
    remove: Annotated[
        list[str] | None, typer.Option("--remove", metavar="TAG", help="Tag to take from it. Repeatable.")
    ] = None,
    library: Folder = None,
    as_json: Json = False,
) -> None:
    """Give tags to a model, and take others from it."""
    has = _opened(library).tag(name, tags or (), remove or ())
    told = f"{name}: {', '.join(has) or 'no tags'}"
    echo(json_text({"name": name, "tags": list(has)}) if as_json else told)


def _rename(
    name: Name,
    new: Annotated[str, typer.Argument(metavar="NEW", help="Name that it gets.")],
    library: Folder = None,
    as_json: Json = False,
) -> None:
    """Give a model another name."""
    place = _opened(library).rename(name, new)
    echo(json_text({"path": str(place), "name": new}) if as_json else f"{name} is {place} now")


def _delete(name: Name, library: Folder = None, as_json: Json = False) -> None:
    """Move a model to the bin of its library, from which restore brings it back."""
    gone = _opened(library).delete(name)
    told = f"{name} is in the bin. Bring it back: tonesmith explore library restore {gone.id}"
    echo(json_text(gone.to_json()) if as_json else told)


def _restore(
    model: Annotated[str, typer.Argument(metavar="MODEL", help="Name or id of the model, as list shows it.")],
    name: Annotated[
        str, typer.Option("--name", metavar="NAME", show_default="the one it had", help="Name that it gets.")
    ] = "",
    library: Folder = None,
    as_json: Json = False,
) -> None:
    """Bring a model back from the bin: of several of one name, the one that was deleted last."""
    place = _opened(library).restore(model, name)
    echo(json_text({"path": str(place), "name": place.name}) if as_json else f"{place.name} is back: {place}")


def _empty(library: Folder = None, as_json: Json = False) -> None:
    """Remove the models in the bin for good."""
    gone = _opened(library).empty()
    told = f"{counted(len(gone), 'model')} removed for good"
    echo(json_text({"removed": [each.to_json() for each in gone]}) if as_json else told)


def _opened(folder: Path | None) -> Library:
    from tonesmith.explorer.model_library import Library, default_library

    return Library(folder or default_library())
