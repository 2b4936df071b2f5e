"""The sections of a report: which charts and lists it has, of one dataset or of two."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tonesmith.analysis.coverage import CHOICES, Panel, panels_of
from tonesmith.analysis.labels import PatchLabels
from tonesmith.analysis.report.chart import Cards, Chart, Section, even_edges, placed, short, third_octaves
from tonesmith.analysis.report.charts import bars, chosen_one, grid, histogram, stacked
from tonesmith.analysis.report.picks import distances_of, duplicates, oddest, spanning
from tonesmith.analysis.report.points import MEASURED, features_of_samples, heard_values
from tonesmith.analysis.report.sample import Sample
from tonesmith.dataset.reader import Dataset

_SPANNING, _PAIRS = 12, 8
_MOST_PARAMETERS = 150
_MOST_BALANCED = 60
_MOST_ENDS = 40
_MOST_MEASURES = 8
_TENTHS = [f"{place * 10}-{place * 10 + 10} %" for place in range(10)]
_TITLES = {
    "level": ("Level", "The highest sample. Above 0 dBFS a sound passes full scale."),
    "loudness": ("Loudness", "K-weighted as in ITU-R BS.1770-4, without gates. Silence has -100."),
    "centroid": ("Centroid", "Mean frequency, weighted with the magnitude: how bright a sound is."),
    "attack": ("Attack", "Time from a tenth to nine tenths of the peak of the envelope."),
}


@dataclass(frozen=True, slots=True, eq=False)
class Side:
    """One dataset of a page: its name there, itself, what is told of it, its labels, and its rows that were heard."""

    name: str
    dataset: Dataset
    told: Mapping[str, Any]
    labels: PatchLabels
    sample: Sample


def sections_of(sides: Sequence[Side]) -> Iterator[Section]:
    """Yield the sections that draw what was heard and counted, those without anything to draw left out."""
    made = (_listening(sides), _levels(sides), _notes(sides), _origins(sides), _covering(sides))
    for section in (*made, _balance(sides), _routed(sides)):
        if section.parts:
            yield section


def _members(sides: Sequence[Side]) -> NDArray[np.int64]:
    return np.repeat(np.arange(len(sides)), [len(side.sample) for side in sides])


def _samples(sides: Sequence[Side]) -> list[Sample]:
    return [side.sample for side in sides]


def _listening(sides: Sequence[Side]) -> Section:
    features = features_of_samples(_samples(sides))
    if not sum(len(side.sample) for side in sides):
        return Section("listen", "Listen")
    distances = distances_of(features)
    parts = [
        Cards(
            "Sounds that span the set",
            "Each stands for those near it.",
            ([(place, f"{number + 1}") for number, place in enumerate(spanning(distances, _SPANNING))],),
        ),
        Cards(
            "The oddest",
            "",
            (oddest(distances, *(_of(sides, name).tolist() for name in ("loudness", "centroid", "attack"))),),
        ),
    ]
    patches = np.concatenate([side.sample.columns["patch"] + place * 2**40 for place, side in enumerate(sides)])
    pairs = duplicates(distances, features, patches, _PAIRS)
    if pairs:
        rows = [((pair.first, f"{pair.distance:.2f} dB apart"), (pair.second, "and")) for pair in pairs]
        note = (
            "The nearest sounds of different patches in the sample: by the mean difference of their log-mel statistics."
        )
        parts.append(Cards("Nearest duplicates", note, rows))
    return Section(
        "listen", "Listen", "Press a picture to hear it. Pictures are log-mel spectrograms over 80 dB.", parts
    )


def _of(sides: Sequence[Side], name: str) -> NDArray[np.float64]:
    return heard_values(_samples(sides), name)


def _levels(sides: Sequence[Side]) -> Section:
    groups = ([side.name for side in sides], _members(sides))
    parts = []
    for attribute, unit, title in MEASURED if len(groups[1]) else ():
        values = _of(sides, attribute)
        log = attribute == "centroid"
        edges = third_octaves(values) if log else even_edges(values)
        name, note = _TITLES[title]
        parts.append(histogram(name, values, edges, unit, groups=groups, log=log, note=note))
    for measure in _measures(sides) if len(groups[1]) else ():
        found = [np.asarray(side.sample.columns.get(measure.name, _nothing(side)), np.float64) for side in sides]
        values = np.concatenate(found)
        doc = f"{short(measure.doc)}, as a validator measured it."
        parts.append(
            histogram(short(measure.name), values, even_edges(values), short(measure.unit), groups=groups, note=doc)
        )
    return Section("levels", "Levels and times", "Of the sounds in the sample.", parts)


def _nothing(side: Side) -> NDArray[np.float64]:
    return np.full(len(side.sample), np.nan)


def _measures(sides: Sequence[Side]) -> list[Any]:
    """Return the measures of validators that are not named as one of the page's own."""
    found = {measure.name: measure for side in sides for measure in side.dataset.plan.measures}
    return [measure for name, measure in found.items() if name not in _TITLES][:_MOST_MEASURES]


