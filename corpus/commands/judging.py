"""Commands that look at a corpus and divide it: ``stats``, ``check``, ``split``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tonesmith.corpus.commands.options import WAIT, DryRun, Json, PathArgument, Quiet, Wait
from tonesmith.terminal.messages import echo
from tonesmith.terminal.text import json_text


def stats(
    path: PathArgument,
    plot: Annotated[
        Path | None, typer.Option("--plot", metavar="FILE", help="Draw plots into this .png, .svg or .pdf.")
    ] = None,
    plots: Annotated[
        Path | None, typer.Option("--plots", metavar="FOLDER", help="Draw a .png for each plot into this folder.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Show what is in a corpus: media, labels with their sources, splits. Draw plots of it."""
    from tonesmith.corpus.corpus import Corpus
    from tonesmith.corpus.printed import stats_lines

    with Corpus(path) as corpus:
        written = corpus.plot(plot, plots)
        found = corpus.stats()
    if as_json:
        told = {"path": str(path), **found.to_json(), **({"plots": written} if written else {})}
        echo(json_text(told))
        return
    echo("\n".join([*stats_lines(path, found), *(f"written: {name}" for name in written)]))


def check(
    path: PathArgument,
    deep: Annotated[bool, typer.Option("--deep", help="Read every file, and compare it with its SHA-256.")] = False,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Check balance, diversity, quality, structure and leaks between splits. Say what to do next.

    The exit code is 1 if files are missing or changed, annotations are not allowed, or a family is in two splits.
    """
    from tonesmith.corpus.corpus import Corpus
    from tonesmith.corpus.printed import checked_lines

    with Corpus(path) as corpus:
        found = corpus.check(deep=deep, progress=not quiet)
    echo(json_text({"path": str(path), **found.to_json()}) if as_json else "\n".join(checked_lines(path, found)))
    if found.faults:
        raise typer.Exit(1)


Share = Annotated[float | None, typer.Option(min=0, max=1, metavar="SHARE", help="Share of this split.")]


def split(  # noqa: PLR0913, PLR0917 - a parameter for each flag
    path: PathArgument,
    train: Share = None,
    val: Share = None,
    test: Share = None,
    stratify: Annotated[
        str | None,
        typer.Option("--stratify", metavar="LABEL", help="Label whose shares splits keep.", show_default="the classes"),
    ] = None,
    seed: Annotated[int | None, typer.Option("--seed", metavar="INT", help="Seed of the order.")] = None,
    again: Annotated[bool, typer.Option("--again", help="Divide everything anew.")] = False,
    listen: Annotated[bool, typer.Option("--listen/--no-listen", help="Compare recordings that were not yet.")] = True,
    dry_run: DryRun = False,
    as_json: Json = False,
    quiet: Quiet = False,
    wait: Wait = WAIT,
) -> None:
    """Divide a corpus into train, val and test: 0.7, 0.15 and 0.15.

    Items of one ancestor, and near-duplicates, stay together; classes keep their shares. What is divided stays where it
    is when the corpus grows. To find recordings that sound alike, each is heard once.
    """
    from tonesmith.corpus.corpus import Corpus
    from tonesmith.corpus.printed import division_lines

    given = {"train": train, "val": val, "test": test}
    shares = {name: share or 0.0 for name, share in given.items()}
    asked = shares if any(share is not None for share in given.values()) else None
    with Corpus(path, wait=wait) as corpus:
        done = corpus.split(
            asked,
            stratify=stratify,
            seed=seed,
            again=again,
            listen=listen,
            dry_run=dry_run,
            progress=not quiet,
        )
    told = {"path": str(path), "dry_run": dry_run, **done.to_json()}
    echo(json_text(told) if as_json else "\n".join(division_lines(path, done, dry_run=dry_run)))
