"""What a panel shows of one row, or of one reject: read at once, and put into lines."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import cast

import numpy as np

from tonesmith.dataset.reader import Dataset
from tonesmith.dataset.row import Row
from tonesmith.plan.feature import PREFIX
from tonesmith.plan.phrases import INDEX, NOTES
from tonesmith.plan.rejection import Rejection
from tonesmith.preview.sound.loudness import Loudness, decibels, loudness_of
from tonesmith.screen.line import Kind, Line
from tonesmith.space.patch import Modulation
from tonesmith.terminal.text import counted, one_line

_LONGEST = 400
"""Characters that are shown of what a validator or a synth says."""
_UNGROUPED = "parameters"
INAUDIBLE = "·"
"""Stands in front of a parameter that is not heard, for those who see no difference in brightness."""


@dataclass(frozen=True, eq=False)
class Detail:
    """A row that was read.

    Attributes:
        index: its place in the dataset.
        row: with its audio, and without its features.
        loudness: of its audio.
        lines: what is told of it.
    """

    index: int
    row: Row
    loudness: Loudness
    lines: tuple[Line, ...]


def detail_of(dataset: Dataset, index: int) -> Detail:
    """Read a row. Raises :class:`DatasetError` if it is damaged."""
    names = [column.name for column in dataset.plan.schema if not column.name.startswith(PREFIX)]
    number = int(dataset.rows[index])
    columns = dataset.read_rows(names, [number])
    row = Row(dataset.plan, number, {name: np.asarray(array[0]) for name, array in columns.items()})
    loudness = loudness_of(row.audio, dataset.plan.audio.sample_rate)
    return Detail(index, row, loudness, tuple(_lines(row, dataset.split_of(index), loudness)))


def _lines(row: Row, split: str, loudness: Loudness) -> Iterator[Line]:
    note = row.note
    attempt = f", attempt {row.attempt}" if row.attempt else ""
    yield Line(f"row {row.row}  patch {row.patch_id}{attempt}{f'  {split}' if split else ''}", "head")
    if row.plan.phrases:
        notes = counted(int(row.columns[NOTES]), "note")
        yield Line(f"{notes} of score {int(row.columns[INDEX])}, {one_line(row.plan.phrases.composer)}")
        for name, value in row.annotations.items():
            yield Line(one_line(name), value=one_line(value))
    else:
        yield Line(f"pitch {note.pitch}  velocity {note.velocity}")
    yield Line("hold and tail", value=f"{note.hold:g} + {note.tail:g} s")
    yield Line(f"origin {one_line(row.origin)}")
    yield from _presets(row)
    units = {measure.name: measure.unit for measure in row.plan.measures}
    for name, value in row.measured.items():
        yield Line(one_line(name), value=f"{_measured(value)} {one_line(units[name])}".rstrip())
    if loudness.gain < 1.0:
        told = decibels(loudness.peak)
        yield Line(f"its peak is {told:+.1f} dBFS: it is played {told:.1f} dB lower", "warning")
    yield from _parameters(row)
    yield from _modulations(row)
    for slot, sha in row.label.assets.items():
        yield Line(one_line(slot), value=f"asset {sha[:8]}" if sha else "no asset")


def _measured(value: float) -> str:
    return f"{value:.4g}" if np.isfinite(value) else "none"


def _presets(row: Row) -> Iterator[Line]:
    presets = {preset.sha256: preset for preset in row.plan.presets}
    for what, sha in (("preset", row.preset), ("mate", row.mate)):
        if sha in presets:
            preset = presets[sha]
            credit = [f"by {one_line(preset.author)}" if preset.author else "", one_line(preset.style)]
            told = ", ".join(filter(None, [one_line(preset.name) or sha[:8], *credit, one_line(preset.licence)]))
            yield Line(f"{what} {told}")
        elif sha:
            yield Line(f"{what} {sha[:8]}, which the plan does not name")


def _parameters(row: Row) -> Iterator[Line]:
    space, values = row.plan.space, row.parameters
    audible = row.audible.tolist() or [True] * len(values)
    groups: dict[str, list[Line]] = {}
    for (name, value), heard in zip(values.items(), audible, strict=True):
        sign = " " if heard else INAUDIBLE
        line = Line(f"{sign} {one_line(name)}", "plain" if heard else "faint", one_line(value.text))
        groups.setdefault(one_line(space[name].group) or _UNGROUPED, []).append(line)
    for group, lines in groups.items():
        yield Line(group, "group")
        yield from lines


def _modulations(row: Row) -> Iterator[Line]:
    if row.label.modulations:
        yield Line("modulations", "group")
    for modulation in row.label.modulations:
        yield _routed(modulation)


def _routed(modulation: Modulation) -> Line:
    switches = {"bipolar": modulation.bipolar, "stereo": modulation.stereo, "bypassed": modulation.bypass}
    power = [f"power {modulation.power:.3g}"] if modulation.power else []
    told = " ".join([f"{modulation.amount:+.3g}", *power, *(name for name, on in switches.items() if on)])
    sign, kind = (INAUDIBLE, "faint") if modulation.bypass else (" ", "plain")
    route = f"{sign} {one_line(modulation.source)} to {one_line(modulation.destination)}"
    return Line(route, cast("Kind", kind), told)


def reject_lines(number: int, entry: Rejection) -> tuple[Line, ...]:
    """Return what is told of a reject: which candidate, by whom, why, and what was measured."""
    played = f"  pitch {entry.pitch}" if entry.pitch >= 0 else ""
    lines = [Line(f"reject {number}  patch {entry.patch}  attempt {entry.attempt}{played}", "head")]
    lines.append(Line(f"rejected by {one_line(entry.by)}: {one_line(entry.reason)}", "warning"))
    if entry.detail:
        lines.append(Line(one_line(entry.detail, _LONGEST)))
    if entry.measured:
        lines.append(Line("measured", "group"))
    lines += [Line(f"  {one_line(name)}", value=_measured(value)) for name, value in entry.measured.items()]
    return tuple(lines)
