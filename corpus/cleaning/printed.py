"""What ``tonesmith corpus sanitise`` prints, as a person reads it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from tonesmith.terminal.table import table
from tonesmith.terminal.text import counted, one_line

if TYPE_CHECKING:
    from tonesmith.corpus.cleaning.sanitising import Sanitised

_SHOWN: Final = 20


def sanitised_lines(path: Path, done: Sanitised, *, dry_run: bool) -> Iterator[str]:
    """Yield what was taken out, and why."""
    would = "would be " if dry_run else ""
    yield f"{path}: {counted(len(done.removed), 'item')} {would}removed, {counted(done.items, 'item')} in all"
    yield f"  {counted(done.measured, 'file')} measured now"
    if done.kept:
        yield f"  {counted(done.kept, 'item')} with a fault kept, since you restored them"
    for item, fault in list(done.removed.items())[:_SHOWN]:
        yield f"  {one_line(item)}: {fault.reason}: {one_line(fault.told, 200)}"
    if len(done.removed) > _SHOWN:
        yield f"  and {len(done.removed) - _SHOWN:,} more; --json lists all"
    for name, told in list(done.missing.items())[:_SHOWN]:
        yield f"  {one_line(name)} cannot be read ({told}): copy the original there"
    if done.removed and not dry_run:
        yield f"They are in {path / 'removed'}. Bring one back: tonesmith corpus sanitise {path} --restore ITEM"


def restored_lines(path: Path, items: Sequence[str], *, dry_run: bool) -> Iterator[str]:
    """Yield what was brought back."""
    yield f"{path}: {counted(len(items), 'item')} {'would be ' if dry_run else ''}restored"
    yield from (f"  {one_line(item)}" for item in items[:_SHOWN])


def removed_lines(path: Path, every: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Yield everything that was taken out of a corpus."""
    yield f"{path}: {counted(len(every), 'item')} removed"
    rows = [(one_line(one["item"], 40), one["reason"], one_line(one["told"], 200)) for one in every]
    if rows:
        yield from table(("item", "reason", "what is wrong"), rows)
