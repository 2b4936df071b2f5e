"""In what the plans of two datasets differ, in words."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from tonesmith.analysis.report.chart import Section, Table, short
from tonesmith.analysis.report.facts import head_of
from tonesmith.analysis.report.sections import Side
from tonesmith.plan.differences import compared
from tonesmith.terminal.text import counted, joined

_MOST_LINES = 200
_MOST_NAMES = 20
_UNTOLD = ("space.sources", "format")
_WORDS = {
    "seed": "seed",
    "block": "patches of a block",
    "max_attempts": "draws of a patch at most",
    "audio.sample_rate": "sample rate, Hz",
    "audio.channels": "channels",
    "audio.frames": "frames of a sound",
    "notes.pitches": "pitches",
    "notes.velocities": "velocities",
    "notes.hold": "seconds that notes are held",
    "notes.tail": "seconds after the note",
    "notes.draw": "notes drawn for a patch",
    "backend.name": "synthesizer",
    "sampler.name": "patches drawn by",
    "sink.name": "stored by",
    "origins": "origins of patches",
    "isolation": "isolation",
    "determinism": "determinism",
}
_PARTS = (
    (re.compile(r"^space\.parameters\.(.*)\.(\w+)$"), r"parameter \1: \2"),
    (re.compile(r"^space\.(fixed|held)\.(.*)$"), r"parameter \2, \1 at"),
    (re.compile(r"^backend\.options\.(.*)$"), r"synthesizer's option \1"),
    (re.compile(r"^sampler\.options\.(.*)$"), r"sampler's option \1"),
    (re.compile(r"^sink\.options\.(.*)$"), r"storage's option \1"),
    (re.compile(r"^validators\.(.*)$"), r"validator \1"),
    (re.compile(r"^versions\.(.*)$"), r"version of \1"),
    (re.compile(r"^presets\.(.*)$"), r"preset \1"),
)


def differences_of(sides: Sequence[Side]) -> Section:
    """Return the section that tells in what two plans differ."""
    one, other = sides
    found = [
        row
        for row in compared(one.dataset.plan, other.dataset.plan)
        if not row[0].startswith(_UNTOLD) and not set(row[1:]) <= {"absent", "{}"}
    ]
    sentences = " ".join(_sentences(one, other, len(found)))
    rows = [(words(key), _said(before), _said(after)) for key, before, after in found[:_MOST_LINES]]
    note = f"{len(found) - _MOST_LINES:,} more differ." if len(found) > _MOST_LINES else ""
    heads = (short(one.name), short(other.name))
    facts = zip(head_of(one.told), head_of(other.told), strict=True)
    glance = Table("At a glance", "", ("", *heads), [_beside(pair) for pair in facts])
    tables = (Table("Settings", note, ("setting", *heads), rows),) if rows else ()
    return Section("differences", "How they differ", sentences, (glance, *tables))


def _beside(pair: tuple[tuple[str, str], tuple[str, str]]) -> tuple[str, str, str]:
    (name, one), (_, other) = pair
    return name, one, other


def _said(value: str) -> str:
    """Return a value as a person says it, lists without their marks."""
    listed = value[1:-1].replace("'", "") if value.startswith("[") and value.endswith("]") else value
    return short(listed) or "none"


def words(key: str) -> str:
    """Return the key of a setting as a person says it."""
    if key in _WORDS:
        return _WORDS[key]
    for pattern, said in _PARTS:
        if pattern.match(key):
            return short(pattern.sub(said, key))
    return short(key.replace(".", ", ").replace("_", " "))


def _sentences(one: Side, other: Side, count: int) -> Iterator[str]:
    if one.dataset.plan.fingerprint == other.dataset.plan.fingerprint:
        yield "Both are of one plan: rows with the same number are the same."
        return
    yield f"{counted(count, 'setting differs', 'settings differ')}."
    for side, rest in ((one, other), (other, one)):
        known = set(rest.dataset.space.names)
        own = [short(name) for name in side.dataset.space.names if name not in known]
        if own:
            listed = joined(
                [*own[:_MOST_NAMES], *([f"{len(own) - _MOST_NAMES} more"] if len(own) > _MOST_NAMES else [])]
            )
            yield f"Only {short(side.name)} varies {listed}."
