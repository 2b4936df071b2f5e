"""What commands that make items print, as a person reads it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from tonesmith.corpus.printed import listed
from tonesmith.terminal.text import counted, one_line

if TYPE_CHECKING:
    from tonesmith.corpus.derive.augmenting import Augmented
    from tonesmith.corpus.derive.composing import Composing
    from tonesmith.corpus.derive.remaking import Remade
    from tonesmith.corpus.derive.rendering import RenderedScores


def augmented_lines(path: Path, done: Augmented, count: int, *, dry_run: bool) -> Iterator[str]:
    """Yield what became of the items that were augmented."""
    would = "would be " if dry_run else ""
    made = counted(len(done.items), "child", "children")
    yield f"{path}: {made} of {counted(done.parents, 'file')} {would}made, {counted(count, 'item')} in all"
    if done.known:
        yield f"  {counted(done.known, 'child', 'children')} made before"
    if done.relabelled:
        yield f"  {counted(done.relabelled, 'label')} of these {would}changed with those of their parents"
    if done.duplicates:
        yield f"  {counted(len(done.duplicates), 'child', 'children')} the same as other items, not kept twice"
    if done.repeated:
        yield f"  {counted(done.repeated, 'child', 'children')} not made: nothing else can be drawn. Name more --with"
    for told, number in done.left_out.items():
        name, _, reason = told.partition(": ")
        yield f"  {name} left out of {counted(number, 'file')}, which {reason}"
    for reason, number in done.stale.items():
        yield f"  {counted(number, 'child', 'children')} whose labels are left as they were: {one_line(reason, 200)}"
    yield from listed("of which nothing could be made", done.refused, "item")


def remade_lines(path: Path, done: Remade) -> Iterator[str]:
    """Yield what became of the items that were made again."""
    yield f"{path}: {counted(len(done.items), 'item')} made again, bit for bit"
    if done.restored:
        yield f"  {counted(len(done.restored), 'file')} of these missing or damaged before"
    yield from listed("made otherwise, and left as they are", done.differing, "item")
    yield from listed("that could not be made", done.refused, "item")


def composed_lines(path: Path, done: Composing, count: int, *, dry_run: bool) -> Iterator[str]:
    """Yield what was composed."""
    would = "would be " if dry_run else ""
    yield f"{path}: {counted(len(done.items), 'score')} {would}composed, {counted(count, 'item')} in all"
    if done.known:
        yield f"  {counted(done.known, 'score')} composed before"
    if done.duplicates:
        yield f"  {counted(done.duplicates, 'score')} the same as other items, not kept twice"
    if done.labels:
        yield f"  labels: {', '.join(f'{name} of {number:,}' for name, number in sorted(done.labels.items()))}"
    if done.left_out:
        yield f"  without a label in profile.toml: {', '.join(done.left_out)}"


def rendered_lines(path: Path, done: RenderedScores, count: int, *, dry_run: bool) -> Iterator[str]:
    """Yield what became of the scores that were rendered."""
    would = "would be " if dry_run else ""
    made = counted(len(done.items), "recording")
    yield f"{path}: {made} of {counted(done.scores, 'score')} {would}made, {counted(count, 'item')} in all"
    if done.known:
        yield f"  {counted(done.known, 'recording')} made before"
    if done.duplicates:
        yield f"  {counted(len(done.duplicates), 'recording')} the same as other items, not kept twice"
    yield from listed("of which something is not played", done.remarks, "score")
    yield from listed("that could not be rendered", done.refused, "score")