def _notes(sides: Sequence[Side]) -> Section:
    parts = []
    for name, title in (("pitch", "MIDI pitch"), ("velocity", "MIDI velocity")):
        known = sorted({int(value) for side in sides for value in side.told["notes"][name]})
        if not known or (len(known) < 2 and name == "velocity"):
            continue
        counts = {side.name: [side.told["notes"][name].get(f"{value:g}", 0) for value in known] for side in sides}
        at = {value: place for place, value in enumerate(known)}
        cells = [
            member * len(known) + at[int(value)]
            for member, side in enumerate(sides)
            for value in side.sample.columns[name].tolist()
        ]
        parts.append(bars(title, counts, list(map(str, known)), np.array(cells, np.int64)))
    return Section("notes", "Notes", "Of all rows.", parts)


def _origins(sides: Sequence[Side]) -> Section:
    parts = []
    for title, key, of in (("origin", "origins", _origin_of), ("split", "splits", lambda side: side.sample.split)):
        known = list(dict.fromkeys(name for side in sides for name in side.told[key]))
        if len(known) < 2:
            continue
        counts = {side.name: [side.told[key].get(name, 0) for name in known] for side in sides}
        cells = [
            member * len(known) + known.index(name) if name in known else -1
            for member, side in enumerate(sides)
            for name in (of(side) or [""] * len(side.sample))
        ]
        parts.append(bars(title, counts, known, np.array(cells, np.int64), ordered=False))
    return Section("origins", "Origins and splits", "Of all rows.", parts)


def _origin_of(side: Side) -> list[str]:
    return [side.dataset.plan.origins[place] for place in side.sample.columns["origin"].tolist()]


def _covering(sides: Sequence[Side]) -> Section:
    parts = [chart for place, side in enumerate(sides) for chart in _cover(sides, place, side)]
    note = "Of patches, each counted once. Even is what a sampler draws that knows no presets: more or less is shaded."
    return Section("coverage", "Coverage of each parameter", note, parts)


def _cover(sides: Sequence[Side], place: int, side: Side) -> Iterator[Chart]:
    if not len(side.labels):
        return
    space = side.dataset.space
    continuous = [p.name for p in space.continuous]
    drawn = set(space.drawn.names) & set(continuous) or set(continuous)
    names = [name for name in continuous if name in drawn][:_MOST_PARAMETERS]
    if not names:
        return
    panels, origins = panels_of(side.dataset, side.labels, names, 10)
    sizes = np.array(list(origins.values()))
    counts = np.stack([np.round(sizes @ panel.shares) for panel in panels]).astype(np.int64)
    left = len(continuous) - len(names)
    title = "Continuous parameters" if len(sides) == 1 else f"Continuous parameters of {short(side.name)}"
    note = (
        f"Each tenth of the range that is drawn from. {left} more are not shown."
        if left
        else ("Each tenth of the range that is drawn from.")
    )
    expected = np.stack([_expected(panel) for panel in panels])
    cells = _covered(sides, place, side, panels)
    heads = ("parameter", "tenth of its range", "patches")
    yield grid(title, _TENTHS, names, counts, cells, note=note, heads=heads, expected=expected)
    if len(sides) == 1:
        yield _one_parameter(panels, origins)


def _expected(panel: Panel) -> NDArray[np.float64]:
    """Return the share of each bin where values are spread evenly over the range that is drawn from."""
    low, high = panel.parameter.drawn
    inside = np.clip(panel.edges, low, high)
    return np.diff(inside) / (high - low)


