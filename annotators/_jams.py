"""JAMS, the JSON Annotated Music Specification: what a file says of a recording, within bounds.

Source: Humphrey et al. 2014, "JAMS: a JSON annotated music specification for reproducible MIR research", ISMIR, and the
namespaces of JAMS 0.3.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any, Final, NamedTuple

_MOST: Final = 200_000
"""Observations that are read of one file."""
_CHORDS: Final = 256
_TONELESS: Final = frozenset({"N", "X", ""})
_BEATS: Final = 8


class Observation(NamedTuple):
    """One value: how many seconds it holds, and how sure it is, 0..1."""

    time: float
    seconds: float
    value: Any
    confidence: float


Label = tuple[str, Any, float]
"""Name, value and confidence."""


def is_jams(data: Any) -> bool:
    """Return whether a document is JAMS."""
    return isinstance(data, dict) and isinstance(data.get("annotations"), list) and "file_metadata" in data


def jams_labels(data: Mapping[str, Any]) -> tuple[list[Label], list[tuple[float, str]]]:
    """Return what a document says: labels with their confidence, and (seconds, word) of each tag.

    What is no observation, or of another namespace, is left out.
    """
    labels: dict[str, Label] = {}
    tags: list[tuple[float, str]] = []
    left = _MOST
    for annotation in data["annotations"]:
        if not isinstance(annotation, dict):
            continue
        seen = _observations(annotation.get("data"), left)
        left -= len(seen)
        namespace = str(annotation.get("namespace", ""))
        if namespace.startswith(("tag_", "mood_")) and namespace != "mood_thayer":
            tags += [(one.seconds, one.value[:200]) for one in seen if isinstance(one.value, str)]
        for label in _READERS.get(namespace, _nothing)(seen):
            if label[0] not in labels or labels[label[0]][2] < label[2]:
                labels[label[0]] = label
    return list(labels.values()), tags


def _observations(data: Any, most: int) -> list[Observation]:
    """Return the observations of an annotation: a list of objects, or an object of lists as older versions wrote."""
    if isinstance(data, dict):
        columns = [data.get(name) for name in ("time", "duration", "value", "confidence")]
        if not all(isinstance(column, list) for column in columns):
            return []
        rows: Iterator[Any] = zip(*columns, strict=False)
    elif isinstance(data, list):
        rows = (
            tuple(o.get(n) for n in ("time", "duration", "value", "confidence")) for o in data if isinstance(o, dict)
        )
    else:
        return []
    found: list[Observation] = []
    for row in rows:
        if len(found) >= most:
            break
        time, seconds, value, sure = row
        if value is not None:
            found.append(Observation(_number(time, 0.0), _number(seconds, 0.0), value, _sure(sure)))
    return found


def _number(value: Any, otherwise: float) -> float:
    fits = isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) < 1e9
    return float(value) if fits else otherwise


def _sure(value: Any) -> float:
    return min(1.0, max(0.0, _number(value, 1.0)))


def _longest(seen: Sequence[Observation]) -> Observation | None:
    """Return the value that holds longest, as surely as its share of the time and its own confidence."""
    held: dict[str, list[Observation]] = {}
    for one in seen:
        if isinstance(one.value, (str, int, float)) and not isinstance(one.value, bool):
            held.setdefault(str(one.value), []).append(one)
    if not held:
        return None
    best = max(held.values(), key=lambda group: (sum(o.seconds for o in group), len(group)))
    whole, mine = sum(o.seconds for group in held.values() for o in group), sum(o.seconds for o in best)
    share = mine / whole if whole > 0 else 1 / len(held)
    return best[0]._replace(confidence=round(share * max(o.confidence for o in best), 3))


def _key(seen: Sequence[Observation]) -> Iterator[Label]:
    one = _longest(seen)
    tonic, _, mode = str(one.value).partition(":") if one else ("", "", "")
    if one and tonic not in _TONELESS:
        yield "key", tonic, one.confidence
        if mode:
            yield "mode", {"maj": "major", "min": "minor"}.get(mode, mode), one.confidence


def _tempo(seen: Sequence[Observation]) -> Iterator[Label]:
    told = [one for one in seen if _number(one.value, 0.0) > 0]
    if told:
        best = max(told, key=lambda one: (one.confidence, one.seconds))
        yield "tempo_bpm", _number(best.value, 0.0), best.confidence


def _beat(seen: Sequence[Observation]) -> Iterator[Label]:
    """Yield the tempo of beats, as surely as they are regular: the share of steps within 5 in 100 of the median."""
    steps = [after - before for before, after in pairwise(sorted(one.time for one in seen)) if after > before]
    if len(steps) >= _BEATS:
        middle = statistics.median(steps)
        even = sum(abs(step - middle) <= 0.05 * middle for step in steps) / len(steps)
        yield "tempo_bpm", round(60 / middle, 2), round(0.9 * even, 3)


def _chord(seen: Sequence[Observation]) -> Iterator[Label]:
    names = [str(one.value)[:40] for one in sorted(seen, key=lambda one: one.time) if isinstance(one.value, str)]
    told = [name for name in names if name not in _TONELESS and not name.isspace()]
    once = [name for place, name in enumerate(told) if not place or told[place - 1] != name][:_CHORDS]
    if once:
        yield "chord_progression", once, round(statistics.fmean(one.confidence for one in seen), 3)


def _thayer(seen: Sequence[Observation]) -> Iterator[Label]:
    """Yield valence and arousal, each the mean over time, if they are in -1..1."""
    pairs = [
        (one, [float(v) for v in one.value])
        for one in seen
        if isinstance(one.value, list)
        and len(one.value) == 2
        and all(abs(_number(v, math.inf)) <= 1 for v in one.value)
    ]
    if not pairs:
        return
    weights = [max(one.seconds, 1e-9) for one, _ in pairs]
    sure = min(one.confidence for one, _ in pairs)
    for place, name in enumerate(("valence", "arousal")):
        mean = sum(w * pair[place] for w, (_, pair) in zip(weights, pairs, strict=True)) / sum(weights)
        yield name, round(mean, 6), sure


def _nothing(_seen: Sequence[Observation]) -> Iterator[Label]:
    return iter(())


_READERS: Final[Mapping[str, Callable[[Sequence[Observation]], Iterator[Label]]]] = {
    "key_mode": _key,
    "tempo": _tempo,
    "beat": _beat,
    "chord": _chord,
    "chord_harte": _chord,
    "mood_thayer": _thayer,
}
