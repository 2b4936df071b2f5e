"""The card of a dataset: the README that people read first, and the Croissant description that programs read.

Both tell only what the dataset tells of itself, so they are the same wherever and whenever they are written: no dates,
no folders and no users of the machine. What presets and plugins say is shown as text, never as Markdown or HTML.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from tonesmith.buckets.address import BucketPath
from tonesmith.card import croissant
from tonesmith.card.readme import MARKER, readme
from tonesmith.card.source import CardSource
from tonesmith.dataset.beside import named, write_beside
from tonesmith.dataset.reader import Dataset
from tonesmith.dataset.report import report
from tonesmith.document import read_plain
from tonesmith.errors import DatasetError, TonesmithError
from tonesmith.host.registry import Host
from tonesmith.host.roles import Sink
from tonesmith.terminal.messages import warn

_HEAD = 1 << 20
"""Bytes in which the marker of a README stands: its YAML head is before it."""

_TRIES = 4
"""Until a README tells the size that it has: a digit more or less changes it."""


def write_card(path: Path, dataset: Dataset) -> None:
    """Write README.md and croissant.json into a dataset's folder; beside a dataset that is one file.

    Nothing is written where nothing is: for a file that is not joined yet, or a sink that stores elsewhere.
    A file that is there and that tonesmith did not write is left as it is. Each file is written whole or not at all,
    and not touched where nothing has changed.

    Args:
        path: of the dataset.
        dataset: that is there.

    Raises :class:`DatasetError` if a file cannot be written, such as a link, or a plugin fails to tell of itself.
    """
    place = named(path)
    if not place.exists():
        return
    try:
        _write(place, dataset, Host.load())
    except TonesmithError:
        raise
    except OSError as error:
        raise DatasetError(f"could not write the card of {path}: {error.strerror or error}") from error
    except Exception as error:  # a plugin that fails here must not fail a run that is through
        raise DatasetError(f"could not write the card of {path}: {type(error).__name__}: {error}") from error


def _write(path: Path, dataset: Dataset, host: Host) -> None:
    text, description = card_files(path)
    inside = text.parent == path
    data = max(0, dataset.nbytes - inside * (_size(text) + _size(description)))
    card = CardSource(path, dataset, {**report(dataset), "nbytes": data}, _sink(path, dataset, host), host)
    known = _read(description)
    if known is None or croissant.is_ours(known):
        kept = croissant.kept(known or b"")
        _renew(description, _encoded(croissant.written(card, kept, single=not path.is_dir())))
    if _is_ours(text):
        _renew(text, _readme(card, data + inside * _size(description), inside=inside))


def _readme(card: CardSource, rest: int, *, inside: bool) -> bytes:
    """Return the README, which tells the size of the dataset with itself, if it is inside.

    Args:
        card: what it tells of.
        rest: bytes of all else.
        inside: whether it is a file of the dataset, and not one beside it.
    """
    nbytes, content = rest, b""
    for _ in range(_TRIES):
        content = _encoded(readme(replace(card, report={**card.report, "nbytes": nbytes})))
        whole = rest + inside * len(content)
        if whole == nbytes:
            break
        nbytes = whole
    return content


def renew_card(path: Path, dataset: Dataset) -> None:
    """Write the card, or warn that it cannot be written: a dataset is whole without it."""
    try:
        write_card(path, dataset)
    except TonesmithError as error:
        warn(f"{error}. The dataset itself is whole.")


def card_files(path: Path) -> tuple[Path, Path]:
    """Return where the README and the Croissant description of a dataset are."""
    if path.is_dir():
        return path / "README.md", path / "croissant.json"
    return path.with_name(f"{path.name}.md"), path.with_name(f"{path.name}.croissant.json")


def _sink(path: Path, dataset: Dataset, host: Host) -> type[Sink[Any]]:
    """Return the sink that the dataset is stored by: that of its plan, unless it was converted."""
    sinks = host.sinks()
    named = sinks.get(dataset.plan.sink.name)
    if named is not None and named.recognises(path):
        return named
    return next((sink for sink in sinks.values() if sink.recognises(path)), named or Sink)


def _is_ours(path: Path) -> bool:
    content = _read(path)
    return content is None or MARKER.encode() in content[:_HEAD].splitlines()


def _read(path: Path) -> bytes | None:
    """Return what a file holds; None if nothing is there."""
    try:
        return read_plain(path)
    except FileNotFoundError:
        return None


def _encoded(text: str) -> bytes:
    # A file's name may hold bytes that are no text; JSON and Python read them back from this spelling
    return text.encode("utf-8", "backslashreplace")


def _size(path: Path) -> int:
    try:
        return (path.store.size(path.key) or 0) if isinstance(path, BucketPath) else path.lstat().st_size
    except OSError:
        return 0


def _renew(path: Path, content: bytes) -> None:
    """Write a file, or leave it alone if it holds just that."""
    if _read(path) != content:
        write_beside(path, content)
