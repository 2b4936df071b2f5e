"""Whether the values that an engine says it has are those that it was told."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from tonesmith.doctor.checkup import Finding
from tonesmith.doctor.repeatability import Subject
from tonesmith.engine.client import Engine
from tonesmith.errors import TonesmithError
from tonesmith.space.patch import Patch
from tonesmith.space.space import ParameterSpace

_CHECK = "read back"
_TOLERANCE = 1e-5
"""Of a parameter's range: how far a value read back may lie from what was set, for a float32 in between."""


def read_back(engine: Engine, subject: Subject, space: ParameterSpace, patches: Sequence[Patch]) -> Finding:
    """Return what an engine says of its values, beside what it was told in some patches."""
    lost: dict[str, str] = {}
    held: dict[str, float] = {}
    told = 0
    for drawn in patches:
        try:
            rounded = engine.play(drawn, [subject.note], subject.render_seconds)[0].held
            patch = _as_labelled(space, drawn, rounded)
            values = engine.read(patch, subject.render_seconds)
        except TonesmithError as error:
            return Finding(_CHECK, "warn", f"a random patch was refused: {error}")
        held |= rounded
        shared = patch.values.keys() & values.keys()
        told += len(shared)
        for name in shared:
            span = space[name].high - space[name].low
            if not abs(values[name] - patch.values[name]) <= _TOLERANCE * span:
                lost[name] = f"{name} was set to {patch.values[name]:g} but is {values[name]:g}"
    if lost:
        cure = "Leave them out with space.exclude, or fix them at their value."
        return Finding(_CHECK, "fail", _some([lost[name] for name in sorted(lost)], "; "), cure)
    if not told:
        return Finding(_CHECK, "ok", "this backend does not report its values")
    more = f"; the synth decides some otherwise, and labels have what it holds: {_some(sorted(held))}" if held else ""
    return Finding(_CHECK, "ok", f"{told} values of {len(patches)} random patches arrive as set{more}")


def _as_labelled(space: ParameterSpace, patch: Patch, held: Mapping[str, float]) -> Patch:
    """Return a patch as its label would be stored."""
    if not held:
        return patch
    return space.decode(space.encode(replace(patch, values={**patch.values, **held})))


def _some(texts: Sequence[str], between: str = ", ") -> str:
    """Return the first few of several texts, and how many more there are."""
    return between.join(texts[:3]) + (f", and {len(texts) - 3} more" if len(texts) > 3 else "")
