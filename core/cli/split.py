"""``tonesmith split``: which rows are for training, for validation, for the test."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from tonesmith.cli.options import Json, Quiet
from tonesmith.host import Host, warn

if TYPE_CHECKING:
    from tonesmith.dataset import Dataset
    from tonesmith.splits import Splits

_SHARE: dict[str, Any] = {"min": 0.0, "max": 1.0, "metavar": "SHARE"}


def split(  # noqa: PLR0913, PLR0917 - Typer makes a flag of each
    dataset: Annotated[Path, typer.Argument(metavar="DATASET", help="Path of the dataset.")],
    train: Annotated[float, typer.Option("--train", help="Share for training.", **_SHARE)] = 0.8,
    val: Annotated[float, typer.Option("--val", help="Share for validation.", **_SHARE)] = 0.1,
    test: Annotated[float, typer.Option("--test", help="Share for the test.", **_SHARE)] = 0.1,
    by: Annotated[
        Literal["patch", "preset"],
        typer.Option("--by", help="What stays together: the rows of a patch, or a preset with all that came from it."),
    ] = "patch",
    stratify: Annotated[
        Literal["origin"] | None,
        typer.Option("--stratify", help="Let the shares hold among the patches of each sampler."),
    ] = None,
    seed: Annotated[int, typer.Option("--seed", min=0, metavar="N", help="Another one divides otherwise.")] = 0,
    crossing: Annotated[
        Literal["join", "drop"],
        typer.Option(
            "--crossing",
            help="What becomes of presets that were bred with each other: they fall in one split, or what was bred "
            "from two splits falls in none.",
        ),
    ] = "join",
    force: Annotated[
        bool, typer.Option("--force", help="Split anew what is split, though rows move between splits.")
    ] = False,
    remove: Annotated[bool, typer.Option("--remove", help="Forget the splits.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would be, and store nothing.")] = False,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Divide a dataset into training, validation and test, so that nothing leaks from one to another.

    What is decided is stored with the dataset, and holds for the rows that are added to it later.
    """
    from tonesmith.dataset import open_dataset
    from tonesmith.splits import Splits
    from tonesmith.splitting import account, decided

    opened = open_dataset(dataset)
    if remove:
        _remove(dataset, opened, dry_run=dry_run, as_json=as_json, quiet=quiet)
        return
    asked = Splits({"train": train, "val": val, "test": test}, by, stratify or "", seed, crossing)
    splits, done = decided(dataset, opened, asked, force=force, refuse=not dry_run)
    told = account(opened, splits)
    if not (done or dry_run):
        _store(dataset, opened, splits, hidden=quiet or as_json)
    state = "unchanged" if done else "not stored" if dry_run else "stored"
    if as_json:
        typer.echo(json.dumps({**splits.settings, "shares": dict(splits.shares), "state": state, "splits": told}))
    else:
        typer.echo("\n".join(_lines(dataset, splits, told, state)))
    for name, share in splits.shares.items():
        if share and not told[name]["patches"]:
            warn(f"the split {name} is empty: there are too few {'patches' if by == 'patch' else 'presets'} for it")


def _remove(path: Path, opened: Dataset, *, dry_run: bool, as_json: bool, quiet: bool) -> None:
    from tonesmith.splitting import UNFINISHED

    there = bool({"splits", UNFINISHED} & set(opened.attributes))
    if there and not dry_run:
        _store(path, opened, None, hidden=quiet or as_json)
    state = "unchanged" if not there else "not stored" if dry_run else "removed"
    said = {"unchanged": "is not split", "not stored": "its splits would be removed", "removed": "is no longer split"}
    typer.echo(json.dumps({"state": state}) if as_json else f"{path}: {said[state]}")


def _store(path: Path, opened: Dataset, splits: Splits | None, *, hidden: bool) -> None:
    from tonesmith.card import renew_card
    from tonesmith.dataset import open_dataset
    from tonesmith.splitting import store

    rounds = 2 if splits is not None and "splits" in opened.attributes else 1  # put together, and divided otherwise
    with _progress(rounds * len(opened), hidden=hidden) as advance:
        store(path, opened, splits, Host.load(), advance)
    renew_card(path, open_dataset(path))


def _lines(path: Path, splits: Splits, told: Mapping[str, Mapping[str, Any]], state: str) -> Iterable[str]:
    from tonesmith.cli.plugins import table
    from tonesmith.splits import LEFT_OUT

    total = {key: sum(part[key] for part in told.values()) for key in ("patches", "rows")}
    yield f"{path}: {total['rows']} rows of {total['patches']} patches, by {splits.by}, seed {splits.seed}"
    kept = {name: part for name, part in told.items() if name != LEFT_OUT}
    origins = [name for name in splits.origins if splits.stratify and any(p["origins"][name] for p in kept.values())]
    presets = splits.by == "preset"
    heads = ["split", "asked", "patches", "share", "rows", *["presets"] * presets, *(f"in {name}" for name in origins)]
    yield from table(heads, [_cells(name, kept, origins, presets=presets) for name in kept])
    left = told[LEFT_OUT]
    if left["rows"]:
        yield f"{left['rows']} rows of {left['patches']} patches are in no split: bred from presets of two."
    yield {
        "stored": "The splits are stored with the dataset.",
        "not stored": "Nothing was stored.",
        "unchanged": "It was split so already; nothing changed.",
    }[state]


def _cells(name: str, kept: Mapping[str, Mapping[str, Any]], origins: Iterable[str], *, presets: bool) -> list[str]:
    part = kept[name]
    shares = [_share(part["patches"], (p["patches"] for p in kept.values()))]
    shares += [_share(part["origins"][o], (p["origins"][o] for p in kept.values())) for o in origins]
    counts = [str(part["rows"]), *([str(part["presets"])] if presets else [])]
    return [name, f"{part['share']:.4g}", str(part["patches"]), shares[0], *counts, *shares[1:]]


def _share(count: int, counts: Iterable[int]) -> str:
    total = sum(counts)
    return f"{count / total:.1%}" if total else "-"


@contextmanager
def _progress(total: int, *, hidden: bool) -> Iterator[Callable[[int], None]]:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    console = Console(stderr=True)
    columns = (TextColumn("dividing"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, disable=hidden or not console.is_terminal, transient=True) as progress:
        task = progress.add_task("", total=total)
        yield lambda rows: progress.advance(task, rows)
