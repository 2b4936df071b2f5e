"""Plugins in DawDreamer whose sound depends on the clock, a random device or an address: the same in any process."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from support.vst3.build import built

from tonesmith.backends.dawdreamer import DawDreamerBackend, DawDreamerOptions
from tonesmith.engine.client import Engine
from tonesmith.engine.isolation import is_pinned
from tonesmith.pinning.start import HOLDABLE, holdable
from tonesmith.plan.plan import Audio, PluginRef
from tonesmith.space.patch import Note, Patch

NOTE = Note(60, 100, 0.1, 0.1)
FORM = Audio(44100, 2, 8820)
everything = pytest.mark.skipif(set(holdable()) != set(HOLDABLE), reason="this system does not let a process be pinned")


def rows(plugin: Path, *, pin: bool) -> list[bytes]:
    """Return the sound of two patches in a new process."""
    reference = PluginRef("dawdreamer", {"instrument": str(plugin), "pin": pin})
    with Engine(reference, FORM, 1, "snapshot", asset=lambda name: b"") as engine:
        space = engine.describe(NOTE.hold, NOTE.tail).space
        sounds = []
        for cutoff in (0.5, 0.9):
            patch = Patch({**{p.name: p.default for p in space.parameters}, "Cutoff": cutoff})
            assert engine.play(patch, [NOTE], 20.0)[0].failure == ""
            sounds.append(engine.audio.tobytes())
    return sounds


@everything
@pytest.mark.long
@pytest.mark.parametrize("kind", ["late", "address"])
def test_a_row_of_a_hosted_plugin_sounds_the_same_in_another_process_if_it_is_pinned(kind, tmp_path):
    plugin = built(tmp_path, "TinySynth", f"RANDOM={kind}")

    first = rows(plugin, pin=True)
    assert first[0] != first[1]
    assert rows(plugin, pin=True) == first
    assert not set(rows(plugin, pin=False)) & set(first)


@pytest.mark.parametrize(
    ("instrument", "pin", "recorded"),
    [("fm", True, {}), ("/a/b.dsp", True, {}), ("/a/b.vst3", True, {"pin": True}), ("/a/b.vst3", False, {})],
)
def test_a_plan_tells_of_pinning_where_there_is_any_to_tell_of(instrument, pin, recorded):
    options = DawDreamerOptions(instrument=instrument, pin=pin)
    stored: dict[str, Any] = DawDreamerBackend.recorded(options).model_dump(mode="json")

    assert {name: stored[name] for name in stored if name == "pin"} == recorded
    assert is_pinned(PluginRef("dawdreamer", stored)) == bool(recorded)
    again = DawDreamerOptions.model_validate(DawDreamerBackend.from_plan(stored))
    assert DawDreamerBackend.recorded(again).model_dump(mode="json") == stored
