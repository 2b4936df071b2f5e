"""``tonesmith vita``: catalogs of wavetables."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tonesmith.terminal.messages import echo
from tonesmith.terminal.text import json_text

if TYPE_CHECKING:
    from tonesmith.backends.vita.wavetable_scan import Progress, Scan
    from tonesmith.backends.vita.wavetables import Catalog, Wavetable

_SHOWN = 20

Json = Annotated[bool, typer.Option("--json", help="Print only JSON.")]


def vita_app() -> typer.Typer:
    """Return the sub-app."""
    app = typer.Typer(
        help="Vital: make wavetable catalogs.",
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        rich_markup_mode="rich",
    )
    wavetables = typer.Typer(
        help="Make a catalog of the wavetables in presets, for patches to choose from.",
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        rich_markup_mode="rich",
    )
    wavetables.command("scan", epilog="tonesmith vita wavetables scan ~/Music/Vital -o catalog")(_scan)
    wavetables.command("list", epilog="tonesmith vita wavetables list catalog")(_list)
    app.add_typer(wavetables, name="wavetables")
    return app


def _scan(
    folders: Annotated[
        list[str],
        typer.Argument(metavar="FOLDERS...", help="Folders, files and globs of presets and .vitaltable files."),
    ],
    out: Annotated[
        Path,
        typer.Option("--out", "-o", metavar="CATALOG", help="Folder of the catalog. An existing catalog is extended."),
    ],
    workers: Annotated[
        int, typer.Option(min=0, max=64, metavar="INT", help="Engine processes. 0 means one per CPU core.")
    ] = 0,
    previews: Annotated[
        bool, typer.Option("--previews/--no-previews", help="Draw a picture of each wavetable, as SVG.")
    ] = True,
    as_json: Json = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Hide progress.")] = False,
) -> None:
    """Collect the wavetables in presets, without duplicates.

    Then let patches choose from them: tonesmith generate --backend.wavetables CATALOG OUT.
    Scan again to add more. A preset that was scanned before does not count twice.
    """
    from tonesmith.backends.vita.wavetable_scan import scan
    from tonesmith.engine.machine import cores

    with _progress(hidden=quiet) as progress:
        done = scan(folders, out, workers=workers or cores(), pictures=previews, progress=progress)
    if as_json:
        echo(json_text(_told(done)))
    else:
        echo("\n".join(_scan_lines(done)))
    if not done.read:
        raise typer.Exit(1)


def _list(
    catalog: Annotated[Path, typer.Argument(metavar="CATALOG", help="Folder of the catalog.")],
    as_json: Json = False,
) -> None:
    """List the wavetables of a catalog, the most used first.

    The names are the choices of osc_N_wavetable. Wavetables of the same name also show part of their SHA-256.
    """
    from tonesmith.backends.vita.wavetables import Catalog

    opened = Catalog.open(catalog)
    if as_json:
        echo(json_text({"path": str(catalog), "wavetables": [_described(t) for t in _by_use(opened)]}))
    else:
        echo("\n".join([*_table(_by_use(opened)), "", _total(opened)]))


def _described(table: Wavetable) -> dict[str, object]:
    told = asdict(table)
    return {"nbytes": told.pop("bytes"), **told}


def _by_use(catalog: Catalog) -> list[Wavetable]:
    return sorted(catalog.wavetables, key=lambda table: -table.presets)


def _table(tables: Iterable[Wavetable]) -> list[str]:
    from tonesmith.terminal.table import table

    heads = ("wavetable", "presets", "KiB", "keyframes", "used by")
    rows = [(t.choice, str(t.presets), f"{t.bytes / 1024:.1f}", str(t.keyframes), _users(t)) for t in tables]
    return table(heads, rows)


def _users(table: Wavetable) -> str:
    more = table.presets - 1
    return "".join(table.used_by[:1]) + (f" and {more} more" if more > 0 else "")


def _total(catalog: Catalog) -> str:
    from tonesmith.terminal.text import counted, size

    count = counted(len(catalog.entries), "wavetable")
    presets = counted(sum(source.kind == "preset" for source in catalog.sources.values()), "preset")
    return f"{catalog.path}: {count}, {size(sum(t.bytes for t in catalog.wavetables))}, from {presets}"


def _scan_lines(done: Scan) -> Iterator[str]:
    from tonesmith.backends.vita.wavetable_index import plain
    from tonesmith.terminal.text import counted

    tables = _by_use(done.catalog)
    yield from _table(tables[:_SHOWN])
    if len(tables) > _SHOWN:
        yield f"and {len(tables) - _SHOWN} more: tonesmith vita wavetables list {done.catalog.path}"
    yield ""
    yield _total(done.catalog)
    yield f"  files     {done.files} looked at, {done.read} read, {done.copies} copies, {len(done.refused)} refused"
    yield f"  added     {counted(done.added, 'wavetable')}"
    undrawn = f", {done.undrawn} could not be played" if done.undrawn else ""
    yield f"  pictures  {done.pictures} drawn{undrawn}"
    for item in done.refused[:_SHOWN]:
        yield f"  refused   {plain(item.place, 1000)}: {plain(item.reason, 300)}"
    if len(done.refused) > _SHOWN:
        yield f"  and {len(done.refused) - _SHOWN} more; --json lists all"


def _told(done: Scan) -> dict[str, object]:
    return {
        "path": str(done.catalog.path),
        "wavetables": len(done.catalog.entries),
        "nbytes": sum(table.bytes for table in done.catalog.wavetables),
        "presets": sum(source.kind == "preset" for source in done.catalog.sources.values()),
        "files": done.files,
        "read": done.read,
        "copies": done.copies,
        "added": done.added,
        "pictures": done.pictures,
        "undrawn": done.undrawn,
        "refused": [{"path": str(r.path), "member": r.member, "reason": r.reason} for r in done.refused],
    }


@contextmanager
def _progress(*, hidden: bool) -> Iterator[Progress]:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, disable=hidden or not console.is_terminal, transient=True) as bars:
        tasks = {what: bars.add_task(what, total=None, visible=False) for what in ("reading", "drawing")}
        yield lambda what, done, total: bars.update(tasks[what], completed=done, total=total, visible=True)
