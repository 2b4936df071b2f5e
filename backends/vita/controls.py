"""Vital's parameter space, read from the live engine."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from tonesmith.backends.vita.gates import gated
from tonesmith.backends.vita.preset import MODULES
from tonesmith.backends.vita.preset_checks import MAX_MODULATIONS
from tonesmith.space.parameter import Curve, Parameter
from tonesmith.space.patch import sha256_hex
from tonesmith.space.space import ParameterSpace

_NOT_SOUND = re.compile(r"modulation_\d+_|osc_\d_view_2d$|view_spectrogram$")
_NUMBERED = re.compile(r"((?:osc|env|lfo|random|filter)_(?:\d|fx))_")
_EFFECTS = ("chorus", "compressor", "delay", "distortion", "eq", "flanger", "phaser", "reverb", "sample")
_CURVES: dict[str, Curve] = {
    "Indexed": "linear",
    "Linear": "linear",
    "Quadratic": "quadratic",
    "Cubic": "cubic",
    "Quartic": "quartic",
    "SquareRoot": "root",
    "Exponential": "exponential",
}


def read_space(vita: Any, synth: Any, assets: Mapping[str, bytes]) -> ParameterSpace:
    """Return every control that shapes sound, with what Vital says of it.

    Asking the library for modulation names moves its random state: the synth is not fit to render after.
    """
    controls = synth.get_controls()
    names = [name for name in sorted(controls) if not _NOT_SOUND.match(name)]
    return ParameterSpace(
        parameters=gated(_parameter(name, synth.get_control_details(name), controls[name]) for name in names),
        sources=tuple(vita.get_modulation_sources()),
        destinations=tuple(vita.get_modulation_destinations()),
        modulation_slots=MAX_MODULATIONS,
        assets={slot: sha256_hex(content) for slot, content in assets.items()},
        modules=MODULES,
    )


def _parameter(name: str, details: Any, control: Any) -> Parameter:
    return Parameter(
        name=name,
        kind="categorical" if details.is_discrete else "continuous",
        low=details.min,
        high=details.max,
        default=details.default_value,
        choices=_choices(details),
        unit=details.display_units.strip(),
        group=_group_of(name),
        curve=_curve_of(details, control),
        scale=details.display_multiply,
        offset=details.post_offset,
    )


def _group_of(name: str) -> str:
    numbered = _NUMBERED.match(name)
    if numbered:
        return numbered.group(1)
    first = name.split("_", 1)[0]
    if first in _EFFECTS or first in {"macro", "volume"}:
        return first
    return "voice"


def _choices(details: Any) -> tuple[str, ...]:
    """Return a text for each choice. Some of Vital's lists are shorter than the range, some repeat a name."""
    named = list(details.options)
    if not named:
        return ()
    count = round(details.max) - round(details.min) + 1
    named = [*named[:count], *(str(i) for i in range(len(named), count))]
    return tuple(f"{name} {named[:i].count(name) + 1}" if name in named[:i] else name for i, name in enumerate(named))


def _curve_of(details: Any, control: Any) -> Curve:
    """Return the curve from raw to shown value. Vital inverts some exponentials, and tells only in its texts."""
    curve = _CURVES[details.scale.name]
    if curve != "exponential":
        return curve
    before = control.value()
    control.set(2.0)
    shown = float(re.match(r"\s*(-?[\d.]+)", control.get_text()).group(1))  # type: ignore[union-attr]
    control.set(before)
    return "exponential" if shown > 1.0 * details.display_multiply else "inverse-exponential"
