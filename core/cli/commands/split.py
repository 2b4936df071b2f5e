"""``tonesmith split``: divide the rows into training, validation and test."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from tonesmith.cli.options import Json, Quiet
from tonesmith.errors import ConfigError
from tonesmith.host.registry import Host
from tonesmith.terminal.messages import echo, warn
from tonesmith.terminal.text import json_text, one_line

if TYPE_CHECKING:
    from tonesmith.dataset.reader import Dataset
    from tonesmith.dataset.splits import Splits
    from tonesmith.host.roles import Reader
    from tonesmith.transfer.blocks import Damaged

_SHOWN = 20

_SHARE: dict[str, Any] = {"min": 0.0, "max": 1.0, "metavar": "SHARE"}


def split(  # noqa: PLR0913, PLR0917 - Typer makes a flag of each
    dataset: Annotated[Path, typer.Argument(metavar="DATASET", help="Path of the dataset, or of a corpus.")],
    train: Annotated[
        float | None, typer.Option("--train", help="Share for training.", show_default="0.8", **_SHARE)
    ] = None,
    val: Annotated[
        float | None, typer.Option("--val", help="Share for validation.", show_default="0.1", **_SHARE)
    ] = None,
    test: Annotated[float | None, typer.Option("--test", help="Share for test.", show_default="0.1", **_SHARE)] = None,
    by: Annotated[
        Literal["patch", "preset", "score"] | None,
        typer.Option(
            "--by",
            help="What stays in one split: the rows of a patch, a preset with everything made from it, or a score "
            "with all of its file.",
            show_default="patch",
        ),
    ] = None,
    stratify: Annotated[
        str | None,
        typer.Option(
            "--stratify",
            metavar="NAME",
            help="Keep the shares within each sampler: origin; of a corpus, within each value of a label.",
        ),
    ] = None,
    seed: Annotated[
        int | None, typer.Option("--seed", min=0, metavar="N", help="Random seed of the split.", show_default="0")
    ] = None,
    crossing: Annotated[
        Literal["join", "drop"] | None,
        typer.Option(
            "--crossing",
            help="What to do with presets that were bred together: join them in one split, or drop the rows bred "
            "from two splits.",
            show_default="join",
        ),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Split again, although rows move between splits.")] = False,
    remove: Annotated[bool, typer.Option("--remove", help="Remove the splits.")] = False,
    finish: Annotated[
        bool, typer.Option("--finish", help="Finish an interrupted division into files, with its own settings.")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show the result and store nothing.")] = False,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Divide a dataset into training, validation and test, so that nothing leaks from one to another.

    The splits are stored with the dataset and also hold for rows added later.
    If a block is damaged, the others are divided and the exit code is 1.
    A corpus is divided as by `tonesmith corpus split`: 0.7, 0.15 and 0.15, families together, by its classes.
    """
    from tonesmith.dataset.opening import open_dataset
    from tonesmith.dataset.splits import DEFAULT_SHARES, Splits, splits_of
    from tonesmith.host.readers import reader_at

    typed = {"train": train, "val": val, "test": test}
    if finish and (remove or force):
        raise ConfigError(f"--finish cannot be combined with --{'remove' if remove else 'force'}")
    if reader := reader_at(dataset):
        given = {**typed, "by": by, "stratify": stratify, "seed": seed, "crossing": crossing}
        switches = {"force": force, "remove": remove, "finish": finish}
        _hand_over(reader, dataset, {**given, **switches}, dry_run=dry_run, as_json=as_json)
        return
    opened, how = open_dataset(dataset), _How(dry_run=dry_run, as_json=as_json, quiet=quiet)
    asked = splits_of(opened.attributes, dataset) if finish else None
    if remove or (finish and asked is None):
        _remove(dataset, opened, how)
        return
    shares = {name: DEFAULT_SHARES[name] if share is None else share for name, share in typed.items()}
    asked = asked or Splits(shares, by or "patch", stratify or "", seed or 0, crossing or "join")
    _divide(dataset, opened, asked, how, force=force)


def _hand_over(
    reader: type[Reader[Any]], path: Path, asked: Mapping[str, Any], *, dry_run: bool, as_json: bool
) -> None:
    """Let what opens a corpus divide it, and print what it says."""
    typed = {name: value for name, value in asked.items() if value is not None and value is not False}
    done = reader.split(path, typed, dry_run=dry_run)
    echo(json_text(dict(done.told)) if as_json else "\n".join(done.lines))


@dataclass(frozen=True)
class _How:
    """Whether to store the splits, and how to print them."""

    dry_run: bool
    as_json: bool
    quiet: bool


def _divide(path: Path, opened: Dataset, asked: Splits, how: _How, *, force: bool) -> None:
    from tonesmith.transfer.divide import account
    from tonesmith.transfer.split import decided, of_sound_rows

    def decide(rows: Dataset) -> tuple[Splits, bool, dict[str, dict[str, Any]]]:
        splits, done = decided(path, rows, asked, force=force, refuse=not how.dry_run)
        return splits, done, account(rows, splits)

    (splits, done, told), damaged = of_sound_rows(opened, decide)
    if not (done or how.dry_run):
        damaged = _store(path, opened, splits, how, damaged)
    state = "unchanged" if done else "not stored" if how.dry_run else "stored"
    settings = {**splits.settings, "shares": dict(splits.shares), "state": state, "splits": told}
    for name, share in splits.shares.items():
        if share and not told[name]["rows"]:
            kind = {"preset": "presets", "score": "scores"}.get(splits.by, "patches")
            warn(f"the split {name} is empty: there are too few {kind}")
    _say(path, settings, _lines(path, splits, told, state), damaged, how)


