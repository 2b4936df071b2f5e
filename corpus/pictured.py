"""What the plots of a corpus show, read from its truth."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from tonesmith.corpus.checking import class_counts
from tonesmith.corpus.featuring.computed import place
from tonesmith.corpus.truth.items import read_value

if TYPE_CHECKING:
    from tonesmith.corpus.corpus import Corpus

TONICS: Final = ("C", "Db", "D", "Eb", "E", "F", "Gb", "G", "Ab", "A", "Bb", "B")
_MOST: Final = 5000
"""Items whose pitches are read, evenly spread over all."""


@dataclass(frozen=True, slots=True)
class Pictured:
    """Numbers to be drawn.

    Attributes:
        name: of the corpus.
        items: all of them.
        label: whose choices are the classes of the profile; "" for none.
        classes: class -> items.
        targets: class -> items wanted.
        keys: mode -> items of each of the 12 tonics, from C on.
        tempos: beats per minute of the items of which it is known.
        seconds: score and audio -> duration of each.
        pitches: ``low``, ``mean`` and ``high`` -> MIDI pitch of each score whose notes were measured.
        sources: label -> source -> items of which it says something.
        believed: label -> items of which something is believed.
    """

    name: str
    items: int
    label: str
    classes: Mapping[str, int]
    targets: Mapping[str, int]
    keys: Mapping[str, Sequence[int]]
    tempos: Sequence[float]
    seconds: Mapping[str, Sequence[float]]
    pitches: Mapping[str, Sequence[float]]
    sources: Mapping[str, Mapping[str, int]]
    believed: Mapping[str, int]


def pictured(corpus: Corpus) -> Pictured:
    """Return what the plots of a corpus show."""
    ask, profile = corpus.connection.execute, corpus.profile
    seconds: dict[str, list[float]] = {}
    for kind, lasts in ask("SELECT kind, seconds FROM media ORDER BY kind DESC, seconds"):
        seconds.setdefault(kind, []).append(lasts)
    sources: dict[str, dict[str, int]] = {}
    for name, source, count in ask("SELECT name, source, count(*) FROM annotations GROUP BY 1, 2 ORDER BY 1, 2"):
        sources.setdefault(name, {})[source] = count
    tempos = "SELECT value FROM annotations WHERE name = 'tempo_bpm' AND believed = 1 ORDER BY value"
    believed = "SELECT name, count(*) FROM annotations WHERE believed = 1 GROUP BY name"
    return Pictured(
        name=corpus.settings.name,
        items=len(corpus),
        label=profile.classes,
        classes=class_counts(corpus, profile) if profile.classes else {},
        targets=profile.wanted(),
        keys=_keys(corpus),
        tempos=[float(row[0]) for row in ask(tempos)],
        seconds=seconds,
        pitches=_pitches(corpus),
        sources=sources,
        believed=dict(ask(believed)),
    )


def _keys(corpus: Corpus) -> dict[str, list[int]]:
    keys = {"major": [0] * 12, "minor": [0] * 12}
    for key, mode, count in corpus.connection.execute(
        "SELECT k.value, m.value, count(*) FROM annotations k JOIN annotations m ON m.item = k.item "
        "WHERE k.name = 'key' AND k.believed = 1 AND m.name = 'mode' AND m.believed = 1 GROUP BY 1, 2"
    ):
        tonic = str(read_value(key))
        if tonic in TONICS and mode in keys:
            keys[mode][TONICS.index(tonic)] += count
    return keys


def _pitches(corpus: Corpus) -> dict[str, list[float]]:
    rows = corpus.connection.execute("SELECT item FROM features WHERE name = 'notes' ORDER BY item").fetchall()
    found: dict[str, list[float]] = {"low": [], "mean": [], "high": []}
    for (item,) in rows[:: max(1, -(-len(rows) // _MOST))]:
        told = _values(corpus, item)
        for end, values in found.items():
            if isinstance(pitch := told.get(f"pitch_{end}"), (int, float)):
                values.append(float(pitch))
    return found


def _values(corpus: Corpus, item: str) -> Mapping[str, Any]:
    try:
        told = json.loads((corpus.path / place("notes", item, ".json")).read_bytes())["values"]
        return dict(told)
    except (OSError, ValueError, KeyError, TypeError):
        return {}
