"""Scores of a composer as MIDI files in a folder, with a table of their annotations, without any synth."""

from __future__ import annotations

import csv
import io
import json
import math
import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from tonesmith.buckets.address import is_remote
from tonesmith.document import read_plain
from tonesmith.errors import ConfigError, RunError, TonesmithError
from tonesmith.host.roles import Composed, Composer
from tonesmith.score.writer import midi_of
from tonesmith.terminal.text import json_escaped

TABLE: Final = "annotations.csv"
RECIPE: Final = "recipe.json"
_OWN_COLUMNS: Final = ("file", "index", "seconds", "notes", "score")
_SETTINGS: Final = ("composer", "options", "seed", "seconds")
"""What a recipe must agree in, so that its scores are the same."""


@dataclass(frozen=True, slots=True)
class Written:
    """What :func:`write_scores` did.

    Attributes:
        path: the folder.
        scores: MIDI files that it was to have.
        written: of them, those that were not there.
        nbytes: of all of them.
        out: the table.
    """

    path: Path
    scores: int
    written: int
    nbytes: int
    out: Path

    def to_json(self) -> dict[str, Any]:
        """Return it as ``--json`` tells it."""
        return {
            "path": str(self.path),
            "out": str(self.out),
            "scores": self.scores,
            "written": self.written,
            "nbytes": self.nbytes,
        }


@dataclass(frozen=True, slots=True)
class _Made:
    """A score as it is written: its name, the bytes of its MIDI file, and its row of the table."""

    name: str
    content: bytes
    row: tuple[str, ...]


def number_of(composer: Composer[Any], wanted: int | None, usual: int) -> int:
    """Return how many scores to write: as many as are wanted, else a whole list, else what is usual.

    Raises :class:`ConfigError` for more than a list has.
    """
    collected = composer.collected()
    if collected is None:
        return usual if wanted is None else wanted
    if wanted is not None and wanted > len(collected):
        raise ConfigError(f"-n {wanted}: the composer {composer.name!r} has {len(collected)} scores here.")
    return len(collected) if wanted is None else wanted


def write_scores(
    composer: Composer[Any],
    scores: int,
    folder: Path,
    *,
    made_by: str,
    force: bool = False,
    counted: Callable[[int], object] = lambda _: None,
) -> Written:
    """Write the first scores of a composer, a MIDI file each, and the table of their annotations.

    A file that is there with the same bytes is left as it is, so a call goes on where another was interrupted, and one
    with more scores adds to them. Nothing is written if a file is there that would be another.

    Args:
        composer: that composes.
        scores: how many, from index 0 on.
        folder: where they go. It is made if need be.
        made_by: distribution and version of the composer, for the recipe.
        force: whether to replace what is there with other bytes, and to remove the scores of another recipe.
        counted: told of each score that is done, with 1.

    Raises :class:`ConfigError` for a folder that cannot be used, and :class:`RunError` for a composer that fails or a
    file that cannot be written.
    """
    recipe = _recipe(composer, made_by)
    there = _names(folder)
    stale = _check_recipe(folder, recipe, there, force=force)
    compared = {} if force else _compared(composer, scores, folder, there, counted)
    for name in stale:
        _removed(folder / name)
    _write(folder / RECIPE, (json_escaped(json.dumps(recipe, indent=2)) + "\n").encode())
    rows, written, nbytes = [], 0, 0
    for index in range(scores):
        made = compared.get(index) or _made(composer, index)
        if index not in compared:
            written += _write(folder / made.name, made.content)
            counted(1)
        rows.append(made.row)
        nbytes += len(made.content)
    table = _table(composer, rows)
    if not _begins(folder / TABLE, table) or force:
        _write(folder / TABLE, table)
    return Written(folder, scores, written, nbytes, folder / TABLE)


def _names(folder: Path) -> set[str]:
    """Return what is in a folder; nothing if there is none yet."""
    if is_remote(folder):
        raise ConfigError(f"{folder} is in a bucket. Name a folder on this machine, and copy it from there.")
    try:
        return set(os.listdir(folder))  # noqa: PTH208 - names are wanted, not paths
    except FileNotFoundError:
        return set()
    except OSError as error:
        raise ConfigError(f"{folder} cannot be used: {error.strerror}. Name another folder with -o DIR.") from None


def _recipe(composer: Composer[Any], made_by: str) -> dict[str, Any]:
    return {
        "composer": composer.name,
        "made_by": made_by,
        "options": composer.options.model_dump(mode="json"),
        "seed": composer.seed,
        "seconds": composer.seconds,
        "fields": [field.to_json() for field in composer.fields()],
    }


