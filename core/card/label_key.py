"""The part of a README that is the key to the labels: columns, parameters, and what modulations connect.

It is whole, for whoever has nothing but the published files; what is long is folded away.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import TYPE_CHECKING

from tonesmith.card.markdown import code, folded, plain, table
from tonesmith.terminal.text import WHOLE, counted

if TYPE_CHECKING:
    from tonesmith.card.source import CardSource
    from tonesmith.space.parameter import Parameter
    from tonesmith.space.space import ParameterSpace


def columns(source: CardSource) -> Iterator[str]:
    """Yield what is stored of each row, and where one finds what its numbers stand for."""
    yield from ("## Columns", "")
    yield "Each row has these columns, with values of this shape:"
    yield ""
    yield from table(
        ("column", "shape", "type", "holds"),
        [
            (code(c.name), " x ".join(map(str, c.shape)) or "one", plain(c.dtype), plain(c.doc, 200))
            for c in source.sink.columns(source.plan, source.splits)
        ],
    )
    yield ""
    yield (
        f"The full meaning of the numbers in a label is in {code(source.description, WHOLE)}, under "
        f"{', '.join(map(code, _lists(source)))}."
    )
    if source.sink.record:
        yield f"The whole plan, with the fixed parameters, is in {code(source.sink.record)}, which is also JSON."
    yield ""


def _lists(source: CardSource) -> list[str]:
    """Return the lists of the description that explain numbers of this dataset."""
    routed = source.report["space"]["modulation_slots"] > 0
    varied = ["parameters"] if source.dataset.space.names else []
    presets = ["presets"] if source.plan.presets else []
    return [*varied, *(["sources", "destinations"] if routed else []), "origins", *presets]


def space(source: CardSource) -> Iterator[str]:
    """Yield what the plan varies, and what the numbers of parameters and modulations stand for."""
    varied, counts = source.dataset.space, source.report["space"]
    yield from ("## Space", "")
    routed = f", and up to {counts['modulation_slots']} modulations" if counts["modulation_slots"] else ""
    yield (
        f"{counts['continuous']} continuous and {counts['categorical']} categorical parameters vary{routed}; "
        f"{counts['fixed']} are fixed. On average {counts['audible']:.0%} of those that vary are audible, "
        "given the switches of the patch; the column `audible` says which."
    )
    if counts["held"]:
        yield f"Of them, {counts['held']} vary only because the presets do."
    yield ""
    if varied.continuous:
        yield from _continuous(varied)
    if varied.categorical:
        yield from _categorical(varied)
    if counts["modulation_slots"]:
        yield from _modulations(varied)


def _continuous(space: ParameterSpace) -> Iterator[str]:
    yield (
        "A label x in `continuous` stands for low + x · (high - low), in the synthesizer's own units; "
        "*shown* is how its display shows low and high."
    )
    yield ""
    rows = [
        (
            str(place),
            code(p.name),
            f"{p.low:.6g}",
            f"{p.high:.6g}",
            _range(p, p.low, p.high),
            _drawn(p, space),
            code(p.group) if p.group else "",
        )
        for place, p in enumerate(space.continuous)
    ]
    heads = ("number#", "parameter", "low#", "high#", "shown", "drawn from", "group")
    yield from folded(counted(len(rows), "continuous parameter"), heads, rows)


def _categorical(space: ParameterSpace) -> Iterator[str]:
    yield from ("A label in `categorical` is the number of a choice, counted from 0.", "")
    rows = [
        (
            str(place),
            code(p.name),
            _range(p, p.low, p.high),
            _drawn(p, space),
            code(p.group) if p.group else "",
        )
        for place, p in enumerate(space.categorical)
    ]
    heads = ("number#", "parameter", "choices", "drawn from", "group")
    yield from folded(counted(len(rows), "categorical parameter"), heads, rows)


def _modulations(space: ParameterSpace) -> Iterator[str]:
    yield (
        "A modulation takes a place in each of `modulation/*`: the numbers of its source and its destination, and how "
        "it acts. In an unused place, they are -1, and amount and power are 0."
    )
    yield ""
    names = itertools.zip_longest(space.sources, space.destinations)
    rows = [(str(place), *(code(name) if name else "" for name in pair)) for place, pair in enumerate(names)]
    summary = f"{counted(len(space.sources), 'source')} and {counted(len(space.destinations), 'destination')}"
    yield from folded(summary, ("number#", "source", "destination"), rows)


def _drawn(p: Parameter, space: ParameterSpace) -> str:
    if p.name in space.held:
        return "presets only"
    return _range(p, *p.drawn) if p.within else ""


def _range(p: Parameter, low: float, high: float) -> str:
    if p.kind == "continuous":
        return plain(f"{p.shown(low):.4g} to {p.shown(high):.4g} {p.unit}")
    texts = [p.text(low + i) for i in range(min(6, round(high - low) + 1))]
    more = round(high - low) + 1 - len(texts)
    if more:
        return f"{', '.join(plain(text, 24) for text in texts)} and {more} more"
    return ", ".join(plain(text, 24) for text in texts)
