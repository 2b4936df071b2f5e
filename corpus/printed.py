"""What ``tonesmith corpus`` prints, as a person reads it."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from tonesmith.errors import ConfigError
from tonesmith.terminal.table import table
from tonesmith.terminal.text import counted, one_line

if TYPE_CHECKING:
    from tonesmith.corpus.adding import Added
    from tonesmith.corpus.annotating import Told
    from tonesmith.corpus.repairing import Repaired

_SHOWN: Final = 20
"""Files that are named one by one."""


def set_options(words: Sequence[str] | None) -> dict[str, dict[str, Any]]:
    """Return the options that ``--set NAME.OPTION=VALUE`` states. A value is read as TOML, or else is text."""
    options: dict[str, dict[str, Any]] = {}
    for word in words or ():
        key, equals, text = word.partition("=")
        name, dot, option = key.strip().partition(".")
        if not (equals and dot and name and option):
            raise ConfigError(f"--set: {word!r} is not NAME.OPTION=VALUE, such as table.path=labels.csv.")
        options.setdefault(name, {})[option] = _toml(text)
    return options


def _toml(text: str) -> Any:
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text


def added_lines(path: Path, done: Added, count: int, *, dry_run: bool) -> Iterator[str]:
    """Yield what became of the files that were to be added."""
    would = "would be " if dry_run else ""
    yield f"{path}: {counted(len(done.items), 'item')} {would}added, {counted(count, 'item')} in all"
    if done.completed:
        yield f"  {counted(len(done.completed), 'item')} {would}completed with a second medium"
    if done.known:
        yield f"  {counted(done.known, 'file')} added before"
    if done.others:
        yield f"  {counted(done.others, 'file')} of other kinds left alone"
    yield from _listed("the same as an item that is there, kept once", done.duplicates)
    yield from _listed("with something put right", {name: " ".join(told) for name, told in done.remarks.items()})
    yield from _listed("refused", done.refused)


def annotated_lines(path: Path, told: Mapping[str, Told], count: int) -> Iterator[str]:
    """Yield what annotators said."""
    yield f"{path}: {counted(count, 'item')}"
    rows = []
    for name, one in told.items():
        said = ", ".join(f"{label} of {number:,}" for label, number in sorted(one.said.items())) or "nothing"
        rows.append((name, f"{one.items:,}", f"{one.done:,}", f"{one.silent:,}", said))
    yield from table(("annotator", "asked", "before", "silent", "said"), rows)
    for name, one in told.items():
        yield from _listed(f"of which {name} said what is not allowed, or failed", one.refused, "item")


def repaired_lines(path: Path, done: Repaired, *, dry_run: bool) -> Iterator[str]:
    """Yield what a corpus was repaired from."""
    sources = {"backup": "its backup", "files": "its manifest and its files"}
    if done.source == "whole":
        yield f"{path}: nothing is damaged"
    elif dry_run:
        yield f"{path}: would be repaired from {sources[done.source]}"
    else:
        yield f"{path}: repaired from {sources[done.source]}, {counted(done.items, 'item')}"
        yield "What was changed after that was written is lost."
        yield f"The damaged file is kept: {done.aside}" if done.aside else "There was no damaged file to keep."
    if done.adopted:
        yield f"  {counted(done.adopted, 'item')} made of files that no item had"
    yield from _listed("refused", done.refused)


def _listed(what: str, files: Mapping[str, str], kind: str = "file") -> Iterator[str]:
    if not files:
        return
    yield f"  {counted(len(files), kind)} {what}:"
    for name, told in list(files.items())[:_SHOWN]:
        yield f"    {one_line(name)}: {one_line(told, 200)}"
    if len(files) > _SHOWN:
        yield f"    and {len(files) - _SHOWN:,} more; --json lists all"
