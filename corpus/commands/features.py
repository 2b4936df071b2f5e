"""``tonesmith corpus features``: what is computed of the scores and recordings of a corpus."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tonesmith.corpus.commands.options import WAIT, DryRun, Json, PathArgument, Quiet, Wait, Workers, names_of
from tonesmith.errors import ConfigError
from tonesmith.terminal.messages import echo
from tonesmith.terminal.table import table
from tonesmith.terminal.text import counted, json_text, one_line, size

if TYPE_CHECKING:
    from tonesmith.corpus.featuring.making import Featured

_SHOWN = 20


def features(  # noqa: PLR0913, PLR0917 - a parameter for each flag
    path: PathArgument,
    add: Annotated[
        str, typer.Option("--add", metavar="NAMES", help="Compute these features, with commas.", show_default=False)
    ] = "",
    remove: Annotated[
        str, typer.Option("--remove", metavar="NAMES", help="Remove these features.", show_default=False)
    ] = "",
    again: Annotated[
        bool, typer.Option("--again", help="Compute those that are there again, and compare them bit for bit.")
    ] = False,
    options: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="NAME.OPTION=VALUE", help="Option of a feature. Repeat it for several."),
    ] = None,
    seconds: Annotated[
        float | None,
        typer.Option(
            "--seconds",
            min=0.01,
            max=21_600,
            metavar="SECONDS",
            help="Hear this much of recordings.",
            show_default="300",
        ),
    ] = None,
    workers: Workers = 0,
    trust: Annotated[bool, typer.Option("--trust", help="Run code that stored options of a feature name.")] = False,
    dry_run: DryRun = False,
    as_json: Json = False,
    quiet: Quiet = False,
    wait: Wait = WAIT,
) -> None:
    """List the features of a corpus, or compute some: of scores notes, harmony and groove; of recordings the others.

    What is there is left alone, until an item, the options or the version of a feature change.
    The exit code is 1 if one could not be computed of an item.
    """
    from tonesmith.corpus.corpus import Corpus
    from tonesmith.corpus.printed import set_options

    adding, removing = names_of(add), names_of(remove)
    if removing and (adding or again):
        raise ConfigError("--remove cannot be used with --add or --again. Remove first, then add.")
    if (options or seconds is not None) and not adding:
        raise ConfigError("--set and --seconds are of features that are added: name them with --add.")
    given = set_options(options)
    with Corpus(path, wait=wait) as corpus:
        if removing:
            _show_removed(path, corpus.remove_features(*removing, dry_run=dry_run), as_json=as_json, dry_run=dry_run)
            return
        if not (adding or again):
            _show_known(path, corpus.known_features(), len(corpus), as_json=as_json)
            return
        chosen: dict[str, Any] = {
            "options": given,
            "seconds": seconds,
            "again": again,
            "workers": workers,
            "trust": trust,
        }
        try:
            done = corpus.features(*adding, **chosen, dry_run=dry_run, progress=not quiet)
        except KeyboardInterrupt:
            echo("tonesmith: interrupted. What was computed is kept. Run the same command to resume.", err=True)
            raise typer.Exit(130) from None
        _show_made(path, done, len(corpus), as_json=as_json, dry_run=dry_run)
    if any(one.refused or one.changed for one in done.values()):
        raise typer.Exit(1)


def _show_removed(path: Path, gone: Mapping[str, int], *, as_json: bool, dry_run: bool) -> None:
    told = {"path": str(path), "dry_run": dry_run, "removed": gone}
    echo(json_text(told) if as_json else "\n".join(_removed_lines(path, gone, dry_run=dry_run)))


def _show_known(path: Path, found: Mapping[str, Any], count: int, *, as_json: bool) -> None:
    told = {"path": str(path), "items": count, "features": found}
    echo(json_text(told) if as_json else "\n".join(_listed_lines(path, found, count)))


def _show_made(path: Path, done: Mapping[str, Featured], count: int, *, as_json: bool, dry_run: bool) -> None:
    made = {name: one.to_json() for name, one in done.items()}
    told = {"path": str(path), "items": count, "dry_run": dry_run, "features": made}
    echo(json_text(told) if as_json else "\n".join(_made_lines(path, done, count, dry_run=dry_run)))


def _made_lines(path: Path, done: Mapping[str, Featured], count: int, *, dry_run: bool) -> Iterator[str]:
    yield f"{path}: {counted(count, 'item')}"
    if not done:
        yield "No feature is there to be computed again. Add one: --add notes"
        return
    rows = [
        (name, one.of, f"{one.items:,}", f"{one.done:,}", f"{one.without:,}", f"{len(one.refused):,}")
        for name, one in done.items()
    ]
    yield from table(("feature", "of", "to compute" if dry_run else "computed", "before", "without", "refused"), rows)
    for name, one in done.items():
        if one.cut:
            yield f"{name}: only the beginning of {counted(one.cut, 'recording')} is heard; --seconds says how much."
        if one.changed:
            yield f"{name}: {counted(len(one.changed), 'item')} differ from what was there: {_some(one.changed)}"
        for item, why in list(one.refused.items())[:_SHOWN]:
            yield f"  {one_line(item)}: {one_line(why, 200)}"
        if len(one.refused) > _SHOWN:
            yield f"  and {len(one.refused) - _SHOWN:,} more; --json lists all"


def _some(items: list[str]) -> str:
    more = f" and {len(items) - 3:,} more" if len(items) > 3 else ""
    return ", ".join(map(one_line, items[:3])) + more


def _listed_lines(path: Path, found: Mapping[str, Any], count: int) -> Iterator[str]:
    yield f"{path}: {counted(count, 'item')}, {counted(len(found), 'feature')}"
    rows = []
    for name, one in found.items():
        arrays = sorted({array["name"] for told in one["definitions"].values() for array in told["arrays"]})
        shown = ", ".join(arrays[:4]) + (f" and {len(arrays) - 4} more" if len(arrays) > 4 else "")
        rows.append((name, f"{one['items']:,}", size(one["nbytes"]), shown))
    if rows:
        yield from table(("feature", "items", "size", "holds"), rows)
    else:
        yield f"Compute some: tonesmith corpus features {path} --add notes,harmony,groove"


def _removed_lines(path: Path, gone: Mapping[str, int], *, dry_run: bool) -> Iterator[str]:
    for name, count in gone.items():
        yield f"{path}: {name} {'would be ' if dry_run else ''}removed from {counted(count, 'item')}"
