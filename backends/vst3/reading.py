"""What the live plugin is asked: which controls it has, and which values they have now."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tonesmith.backends.vst3.binary import binary_of, sha256_of
from tonesmith.backends.vst3.cache import keep_controls, kept_controls
from tonesmith.backends.vst3.controls import TOLERANCE, Control, Known, derived, specified, titles_of
from tonesmith.backends.vst3.plugin import HostedPlugin
from tonesmith.backends.vst3.presetfile import states
from tonesmith.backends.vst3.spec import Spec
from tonesmith.backends.vst3.surge import read_values
from tonesmith.engine.forks import forked
from tonesmith.engine.machine import can_fork
from tonesmith.errors import ConfigError, EngineError

_BETWEEN, _ELSEWHERE = 0.31371, 0.86293
"""Raw values that are none of a list's."""


def read_controls(plugin: HostedPlugin, path: Path, sample_rate: int, spec: Spec | None) -> Known:
    """Return what a spec names, or all there is and what is left out of it.

    Args:
        plugin: as it loaded; it stays so.
        path: of its bundle.
        sample_rate: Hz.
        spec: if there is one.

    Raises :class:`ConfigError` if the spec does not fit the plugin, or there is nothing to vary.
    """
    if spec is not None:
        told = () if spec.plugin.complete else _known(plugin, path, sample_rate).controls
        return Known(_trusted(plugin, specified(plugin.parameters, spec, told), spec, path))
    known = _known(plugin, path, sample_rate)
    if known.controls:
        return known
    raise ConfigError(f"{path}: {plugin.name} has no parameters to vary.")


def told_values(plugin: HostedPlugin, controls: Collection[Control], spec: Spec | None) -> NDArray[np.float64]:
    """Return the raw value of each control as the plugin has it: float64 (controls,).

    Its state is asked first, which is a look at it. What that leaves open the plugin tells once it is made to load its
    own state.
    """
    if spec is not None and spec.plugin.state and all(control.tag for control in controls):
        naturals = read_values(component_of(plugin))
        told = [c.from_state(naturals[c.tag]) if c.tag in naturals else None for c in controls]
        if None not in told:
            return np.array(told, np.float64)
    return np.array(plugin.told_values(control.index for control in controls), np.float64)


def component_of(plugin: HostedPlugin) -> bytes:
    """Return the state of the plugin's component, without what the host adds."""
    return states(plugin.preset())[0]


def _known(plugin: HostedPlugin, path: Path, sample_rate: int) -> Known:
    """Return all controls, derived from the plugin now or in an earlier process."""
    sha256, titles = sha256_of(binary_of(path)), titles_of(plugin.parameters)
    known = kept_controls(sha256, titles)
    if known is None:
        known = _derived(plugin, path, sample_rate)
        keep_controls(sha256, titles, known)
    return known


def _derived(plugin: HostedPlugin, path: Path, sample_rate: int) -> Known:
    """Return the controls, read in copies of this process where there are forks, else from other instances."""
    if can_fork():
        told = forked(lambda: {"controls": [asdict(control) for control in _derived_from(plugin)]})
        controls = tuple(Control.from_json(fields) for fields in told["controls"])
    else:
        controls = _derived_from(HostedPlugin(path, sample_rate))
    try:
        lost = forked(lambda: {"lost": lost_of(plugin, controls)})["lost"] if can_fork() else []
    except EngineError:
        lost = []  # it died of values that no patch may ever have together
    return Known(controls, frozenset(lost))


def lost_of(plugin: HostedPlugin, controls: Collection[Control]) -> list[int]:
    """Return the indices of parameters that do not take a value, or do not tell it after a state was loaded.

    All are set to one value, and then to another: one that tells the same before and between takes neither. Then the
    state with the first values is loaded: one that does not tell what it told then is not in the state, or the plugin
    leaves the host in the dark about it. The plugin is used up by it.
    """
    indices = [control.index for control in controls]
    before = _told_of(plugin, indices)
    one = _told_as(plugin, indices, _BETWEEN)
    state = plugin.state()
    other = _told_as(plugin, indices, _ELSEWHERE)
    plugin.reload(state)
    again = _told_of(plugin, indices)
    stuck = (np.abs(one - before) <= TOLERANCE) & (np.abs(other - before) <= TOLERANCE)
    untold = [not c.same(told, now) for c, told, now in zip(controls, one.tolist(), again.tolist(), strict=True)]
    return [index for index, lost in zip(indices, (stuck | np.array(untold)).tolist(), strict=True) if lost]


def _told_as(plugin: HostedPlugin, indices: Collection[int], raw: float) -> NDArray[np.float64]:
    """Set all to one value, twice, because a list may reset others, and return what is told of them."""
    for _ in range(2):
        plugin.set(dict.fromkeys(indices, raw))
        plugin.apply()
    return _told_of(plugin, indices)


def _told_of(plugin: HostedPlugin, indices: Collection[int]) -> NDArray[np.float64]:
    return np.array(plugin.told_values(indices), np.float64)


def _derived_from(plugin: HostedPlugin) -> tuple[Control, ...]:
    """Return the controls of a plugin, which is used up by it."""

    def stepped(indices: Collection[int]) -> list[int]:
        plugin.set(dict.fromkeys(indices, _BETWEEN))
        plugin.apply()
        told = plugin.told_values(indices)
        return [index for index, raw in zip(indices, told, strict=True) if abs(raw - _BETWEEN) > TOLERANCE]

    return derived(plugin.parameters, stepped)


def _trusted(plugin: HostedPlugin, controls: tuple[Control, ...], spec: Spec, path: Path) -> tuple[Control, ...]:
    """Return the controls, those without a tag whose value in the state is not the host's as the plugin loads."""
    if not spec.plugin.state:
        return controls
    try:
        naturals = read_values(component_of(plugin))
    except EngineError as error:
        raise ConfigError(f"the spec {spec.source} does not fit {path}: it has {error}") from None

    def agrees(control: Control, host: float) -> bool:
        raw = control.from_state(naturals[control.tag]) if control.tag in naturals else None
        return raw is None or control.same(host, raw)

    host = plugin.host_values(control.index for control in controls)
    pairs = zip(controls, host, strict=True)
    return tuple(control if agrees(control, raw) else replace(control, tag="") for control, raw in pairs)
