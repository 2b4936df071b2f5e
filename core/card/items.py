"""What the README of a packed corpus says in other words than that of rendered sounds."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping
from typing import Any

from tonesmith.card.contents import capped
from tonesmith.card.markdown import code, fenced, plain
from tonesmith.card.source import CardSource
from tonesmith.plan.items import Items
from tonesmith.terminal.text import counted

_SHOWN = 8


def about(source: CardSource, items: Items) -> Iterator[str]:
    """Yield in two sentences what the rows are."""
    told = source.report["items"]
    media = f"{counted(told['recordings'], 'recording')} and {counted(told['scores'], 'score')}"
    yield f"{counted(told['items'], 'item')} of the corpus {plain(items.corpus)}, with {media}; rows are {items.told}."
    yield "Every row has the audio, the score, the MIDI file and the labels of its item. Packed with tonesmith."
    yield ""


def labels(source: CardSource) -> Iterator[str]:
    """Yield the labels, with who said them."""
    yield from ("## Labels", "")
    rows = [
        (code(name), str(label["items"]), plain(_counted(label["sources"]), 200), plain(_values(label), 400))
        for name, label in source.report["items"]["labels"].items()
    ]
    yield from capped(("label", "items#", "said by", "values"), rows)
    yield "What nobody said of an item is NaN, -1, -2^63 of a whole number, or an empty text."
    yield ""


def checking(source: CardSource) -> Iterator[str]:
    """Yield how the rows are checked."""
    yield from ("## Check it", "")
    yield from fenced("bash", f"tonesmith verify {shlex.quote(source.file)}")
    yield ""
    yield (
        "It reads every byte and compares it with its digest. The rows are recordings and scores that were packed, so "
        "there is nothing to render again; `item/audio_sha256` and `item/midi_sha256` name the original files."
    )


def _values(label: Mapping[str, Any]) -> str:
    if "values" in label:
        return _counted({name: count for name, count in label["values"].items() if count})
    return f"{label['min']:g} to {label['max']:g}, median {label['median']:g}" if "min" in label else ""


def _counted(counts: Mapping[str, int]) -> str:
    shown = [f"{name} ({count})" for name, count in list(counts.items())[:_SHOWN]]
    return ", ".join(shown) + (f" and {len(counts) - _SHOWN} more" if len(counts) > _SHOWN else "")
