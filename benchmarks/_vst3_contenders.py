"""What the benchmark of VST3 plugins compares tonesmith with.

A note never comes in the block in which parameters are set: Surge XT dies of one that meets a new type of filter.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

_SILENT = 64
"""Frames of silence between setting parameters and playing a note."""

Round = Callable[[], Mapping[str, float]]


def raw_plugin(job: Mapping[str, Any]) -> Round:
    """One plugin for all, loaded without the scan: set by index and render. Tails and stale values leak."""
    from tonesmith.backends.vst3.plugin import HostedPlugin

    plugin = HostedPlugin(Path(job["plugin"]), job["sample_rate"])

    def once() -> dict[str, float]:
        for raws, note in _notes(job):
            for index, raw in raws:
                plugin.parameters[index].raw_value = raw
            plugin.run(_SILENT)
            _render(plugin._plugin, job, note, reset=False)
        return {}

    return once


def as_documented(job: Mapping[str, Any]) -> Round:
    """One plugin for all, as pedalboard's documentation has it: set parameters by name, render with a reset."""
    plugin, names = _loaded(job)

    def once() -> dict[str, float]:
        parameters = plugin.parameters
        for raws, note in _notes(job):
            for index, raw in raws:
                if names[index] in parameters:
                    parameters[names[index]].raw_value = raw
            plugin.process([], _SILENT / job["sample_rate"], job["sample_rate"], 2, 2048, False)
            _render(plugin, job, note)
        return {}

    return once


def synth_permutations(job: Mapping[str, Any]) -> Round:
    """Do as synth-permutations is known to: preset, flush of 32 s, set by name, flush, render, flush.

    The audio is wrong where a set equals a stale value.
    """
    plugin, names = _loaded(job)
    rate = job["sample_rate"]

    def flush() -> None:
        plugin.process([], 32.0, rate, 2, 2048, True)
        plugin.reset()

    def once() -> dict[str, float]:
        for raws, note in _notes(job):
            plugin.load_preset(job["preset"])
            flush()
            for index, raw in raws:
                parameter = plugin.parameters.get(names[index])
                if parameter is not None:
                    parameter.raw_value = raw
            flush()
            _render(plugin, job, note)
            flush()
        return {}

    return once


def _loaded(job: Mapping[str, Any]) -> tuple[Any, dict[int, str]]:
    """Return pedalboard's plugin, and the name by which it knows each parameter at first."""
    import pedalboard

    plugin = pedalboard.load_plugin(job["plugin"], initialization_timeout=0.0)
    by_title = {parameter.name: name for name, parameter in plugin.parameters.items()}
    return plugin, {index: by_title.get(p.name, "") for index, p in enumerate(plugin._parameters)}


def _render(plugin: Any, job: Mapping[str, Any], note: list[Any], *, reset: bool = True) -> None:
    pitch, velocity, hold, tail = note
    events = [([0x90, pitch, velocity], 0.0), ([0x80, pitch, 0], hold)]
    plugin.process(events, hold + tail, job["sample_rate"], 2, 2048 if reset else 8192, reset)


def _notes(job: Mapping[str, Any]) -> Iterator[tuple[list[tuple[int, float]], list[Any]]]:
    """Yield the raw values by index, and the note, of each row."""
    for patch in job["raws"]:
        raws = [(int(index), raw) for index, raw in patch.items()]
        for note in job["notes"]:
            yield raws, note


KINDS: Mapping[str, Callable[[Mapping[str, Any]], Round]] = {
    "vst3 raw": raw_plugin,
    "vst3 documented": as_documented,
    "vst3 recipe": synth_permutations,
}