def _remove(path: Path, opened: Dataset, how: _How) -> None:
    from tonesmith.dataset.splits import UNFINISHED

    there = bool({"splits", UNFINISHED} & set(opened.attributes))
    damaged = _store(path, opened, None, how, {}) if there and not how.dry_run else {}
    state = "unchanged" if not there else "not stored" if how.dry_run else "removed"
    said = {"unchanged": "is not split", "not stored": "its splits would be removed", "removed": "is no longer split"}
    _say(path, {"state": state}, [f"{path}: {said[state]}"], damaged, how)


def _store(
    path: Path, opened: Dataset, splits: Splits | None, how: _How, damaged: Mapping[int, Damaged]
) -> dict[int, Damaged]:
    """Store or remove splits, and return the damaged blocks, those already known included."""
    from tonesmith.card.card import renew_card
    from tonesmith.dataset.opening import open_dataset
    from tonesmith.dataset.splits import UNFINISHED, finishing
    from tonesmith.transfer.listening import listening
    from tonesmith.transfer.split import store

    try:
        with listening(f"dividing {path.name}", hidden=how.quiet) as listener:
            found = {**damaged, **store(path, opened, splits, Host.load(), listener)}
    except KeyboardInterrupt:
        if UNFINISHED in open_dataset(path).attributes:
            echo(f"tonesmith: interrupted: {finishing(path)}", err=True)
        raise
    renew_card(path, open_dataset(path).without(found))
    return found


def _say(path: Path, told: Mapping[str, Any], lines: Iterable[str], damaged: Mapping[int, Damaged], how: _How) -> None:
    """Print what was done, and exit with 1 if blocks were damaged."""
    if how.as_json:
        echo(json_text({"path": str(path), **told, "damaged": [asdict(found) for found in damaged.values()]}))
    else:
        echo("\n".join([*lines, *_damage_lines(path, list(damaged.values()))]))
    if damaged:
        raise typer.Exit(1)


def _damage_lines(path: Path, damaged: list[Damaged]) -> Iterator[str]:
    from tonesmith.dataset.opening import open_dataset
    from tonesmith.dataset.splits import UNFINISHED, finishing

    for found in damaged[:_SHOWN]:
        yield f"left out: {one_line(found.what, 1000)}"
    if len(damaged) > _SHOWN:
        yield f"and {len(damaged) - _SHOWN} more; --json lists all"
    if damaged and UNFINISHED in open_dataset(path).attributes:
        yield f"Once they are repaired, {finishing(path)}"


def _lines(path: Path, splits: Splits, told: Mapping[str, Mapping[str, Any]], state: str) -> Iterable[str]:
    from tonesmith.dataset.splits import LEFT_OUT
    from tonesmith.terminal.table import table
    from tonesmith.terminal.text import counted

    total = {key: sum(part[key] for part in told.values()) for key in ("patches", "rows", "presets")}
    of = "" if splits.by == "score" else f" of {counted(total['patches'], 'patch', 'patches')}"
    yield f"{path}: {counted(total['rows'], 'row')}{of}, by {splits.by}, seed {splits.seed}"
    left = told[LEFT_OUT]
    shown = [name for name in told if name != LEFT_OUT or left["rows"]]
    origins = [name for name in splits.origins if splits.stratify and any(p["origins"][name] for p in told.values())]
    kind = {"preset": "presets", "score": "scores"}.get(splits.by, "")
    heads = [
        "split",
        "asked",
        "patches",
        "share",
        "rows",
        *([kind] if kind else []),
        *(f"in {name}" for name in origins),
    ]
    yield from table(heads, [_cells(name, told, origins, kind) for name in shown])
    if left["rows"]:
        yield f"{LEFT_OUT}: rows in no split; their patches were bred from presets of two splits."
    if total["presets"] and not kind and state != "unchanged":
        yield "Rows come from presets: --by preset keeps each with everything made from it."
    yield {
        "stored": "The splits are stored with the dataset.",
        "not stored": "Nothing was stored.",
        "unchanged": "Already split this way; nothing changed.",
    }[state]


def _cells(name: str, told: Mapping[str, Mapping[str, Any]], origins: Iterable[str], kind: str) -> list[str]:
    from tonesmith.dataset.splits import LEFT_OUT

    part = told[name]
    share = _share(part["rows"], (p["rows"] for p in told.values()))
    shares = [_share(part["origins"][o], (p["origins"][o] for p in told.values())) for o in origins]
    counts = [str(part["rows"]), *([str(part[kind])] if kind else [])]
    asked = "" if name == LEFT_OUT else f"{part['share']:.4g}"
    return [name, asked, str(part["patches"]), share, *counts, *shares]


def _share(count: int, counts: Iterable[int]) -> str:
    total = sum(counts)
    return f"{count / total:.1%}" if total else "-"
