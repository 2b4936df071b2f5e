"""What ``tonesmith inspect`` says of a corpus, or of a dataset that one was packed into."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from tonesmith.terminal.text import clock, counted, one_line, size

_SHOWN = 8


def item_lines(path: Path, told: Mapping[str, Any]) -> Iterator[str]:
    """Yield what is in it: items, media, labels with who said them, balance, splits.

    Args:
        path: of it.
        told: by :func:`tonesmith.dataset.report.report`.
    """
    items, audio, sink = told["items"], told["audio"], one_line(told["plan"]["sink"]["name"])
    missing = "" if told["complete"] else f" of {told['rows_planned']:,}"
    rows = f"{told['rows']:,}{missing} {'row' if told['rows'] == 1 and not missing else 'rows'}"
    yield f"{path}: {rows}, {counted(items['items'], 'item')} of the corpus {one_line(items['corpus'])}"
    yield f"  rows        {items['rows_are']}"
    yield f"  size        {size(told['nbytes'])}"
    form = f"{audio['sample_rate']} Hz, {counted(audio['channels'], 'channel')}, {audio['seconds']:g} s per row"
    yield f"  audio       {form if audio['frames'] else 'none'}"
    media = f"{counted(items['recordings'], 'recording')}, {counted(items['scores'], 'score')}"
    yield f"  media       {media}, {clock(items['seconds'])} in all"
    yield f"  made by     {_counted(told['origins'])}"
    if told["features"]:
        yield f"  features    {', '.join(map(one_line, told['features']))}"
    yield f"  splits      {_counted(told['splits']) or 'none'}"
    if items["balance"] is not None:
        yield f"  balance     {items['balance']:.2f} of {one_line(items['classes'])} (smallest class over largest)"
    for name, label in items["labels"].items():
        yield f"  {one_line(name):<11} {_label(label)}"
    yield f"  sink        {'none: it is not packed' if sink == 'corpus' else sink}"
    yield f"  plan        {told['fingerprint']}"
    if told["digest"]:
        yield f"  digest      {told['digest']}"


def _label(label: Mapping[str, Any]) -> str:
    if not label["items"]:
        return "nobody said"
    by = f" by {_counted(label['sources'])}" if label["sources"] else ""
    if "values" in label:
        return f"{_counted({name: count for name, count in label['values'].items() if count})}{by}"
    return f"{label['min']:g} to {label['max']:g}, median {label['median']:g} ({label['items']:,}){by}"


def _counted(counts: Mapping[str, int]) -> str:
    shown = [f"{one_line(name, 40)} ({count:,})" for name, count in list(counts.items())[:_SHOWN]]
    return ", ".join(shown) + (f" and {len(counts) - _SHOWN:,} more" if len(counts) > _SHOWN else "")