def _covered(sides: Sequence[Side], place: int, side: Side, panels: Sequence[Panel]) -> NDArray[np.int64]:
    """Return the cells of each sound of the page, (sounds, parameters); those of other datasets have none."""
    continuous = [p.name for p in side.dataset.space.continuous]
    raw = side.dataset.space.raw(side.sample.columns["continuous"]).astype(np.float64)
    own = np.stack(
        [
            np.where(
                (found := placed(raw[:, continuous.index(panel.parameter.name)], panel.edges)) < 0, -1, found + 10 * i
            )
            for i, panel in enumerate(panels)
        ],
        axis=1,
    )
    return _spread(sides, place, own)


def _spread(sides: Sequence[Side], place: int, own: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return cells of the sounds of one dataset as cells of all sounds."""
    cells = np.full((sum(len(side.sample) for side in sides), own.shape[1]), -1, np.int64)
    cells[_members(sides) == place] = own
    return cells


def _one_parameter(panels: Sequence[Panel], origins: Mapping[str, int]) -> Chart:
    cells: dict[str, list[Any]] = {key: [] for key in ("p", "from", "to", "g", "n")}
    for panel in panels:
        for shares, (origin, patches) in zip(panel.shares, origins.items(), strict=True):
            cells["p"] += [short(panel.parameter.name)] * len(shares)
            cells["from"] += [float(f"{edge:.6g}") for edge in panel.edges[:-1]]
            cells["to"] += [float(f"{edge:.6g}") for edge in panel.edges[1:]]
            cells["g"] += [short(origin)] * len(shares)
            cells["n"] += np.round(shares * patches).astype(int).tolist()
    return chosen_one("One parameter, by origin", cells, list(origins), "All patches, also while sounds are selected.")


def _balance(sides: Sequence[Side]) -> Section:
    parts = []
    for place, side in enumerate(sides):
        known = [(i, p) for i, p in enumerate(side.dataset.space.categorical) if p.count <= CHOICES][:_MOST_BALANCED]
        if not known or not len(side.labels):
            continue
        shares, own, start = {}, [], 0
        for column, parameter in known:
            counts = np.bincount(side.labels.categorical[:, column], minlength=parameter.count).tolist()
            texts = [parameter.text(parameter.low + i) for i in range(parameter.count)]
            shares[parameter.name] = list(zip(texts, counts, strict=True))
            own.append(side.sample.columns["categorical"][:, column].astype(np.int64) + start)
            start += parameter.count
        title = "Choices" if len(sides) == 1 else f"Choices of {short(side.name)}"
        cells = _spread(sides, place, np.stack(own, axis=1))
        parts.append(stacked(title, shares, cells, "Each bar is a parameter, from its first choice to its last."))
    return Section("balance", "Balance of choices", "Of patches, each counted once.", parts)


def _routed(sides: Sequence[Side]) -> Section:
    parts = []
    for place, side in enumerate(sides):
        routings, space = side.labels.routings, side.dataset.space
        if not len(routings):
            continue
        sources, destinations = (_most(routings[:, axis]) for axis in (0, 1))
        counts = np.array([[((routings == (s, d)).all(axis=1)).sum() for s in sources] for d in destinations])
        title = "Modulations" if len(sides) == 1 else f"Modulations of {short(side.name)}"
        cells = _spread(sides, place, _routed_cells(side, sources, destinations))
        names = [space.sources[s] for s in sources], [space.destinations[d] for d in destinations]
        heads = ("destination", "source", "modulations")
        note = "How often each source modulates each destination; the most frequent ones of each."
        parts.append(grid(title, *names, counts, cells, note=note, heads=heads))
    return Section("modulations", "Modulation matrix", "Of patches, each counted once, without bypassed ones.", parts)


def _most(values: NDArray[np.int64]) -> list[int]:
    """Return the most frequent values, in their own order."""
    found, counts = np.unique(values, return_counts=True)
    return sorted(found[np.argsort(-counts, kind="stable")[:_MOST_ENDS]].tolist())


def _routed_cells(side: Side, sources: Sequence[int], destinations: Sequence[int]) -> NDArray[np.int64]:
    rows, pairs = side.sample.routings(side.dataset)
    cells = np.full((len(side.sample), max(side.dataset.space.modulation_slots, 1)), -1, np.int64)
    used = np.zeros(len(side.sample), np.int64)
    for row, (source, destination) in zip(rows.tolist(), pairs.tolist(), strict=True):
        if source in sources and destination in destinations:
            cells[row, used[row]] = destinations.index(destination) * len(sources) + sources.index(source)
            used[row] += 1
    return cells
