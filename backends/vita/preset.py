"""Vital's preset format: JSON with every control, and the assets beside them.

Written from patches without an engine, and taken apart into patches and assets.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tonesmith.backends.vita.preset_checks import MAX_LFOS, MAX_MODULATIONS, MAX_WAVETABLES, HarmfulError, checked
from tonesmith.errors import EngineError
from tonesmith.host import textfile
from tonesmith.space.patch import Modulation, Patch, sha256_hex
from tonesmith.space.preset import Preset

MAX_BYTES = 64 << 20
"""Of a preset."""
_MAX_TEXT = 500
_TEXTS = ("preset_name", "author", "preset_style", "comments")
_VERSION = "1.5.5"
"""The Vital version named in presets: the engine's own "99999.9.9" would be refused by Vital as newer."""
_SLOT_FIELDS = ("amount", "power", "bipolar", "stereo", "bypass")
_SLOT_CONTROL = re.compile(r"modulation_(\d+)_(amount|power|bipolar|stereo|bypass)$")
_WAVETABLES = tuple(f"wavetable_{i}" for i in range(1, MAX_WAVETABLES + 1))
_LFOS = tuple(f"lfo_{i}" for i in range(1, MAX_LFOS + 1))
_LINES = "modulation_lines"
MODULES = {f"wavetable_{i}": f"osc_{i}" for i in range(1, MAX_WAVETABLES + 1)}
MODULES |= {slot: slot for slot in (*_LFOS, "sample")}
"""The module that each asset slot belongs to; the remapping curves belong to the routing."""
CHOOSERS = {f"osc_{i}_wavetable": f"wavetable_{i}" for i in range(1, MAX_WAVETABLES + 1)}
"""The parameters that choose what an asset slot holds. Vital has no such controls."""
SLOTS = (*_WAVETABLES, *_LFOS, "sample", _LINES)
"""The asset slots of a patch. ``modulation_lines`` maps slot numbers to remapping curves; "" if none is drawn."""


def slot_controls(modulations: Sequence[Modulation]) -> dict[str, float]:
    """Return the controls of the modulation slots: the i-th modulation has those of slot i, from 1."""
    return {
        f"modulation_{slot}_{field}": float(getattr(modulation, field))
        for slot, modulation in enumerate(modulations, 1)
        for field in _SLOT_FIELDS
    }


def controls_of(patch: Patch) -> dict[str, float]:
    """Return the value of every control of Vital that a patch sets."""
    values = {name: value for name, value in patch.values.items() if name not in CHOOSERS}
    return {**values, **slot_controls(patch.modulations)}


def template_json(patch: Patch, contents: Mapping[str, bytes]) -> str:
    """Return a preset with the patch's assets and routing, and every control but oversampling at its default."""
    from tonesmith.backends.vita.shapes import OVERSAMPLING

    return _json(patch, contents, "", {OVERSAMPLING: patch.values[OVERSAMPLING]})


def preset_json(patch: Patch, contents: Mapping[str, bytes], name: str) -> str:
    """Return the preset of a patch that has a value for every control, as Vital and vita load it."""
    return _json(patch, contents, name, controls_of(patch))


def _json(patch: Patch, contents: Mapping[str, bytes], name: str, controls: Mapping[str, float]) -> str:
    if len(patch.modulations) > MAX_MODULATIONS:
        raise EngineError(f"the patch has {len(patch.modulations)} modulations; Vital has room for {MAX_MODULATIONS}")
    held = {slot: json.loads(contents[sha]) for slot, sha in patch.assets.items()}
    lines = held.get(_LINES, {})
    modulations: list[dict[str, Any]] = [{"source": "", "destination": ""} for _ in range(MAX_MODULATIONS)]
    for slot, modulation in enumerate(patch.modulations):
        modulations[slot] = {"source": modulation.source, "destination": modulation.destination}
        if str(slot) in lines:
            modulations[slot]["line_mapping"] = lines[str(slot)]
    settings: dict[str, Any] = {key: float(value) for key, value in controls.items()}
    settings |= {
        "wavetables": [held[slot] for slot in _WAVETABLES if slot in held],
        "lfos": [held[slot] for slot in _LFOS if slot in held],
        "sample": held.get("sample", {}),
        "modulations": modulations,
    }
    preset = {"author": "", "comments": "", "preset_name": name, "preset_style": "", "synth_version": _VERSION}
    return json.dumps({**preset, "settings": settings})


def assets_of(preset: Mapping[str, Any]) -> dict[str, bytes]:
    """Return slot -> content of a preset that Vital wrote. Contents are canonical JSON, so equal ones are one."""
    settings = preset["settings"]
    parts = dict(zip(_WAVETABLES, settings["wavetables"], strict=True))
    parts |= dict(zip(_LFOS, settings["lfos"], strict=True))
    connected = [m for m in settings["modulations"] if m.get("source") and m.get("destination")]
    lines = {str(i): m["line_mapping"] for i, m in enumerate(connected) if "line_mapping" in m}
    parts |= {"sample": settings["sample"], _LINES: lines}
    return {slot: json.dumps(part, sort_keys=True, separators=(",", ":")).encode() for slot, part in parts.items()}


