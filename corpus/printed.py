"""What ``tonesmith corpus`` prints, as a person reads it."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from tonesmith.corpus.truth.settings import PROFILE
from tonesmith.errors import ConfigError
from tonesmith.terminal.table import table
from tonesmith.terminal.text import clock, counted, one_line, size

if TYPE_CHECKING:
    from tonesmith.corpus.adding import Added
    from tonesmith.corpus.annotating import Told
    from tonesmith.corpus.checking import Checked
    from tonesmith.corpus.repairing import Repaired
    from tonesmith.corpus.splitting import Division
    from tonesmith.corpus.stats import Stats

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
    yield from listed("the same as an item that is there, kept once", done.duplicates)
    yield from listed("of items that were removed; bring one back with sanitise --restore", done.removed)
    yield from listed("with something put right", {name: " ".join(told) for name, told in done.remarks.items()})
    yield from listed("refused", done.refused)


def annotated_lines(path: Path, told: Mapping[str, Told], count: int) -> Iterator[str]:
    """Yield what annotators said."""
    yield f"{path}: {counted(count, 'item')}"
    rows = []
    for name, one in told.items():
        said = ", ".join(f"{label} of {number:,}" for label, number in sorted(one.said.items())) or "nothing"
        rows.append((name, f"{one.items:,}", f"{one.done:,}", f"{one.silent:,}", said))
    yield from table(("annotator", "asked", "before", "silent", "said"), rows)
    for name, one in told.items():
        if one.unknown:
            labels = ", ".join(f"{label} of {number:,}" for label, number in sorted(one.unknown.items()))
            yield f"  {name} could say {labels}. To keep it, add these labels to {path / PROFILE}."
    for name, one in told.items():
        yield from listed(f"of which {name} said what is not allowed, or failed", one.refused, "item")


def stats_lines(path: Path, found: Stats) -> Iterator[str]:
    """Yield what is in a corpus."""
    derived = f", {found.derived:,} of them derived" if found.derived else ""
    yield f"{path}: {counted(found.items, 'item')}{derived}"
    for kind, numbers in found.media.items():
        number, seconds, nbytes = int(numbers["items"]), numbers["seconds"], int(numbers["nbytes"])
        yield f"  {kind:<6} {counted(number, 'item')}, {clock(seconds)}, {size(nbytes)}"
    if found.licences:
        yield "  licences " + ", ".join(f"{name} {number:,}" for name, number in found.licences.items())
    if found.splits:
        yield "  splits " + ", ".join(f"{name} {number:,}" for name, number in found.splits.items())
    rows = [(name, *_label_cells(told)) for name, told in found.labels.items()]
    if rows:
        yield from table(("label", "items", "disagree", "by", "values"), rows)


def _label_cells(told: Mapping[str, Any]) -> tuple[str, str, str, str]:
    by = ", ".join(f"{source} {number:,}" for source, number in told["sources"].items())
    if "mean" in told:
        values = f"{told['least']:.4g} to {told['greatest']:.4g}, mean {told['mean']:.4g}"
    else:
        values = ", ".join(f"{one_line(value, 30)} {number:,}" for value, number in told["values"].items())
    return f"{told['items']:,}", f"{told['disagree']:,}", by, values


def checked_lines(path: Path, found: Checked) -> Iterator[str]:
    """Yield what a check found."""
    yield f"{path}: {counted(found.items, 'item')}"
    if found.classes:
        told = "-" if found.balance is None else f"{found.balance:.2f}"
        rows = [(name, f"{number:,}", f"{found.missing.get(name, 0):,}") for name, number in found.classes.items()]
        yield f"balance    {told} (smallest class over largest)"
        yield from (f"  {line}" for line in table(("class", "items", "wanted yet"), rows))
    each = ", ".join(f"{name} {value:.2f}" for name, value in found.diversity.items() if name != "mean")
    yield f"diversity  {found.diversity['mean']:.2f} ({each})" if found.diversity else "diversity  - (nothing is known)"
    quality = found.quality
    yield (
        f"quality    {quality['opens']:.1%} of the items open, {quality['fits']:.1%} have the media needed, "
        f"{quality['in_range']:.1%} are in range"
    )
    yield f"structure  {counted(len(found.structure), 'fault')}"
    yield f"leaks      {found.leaks:,}"
    yield from (f"fault: {one_line(fault, 300)}" for fault in found.faults)
    yield from (f"next: {sentence}" for sentence in found.next)


def division_lines(path: Path, done: Division, *, dry_run: bool) -> Iterator[str]:
    """Yield how a corpus is divided."""
    by = f"by {done.stratify}" if done.stratify else "by no label"
    yield f"{path}: {counted(done.added, 'item')} {'would be ' if dry_run else ''}divided, {by}, seed {done.seed}"
    whole = sum(part["items"] for part in done.splits.values())
    rows = []
    for name, part in done.splits.items():
        share = f"{part['items'] / whole:.1%}" if whole else "-"
        classes = ", ".join(f"{kind or 'none'} {number:,}" for kind, number in part["classes"].items())
        rows.append((name, f"{done.shares[name]:g}", f"{part['items']:,}", share, f"{part['families']:,}", classes))
    yield from table(("split", "asked", "items", "share", "families", done.stratify or "class"), rows)
    if done.moved:
        yield f"{counted(done.moved, 'item')} moved: what joined their family is a near-duplicate of two splits."
    for name, part in done.splits.items():
        if done.shares[name] and not part["items"]:
            yield f"The split {name} is empty: there are too few families."


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
    yield from listed("refused", done.refused)


def listed(what: str, files: Mapping[str, str], kind: str = "file") -> Iterator[str]:
    """Yield the first of some files or items, each with what is told of it, and how many more there are."""
    if not files:
        return
    yield f"  {counted(len(files), kind)} {what}:"
    for name, told in list(files.items())[:_SHOWN]:
        yield f"    {one_line(name)}: {one_line(told, 200)}"
    if len(files) > _SHOWN:
        yield f"    and {len(files) - _SHOWN:,} more; --json lists all"
