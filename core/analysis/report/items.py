"""What a report tells of a packed corpus: its labels, who said them, and how balanced its classes are."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from tonesmith.analysis.report.chart import Section, Table, short
from tonesmith.analysis.report.charts import bars
from tonesmith.terminal.text import clock, counted, size

_SHOWN = 8
_MOST_CLASSES = 60


def item_head(told: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return the facts at the top of the report of a corpus.

    Args:
        told: by :func:`tonesmith.dataset.report.report`.
    """
    items, audio = told["items"], told["audio"]
    form = f"{audio['seconds']:.4g} s, {counted(audio['channels'], 'channel')}, {audio['sample_rate']:,} Hz"
    media = f"{counted(items['recordings'], 'recording')}, {counted(items['scores'], 'score')}"
    return [
        ("rows", f"{told['rows']:,} of {counted(items['items'], 'item')}: {items['rows_are']}"),
        ("corpus", short(items["corpus"]) + (f", profile {short(items['profile'])}" if items["profile"] else "")),
        ("media", f"{media}, {clock(items['seconds'])} in all"),
        ("sounds", form if audio["frames"] else "none"),
        ("made by", _counted(told["origins"])),
        ("splits", _counted(told["splits"]) or "not split"),
        ("features", ", ".join(map(short, told["features"])) or "none stored"),
        ("stored by", f"{short(told['plan']['sink']['name'])}, {size(told['nbytes'])}"),
        ("plan", told["fingerprint"]),
        ("content", told["digest"] or "not packed"),
    ]


def labelled(told: Mapping[str, Any]) -> Section | None:
    """Return the section of labels, their sources and the balance of classes; None of what is no corpus."""
    items = told.get("items")
    if not items or not items["labels"]:
        return None
    rows = [(short(name), *_cells(label, items["items"])) for name, label in items["labels"].items()]
    table = Table("Labels", "What nobody said is not counted.", ("label", "items", "without", "by", "values"), rows)
    return Section("labels", "Labels, sources and balance", _balance(items), (*_classes(items), table))


def _balance(items: Mapping[str, Any]) -> str:
    if items["balance"] is None:
        return "No class is counted: the profile has none, or no item has one."
    return (
        f"The smallest class of {short(items['classes'])} has {items['balance']:.2f} of the items of the largest; "
        "a class without items counts 0."
    )


def _classes(items: Mapping[str, Any]) -> Iterator[Any]:
    counts = items["labels"].get(items["classes"], {}).get("values", {})
    if counts and len(counts) <= _MOST_CLASSES:
        title = short(items["classes"])
        yield bars(title, {"all": list(counts.values())}, list(counts), note="", unit="items", ordered=False)


def _cells(label: Mapping[str, Any], items: int) -> tuple[str, str, str, str]:
    if "values" in label:
        values = _counted({name: count for name, count in label["values"].items() if count})
    else:
        values = f"{label['min']:g} to {label['max']:g}, median {label['median']:g}" if "min" in label else ""
    return f"{label['items']:,}", f"{items - label['items']:,}", _counted(label["sources"]), values


def _counted(counts: Mapping[str, int]) -> str:
    shown = [f"{short(name)} ({count:,})" for name, count in list(counts.items())[:_SHOWN]]
    return ", ".join(shown) + (f" and {len(counts) - _SHOWN:,} more" if len(counts) > _SHOWN else "")