def _check_recipe(folder: Path, recipe: Mapping[str, Any], there: set[str], *, force: bool) -> list[str]:
    """Return the scores of another recipe that must go. Raises :class:`ConfigError` if they may not."""
    if RECIPE not in there:
        return []
    before = _read_recipe(folder / RECIPE)
    if all(before.get(key) == recipe[key] for key in _SETTINGS):
        return []
    if not force:
        raise ConfigError(
            f"{folder} has scores that were composed otherwise: {_difference(before, recipe)}. "
            "Name another folder with -o DIR, or replace them with --force."
        )
    ours = re.compile(rf"{re.escape(str(before.get('composer')))}-\d{{6,}}\.mid")
    return [name for name in there if ours.fullmatch(name)]


def _read_recipe(path: Path) -> dict[str, Any]:
    with suppress(OSError, ValueError):
        told = json.loads(read_plain(path))
        if isinstance(told, dict):
            return told
    return {}


def _difference(before: Mapping[str, Any], recipe: Mapping[str, Any]) -> str:
    """Return in a few words in what two recipes differ."""
    if before.get("composer") != recipe["composer"]:
        return f"by {str(before.get('composer'))[:40]!r}"
    options = before.get("options")
    then = options if isinstance(options, dict) else {}
    pairs = [(f"composer.{k}", then.get(k), v) for k, v in recipe["options"].items()]
    pairs += [(key, before.get(key), recipe[key]) for key in ("seed", "seconds")]
    told = [f"{key} {json.dumps(old)[:60]}, not {json.dumps(new)[:60]}" for key, old, new in pairs if old != new]
    return "; ".join(told) or "with other options"


def _compared(
    composer: Composer[Any], scores: int, folder: Path, there: set[str], counted: Callable[[int], object]
) -> dict[int, _Made]:
    """Return the scores that are there already. Raises :class:`ConfigError` for a file that differs from its score."""
    found = {}
    for index in range(scores):
        if _name(composer, index) in there:
            made = _made(composer, index)
            _check_same(folder / made.name, made.content)
            found[index] = made
            counted(1)
    table = _table(composer, [made.row for made in found.values()])
    if TABLE in there and len(found) == scores and not _begins(folder / TABLE, table, also_longer=True):
        raise ConfigError(f"{folder / TABLE} is another table. Move it away, or replace it with --force.")
    return found


def _check_same(path: Path, content: bytes) -> None:
    try:
        same = path.stat().st_size == len(content) and read_plain(path) == content
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror}.") from None
    if not same:
        raise ConfigError(f"{path} is another file. Name another folder with -o DIR, or replace it with --force.")


def _begins(path: Path, table: bytes, *, also_longer: bool = False) -> bool:
    """Return whether a file holds a table, and perhaps more rows; with ``also_longer``, or the first of its rows."""
    try:
        content = read_plain(path)
    except OSError:
        return False
    return content.startswith(table) or (also_longer and table.startswith(content))


def _name(composer: Composer[Any], index: int) -> str:
    return f"{composer.name}-{index:06d}.mid"


def _made(composer: Composer[Any], index: int) -> _Made:
    try:
        composed = composer.compose(index)
        content = midi_of(composed.score)
    except TonesmithError:
        raise
    except Exception as error:
        told = f"{type(error).__name__}: {error}"
        raise RunError(f"the composer {composer.name!r} failed at score {index}: {told}") from error
    name = _name(composer, index)
    return _Made(name, content, tuple(_cells(composer, composed, name, index)))


def _cells(composer: Composer[Any], composed: Composed, name: str, index: int) -> Iterator[str]:
    score = composed.score
    yield from (name, str(index), f"{score.duration:.6f}", str(len(score)), score.digest)
    yield from (_cell(composed.annotations[field.name]) for field in composer.fields())
    yield composed.source


def _cell(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if isinstance(value, float) and math.isnan(value) else str(value)


def _table(composer: Composer[Any], rows: Sequence[Sequence[str]]) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([*_OWN_COLUMNS, *(field.name for field in composer.fields()), "source"])
    writer.writerows(rows)
    return text.getvalue().encode()


def _write(path: Path, content: bytes) -> int:
    """Write a file as a whole, so that none is ever cut off. Returns 1; 0 if it is there with the same bytes."""
    with suppress(OSError):
        if path.stat().st_size == len(content) and read_plain(path) == content:
            return 0
    aside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with aside.open("xb") as file:
            file.write(content)
        aside.replace(path)
    except OSError as error:
        raise RunError(f"{path} cannot be written: {error.strerror}.") from None
    finally:
        with suppress(OSError):
            aside.unlink()
    return 1


def _removed(path: Path) -> None:
    with suppress(FileNotFoundError):
        path.unlink()
