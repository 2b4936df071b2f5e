"""What a notebook shows of a dataset and of a row: text that is escaped, a player, a picture, the label by groups."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from html import escape
from itertools import groupby
from typing import TYPE_CHECKING

from tonesmith.media.clip import clip_of
from tonesmith.media.picture import picture_uri
from tonesmith.terminal.text import counted, one_line, size

if TYPE_CHECKING:
    from tonesmith.dataset.reader import Dataset
    from tonesmith.dataset.row import Row
    from tonesmith.space.parameter import Parameter

_MOST = 400
"""Parameters whose values are shown."""
_CELL = 'style="text-align:left;padding:0 1em 0 0"'


def row_html(row: Row) -> str:
    """Return a row as HTML of less than 200 kB: the row in a line, a player, a spectrogram, and the label by groups.

    The clip of the player is for listening: it has one channel, is compressed, and is the beginning of a long sound.
    """
    rate = row.plan.audio.sample_rate
    clip = clip_of(row.audio, rate)
    picture = f'<img alt="spectrogram" width="320" height="120" src="{picture_uri(row.audio, rate)}">'
    player = f'<audio controls preload="none" src="{clip.uri}"></audio>'
    whole = row.audio.shape[-1] / rate
    told = [f"the first {clip.seconds:.2g} s"] if clip.seconds < whole else []
    told += [f"{clip.gain:.2g} of its level, since it passes full scale"] if clip.gain < 1.0 else []
    told = told or ["one channel, compressed"]
    note = f"<small>{escape('; '.join(told))}</small>"
    return f"<div>{_text(repr(row), 200)}<br>{picture}<br>{player}<br>{note}{_label(row)}</div>"


def dataset_html(dataset: Dataset) -> str:
    """Return a dataset as a small table of HTML. No row is read."""
    plan, audio, space = dataset.plan, dataset.plan.audio, dataset.space
    rate = audio.sample_rate
    facts = {
        "rows": f"{len(dataset):,}" + ("" if dataset.complete else f" of {plan.rows:,}"),
        "from": f"{plan.backend.name}, {counted(plan.patches, 'patch', 'patches')}, sampler {plan.sampler.name}",
        "audio": f"{counted(audio.channels, 'channel')}, {audio.frames / rate:g} s at {rate} Hz",
        "parameters": f"{len(space.continuous)} continuous, {len(space.categorical)} categorical",
        "features": ", ".join(dataset.features),
        "columns": ", ".join(dataset.columns),
        "rejected": counted(len(dataset.rejections), "candidate"),
        "size": size(dataset.nbytes),
        "path": str(dataset.storage.path or ""),
    }
    return _table((name, value) for name, value in facts.items() if value)


def _label(row: Row) -> str:
    """Return the parameters that vary, by group, and behind them how many there are more."""
    space = row.plan.space
    parameters = sorted((*space.continuous, *space.categorical), key=lambda parameter: parameter.group)
    audible = dict(zip(space.names, row.audible.tolist(), strict=False))
    parts = [
        _group(group, members, {one.name: row.parameters[one.name].text for one in members}, audible)
        for group, members in _by_group(parameters[:_MOST])
    ]
    more = f"<p>and {counted(len(parameters) - _MOST, 'more parameter')}</p>" if len(parameters) > _MOST else ""
    head = f"{counted(len(parameters), 'parameter')}; in brackets what cannot be heard here"
    return f"<details><summary>{_text(head)}</summary>{''.join(parts)}{more}</details>"


def _by_group(parameters: Iterable[Parameter]) -> list[tuple[str, list[Parameter]]]:
    return [(group, list(members)) for group, members in groupby(parameters, key=lambda parameter: parameter.group)]


def _group(name: str, members: list[Parameter], texts: Mapping[str, str], audible: Mapping[str, bool]) -> str:
    lines = ((one.name, texts[one.name] if audible.get(one.name, True) else f"({texts[one.name]})") for one in members)
    return (f"<b>{_text(name)}</b>" if name else "") + _table(lines)


def _table(lines: Iterable[tuple[str, str]]) -> str:
    rows = (f"<tr><th {_CELL}>{_text(name)}</th><td {_CELL}>{_text(value)}</td></tr>" for name, value in lines)
    return f"<table>{''.join(rows)}</table>"


def _text(text: object, longest: int = 120) -> str:
    return escape(one_line(text, longest))
