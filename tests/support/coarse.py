"""A synth that holds other values than it is told, as a plugin in a file, and a plan for it."""

from __future__ import annotations

from typing import Any

COARSE = """
from dataclasses import replace
from tonesmith import hookimpl
from tonesmith.testing.chaos import Chaos


class Coarse(Chaos):
    name = "coarse"

    def prepare(self, patch):
        told = patch.values["level"]
        level = min(round(4 * told) / 4, 0.5 if patch.values["freq"] > 1000.0 else 1.0) or 0.25
        if told < 0.1:
            level = told + 0.001
        self._held = {"level": level} if level != patch.values["level"] else {}
        super().prepare(replace(patch, values={**patch.values, "level": level}))

    def held(self):
        return self._held

    def read(self):
        return self._patch.values

    def render(self, note):
        assert not self._held
        return super().render(note)


@hookimpl
def tonesmith_backends():
    return [Coarse]
"""
SETTINGS: dict[str, Any] = {
    "patches": 6,
    "sample_rate": 8000,
    "block": 2,
    "notes": {"pitches": [60, 72], "hold": 0.05, "tail": 0.05},
    "backend": {"name": "coarse"},
    "validators": {"level": {}},
    "space": {"ranges": {"level": (0.1, 1.0)}},
}
