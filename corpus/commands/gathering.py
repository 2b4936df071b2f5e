"""Commands that bring items into a corpus, and say what they are: ``new``, ``add``, ``annotate``, ``label``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tonesmith.corpus.commands.browsing import check_screen, show
from tonesmith.corpus.commands.options import WAIT, DryRun, Json, PathArgument, Quiet, SetOption, Wait, names_of
from tonesmith.errors import ConfigError
from tonesmith.terminal.messages import echo
from tonesmith.terminal.text import counted, json_text


def new(
    path: Annotated[Path, typer.Argument(metavar="PATH", help="Folder to make.")],
    profile: Annotated[
        str,
        typer.Option(
            "--profile", metavar="NAME", help="Profile: emotion, melody, harmony, dynamics, groove, or a .toml file."
        ),
    ] = "emotion",
    licence: Annotated[str, typer.Option("--licence", metavar="TEXT", help="Licence of the items.")] = "",
    dry_run: DryRun = False,
    as_json: Json = False,
) -> None:
    """Make an empty corpus. The profile says what may be said of its items, and how many are wanted of each class."""
    from tonesmith.corpus.corpus import Corpus
    from tonesmith.corpus.making import check_new

    name, _ = check_new(path, profile, licence)
    count = 0
    if not dry_run:
        with Corpus.new(path, profile, licence=licence) as made:
            count = len(made)
    if as_json:
        echo(json_text({"path": str(path), "profile": name, "licence": licence, "items": count, "dry_run": dry_run}))
    elif dry_run:
        echo(f"{path}: would be a corpus with the profile {name}")
    else:
        echo(f"{path}: a corpus with {counted(count, 'item')}, profile {name}")
        echo(f"Add music to it: tonesmith corpus add {path} FOLDER")


def add(  # noqa: PLR0913, PLR0917 - a parameter for each flag
    path: PathArgument,
    sources: Annotated[
        list[Path], typer.Argument(metavar="SOURCE", help="Folders, files, archives (zip, tar) or corpora.")
    ],
    importer: Annotated[
        str,
        typer.Option("--importer", metavar="NAME", help="Importer to read them with.", show_default="as each needs"),
    ] = "",
    options: SetOption = None,
    link: Annotated[bool, typer.Option("--link", help="Link originals instead of copying them.")] = False,
    dry_run: DryRun = False,
    as_json: Json = False,
    quiet: Quiet = False,
    wait: Wait = WAIT,
) -> None:
    """Add scores and recordings to a corpus. A score and a recording of one name are one item.

    Files are copied as they are. What is there already is left alone, so that the command can be repeated.
    The exit code is 1 if a file was refused.
    """
    from tonesmith.corpus.corpus import Corpus
    from tonesmith.corpus.printed import added_lines, set_options

    with Corpus(path, wait=wait) as corpus:
        done = corpus.add(
            *sources, importer=importer, options=set_options(options), link=link, dry_run=dry_run, progress=not quiet
        )
        count = len(corpus)
    if as_json:
        echo(json_text({"path": str(path), "items": count, "dry_run": dry_run, **done.to_json()}))
    else:
        echo("\n".join(added_lines(path, done, count, dry_run=dry_run)))
    if done.refused:
        raise typer.Exit(1)


def annotate(
    path: PathArgument,
    names: Annotated[
        str,
        typer.Option("--with", metavar="NAMES", help="Annotators, with commas.", show_default="all but table"),
    ] = "",
    options: SetOption = None,
    then_browse: Annotated[
        bool, typer.Option("--browse", help="Then hear the items, and say yourself what they are.")
    ] = False,
    dry_run: DryRun = False,
    as_json: Json = False,
    quiet: Quiet = False,
    wait: Wait = WAIT,
) -> None:
    """Ask annotators what they know of the items. An item that was asked of is not asked of again.

    An annotator says nothing rather than guess. The exit code is 1 if one failed at an item.
    """
    from dataclasses import asdict

    from tonesmith.corpus.corpus import Corpus
    from tonesmith.corpus.printed import annotated_lines, set_options

    if then_browse:
        check_screen(path)
    given = set_options(options)
    with Corpus(path, wait=wait) as corpus:
        told = corpus.annotate(*names_of(names), options=given, dry_run=dry_run, progress=not quiet)
        count = len(corpus)
    if as_json:
        annotators = {name: asdict(one) for name, one in told.items()}
        echo(json_text({"path": str(path), "items": count, "dry_run": dry_run, "annotators": annotators}))
    else:
        echo("\n".join(annotated_lines(path, told, count)))
    if then_browse:
        show(path)
    if any(one.refused for one in told.values()):
        raise typer.Exit(1)


def label(
    path: PathArgument,
    item: Annotated[str, typer.Argument(metavar="ITEM", help="Name of the item.")],
    said: Annotated[
        list[str],
        typer.Argument(metavar="NAME=VALUE", help="What is to be said of it. NAME= takes back what a person said."),
    ],
    by: Annotated[
        str, typer.Option("--by", metavar="PERSON", help="Who says it.", show_default="the user of this machine")
    ] = "",
    dry_run: DryRun = False,
    as_json: Json = False,
    wait: Wait = WAIT,
) -> None:
    """Say something of an item yourself. Your word is believed, whatever other sources say."""
    from tonesmith.corpus.corpus import Corpus

    given = dict(map(_pair, said))
    with Corpus(path, wait=wait) as corpus:
        changed = corpus.label(item, by, dry_run=dry_run, **given)
    if as_json:
        echo(json_text({"path": str(path), "item": item, "changed": changed, "dry_run": dry_run}))
    else:
        echo(f"{item}: {counted(changed, 'annotation')} {'would change' if dry_run else 'changed'}")


def _pair(word: str) -> tuple[str, str | None]:
    name, equals, value = word.partition("=")
    if not equals or not name.strip():
        raise ConfigError(f"{word!r} is not NAME=VALUE, such as emotion=sad.")
    return name.strip(), value if value.strip() else None