def routing_of(text: str) -> list[tuple[str, str]]:
    """Return (source, destination) of each connected slot of a preset, in slot order."""
    slots = parse(text)["settings"]["modulations"]
    return [(m["source"], m["destination"]) for m in slots if m["source"] and m["destination"]]


def preset_of(
    preset: Mapping[str, Any],
    original: Mapping[str, Any],
    controls: Mapping[str, tuple[float, float, bool]],
    sha256: str,
    stem: str,
) -> Preset:
    """Return what is in a preset that Vital wrote.

    Args:
        preset: as Vital saved it after loading and upgrading the file.
        original: the file itself, which tells its maker and its version.
        controls: name -> (min, max, whether it is discrete) of every control.
        sha256: of the file.
        stem: of its name, for a preset without one.
    """
    settings = preset["settings"]
    slots = [i for i, m in enumerate(settings["modulations"], 1) if m.get("source") and m.get("destination")]
    values = {
        name: _inside(float(settings[name]), *bounds)
        for name, bounds in controls.items()
        if not _SLOT_CONTROL.match(name) and "view_" not in name
    }
    contents = assets_of(preset)
    patch = Patch(
        values=values,
        modulations=tuple(_modulation(settings, slot, controls) for slot in slots),
        assets={slot: sha256_hex(part) for slot, part in contents.items()},
        preset=sha256,
    )
    return Preset(
        patch,
        {sha256_hex(part): part for part in contents.values()},
        name=_text(original, "preset_name") or stem,
        author=_text(original, "author"),
        style=_text(original, "preset_style"),
        comments=_text(original, "comments"),
        version=_text(original, "synth_version"),
        random=_random(patch),
    )


def _text(preset: Mapping[str, Any], key: str) -> str:
    """Return one line of text that a preset holds under a key; whatever else it holds is no text."""
    value = preset.get(key, "")
    printable = "".join(c if c.isprintable() else " " for c in value) if isinstance(value, str) else ""
    return " ".join(printable.split())[:_MAX_TEXT]


def _random(patch: Patch) -> tuple[str, ...]:
    """Return the names of the controls and sources by which a patch draws random numbers."""
    phases = [
        f"{module}_random_phase"
        for module in ("osc_1", "osc_2", "osc_3", "sample")
        if patch.values[f"{module}_on"] and patch.values[f"{module}_random_phase"]
    ]
    sources = {m.source for m in patch.modulations if m.source.startswith("random") and not m.bypass}
    return (*phases, *sorted(sources))


def _inside(value: float, low: float, high: float, discrete: bool) -> float:
    bounded = min(max(value, low), high)
    return float(round(bounded)) if discrete else bounded


def _modulation(
    settings: Mapping[str, Any], slot: int, controls: Mapping[str, tuple[float, float, bool]]
) -> Modulation:
    routing = settings["modulations"][slot - 1]
    names = [f"modulation_{slot}_{field}" for field in _SLOT_FIELDS]
    amount, power, *switches = (_inside(float(settings[name]), *controls[name]) for name in names)
    return Modulation(routing["source"], routing["destination"], amount, power, *(round(s) != 0 for s in switches))


def read_bounded(path: Path) -> bytes:
    """Return the content of a preset file. Raises :class:`EngineError` for one that is too large."""
    size = path.stat().st_size
    if size > MAX_BYTES:
        raise EngineError(f"{size >> 20} MB; presets of more than {MAX_BYTES >> 20} MB are not opened")
    return path.read_bytes()


def read_text(content: bytes) -> str:
    """Return the text of a preset file that does Vital no harm: what was checked, written anew.

    So Vital reads what was read here, whatever was doubled or in another encoding, and no more of its texts than
    is shown. Raises :class:`EngineError` with what is wrong.
    """
    preset = harmless(textfile.decoded(content))
    texts = {key: _text(preset, key) for key in _TEXTS}
    return json.dumps({**texts, "synth_version": preset.get("synth_version"), "settings": preset["settings"]})


def harmless(text: str) -> dict[str, Any]:
    """Return the JSON of a preset that does Vital no harm. Raises :class:`EngineError` with what is wrong."""
    try:
        return checked(text)
    except HarmfulError as error:
        raise EngineError(str(error)) from None
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise EngineError(f"not a Vital preset ({type(error).__name__}: {error})") from None


def parse(text: str) -> dict[str, Any]:
    """Return the JSON of a preset."""
    data = json.loads(text)
    if not isinstance(data, dict) or not isinstance(data.get("settings"), dict):
        raise ValueError("it has no settings")  # noqa: TRY004 - JSON of another kind is a wrong value
    return data
