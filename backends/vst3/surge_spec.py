"""Writes ``surge_xt.toml`` from what was measured of Surge XT 1.4.0.

    python -m tonesmith.backends.vst3.surge_spec surge-params.json > surge_xt.toml

The measured list has name, index, initial raw value, natural range and number of values of all 775 parameters. What is
added here: the tags by which the XML of a patch names them, what varies, and between which bounds.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

SLOTS = ("A1", "A2", "B1", "B2", "S1", "S2", "G1", "G2", "A3", "A4", "B3", "B4", "S3", "S4", "G3", "G4")
WHOLE = {
    "Global Volume": "volume",
    "Active Scene": "scene_active",
    "Scene Mode": "scenemode",
    "Split Point": "splitkey",
    "Polyphony Limit": "polylimit",
    "FX Chain Bypass": "fx_bypass",
    "Character": "character",
}
SCENE = {
    "Octave": "octave",
    "Pitch": "pitch",
    "Portamento": "portamento",
    "Play Mode": "polymode",
    "FM Routing": "fm_switch",
    "FM Depth": "fm_depth",
    "Osc Drift": "drift",
    "Noise Color": "noisecol",
    "Keytrack Root Key": "ktrkroot",
    "Volume": "volume",
    "Pan": "pan",
    "Width": "pan2",
    "Pitch Bend Up Range": "pbrange_up",
    "Pitch Bend Down Range": "pbrange_dn",
    "VCA Gain": "vca_level",
    "Velocity > VCA Gain": "vca_velsense",
    "Feedback": "feedback",
    "Filter Configuration": "fb_config",
    "Filter Balance": "f_balance",
    "Highpass": "lowcut",
    "Waveshaper Type": "ws_type",
    "Waveshaper Drive": "ws_drive",
    "Filter 2 Offset Mode": "f2_cf_is_offset",
    "Link Resonance": "f2_link_resonance",
    "Pre-Filter Gain": "level_pfg",
}
OSC = {
    "Type": "type", "Octave": "octave", "Pitch": "pitch", "Keytrack": "keytrack", "Retrigger": "retrigger",
}  # fmt: skip
MIXER = {"Volume": "level", "Mute": "mute", "Solo": "solo", "Route": "route"}
FILTER = {
    "Type": "type", "Cutoff": "cutoff", "Resonance": "resonance", "FEG Mod Amount": "envmod", "Keytrack": "keytrack",
}  # fmt: skip
EG = {"Envelope Mode": "mode"}
LFO = {"Type": "shape", "Amplitude": "magnitude", "Trigger Mode": "trigmode"}

VARIED = (
    *(f"a_osc_{i}_{what}" for i in (1, 2, 3) for what in ("type", "octave", "volume", "route")),
    *(f"a_osc_{i}_*" for i in (1, 2, 3)),
    "a_ring_modulation_*_volume",
    "a_ring_modulation_*_mute",
    "a_noise_*",
    "a_pre_filter_gain",
    "a_fm_*",
    "a_width",
    "a_feedback",
    "a_filter_*",
    "a_highpass",
    "a_link_resonance",
    "a_waveshaper_*",
    "a_amp_eg_*",
)
HELD = ("*_solo", "*_keytrack", "*_retrigger", "a_osc_1_mute", "a_osc_?_pitch", "a_osc_drift", "*_root_key")
EXTRA: Mapping[str, Mapping[str, Any]] = {
    # Something must sound, and soon: osc 1 is on, levels are not low, the envelope starts within 0.35 s.
    "a_osc_1_mute": {"fix": 0},
    "a_osc_?_volume": {"range": [0.4, 1.0]},
    "a_osc_?_octave": {"range": [2, 4]},
    # No "Audio In", and none that draws random numbers by nature: "S&H Noise" and "String".
    "a_osc_?_type": {"weights": [1, 1, 1, 0, 0, 1, 1, 1, 1, 0, 1, 1]},
    "a_amp_eg_attack": {"range": [0.0, 0.5]},
    "a_amp_eg_sustain": {"range": [0.3, 1.0]},
    "a_amp_eg_decay": {"range": [0.2, 0.8]},
    "a_filter_?_cutoff": {"range": [0.3, 1.0]},
    "a_highpass": {"range": [0.0, 0.5]},
    "a_pre_filter_gain": {"range": [0.4, 0.65]},
    "a_filter_1_[!t]*": {"switch": "a_filter_1_type"},
    "a_filter_2_[!to]*": {"switch": "a_filter_2_type"},
    "a_waveshaper_drive": {"switch": "a_waveshaper_type"},
    **{f"a_{it}_{what}": {"when": {f"a_{it}_mute": [0]}} for it in ("osc_?", "noise") for what in ("volume", "route")},
}
SUBTYPES = (
    1, 3, 3, 4, 3, 3, 5, 2, 2, 1, 6, 2, 5, 5, 5, 4, 12, 12, 12, 12, 2, 2, 2, 3, 2, 2, 1, 12, 8, 8, 8, 8, 8, 12, 9, 15,
)  # fmt: skip
"""Of each filter type, in the order of sst::filters::FilterType; see fut_subcount in FilterConfiguration.h of
https://github.com/surge-synthesizer/sst-filters. Surge sets a subtype beyond these to the last."""
SINE, FM2, WINDOW, STRING, TWIST, ALIAS = 1, 6, 7, 9, 10, 11
LISTS: Mapping[str, Mapping[int, int]] = {
    # Parameter of an oscillator -> type in which it is a list -> length of the list. See the init_ctrltypes of the
    # oscillators, and Parameter::set_type, in https://github.com/surge-synthesizer/surge.
    "shape": {SINE: 28, STRING: 15, TWIST: 16, ALIAS: 18},
    "width_1": {FM2: 32},
    "width_2": {SINE: 2, WINDOW: 9},
    "sub_mix": {FM2: 32},
}
COUNTS: Mapping[str, Mapping[str, Any]] = {
    **{f"{scene}_filter_?_subtype": {"counts": {f"{scene}_filter_?_type": SUBTYPES}} for scene in "ab"},
    **{
        f"{scene}_osc_?_{what}": {"counts": {f"{scene}_osc_?_type": [lists.get(kind, 0) for kind in range(12)]}}
        for scene in "ab"
        for what, lists in LISTS.items()
    },
}
"""How many values there are of a parameter for each type: Surge takes the nearest of these for any other."""
DANGEROUS = (
    "bypass_*",
    "fx_chain_bypass",
    "scene_mode",
    "active_scene",
    "polyphony_limit",
    "global_volume",
)
UNSET = ("fx_disable",)
"""A set of bits, of which a host's raw value makes nonsense: it is left to the state."""
OTHERWISE = ("A Filter 2 Cutoff", "B Filter 2 Cutoff")
"""Their natural range depends on another parameter, the offset mode, although the measured list does not say so."""
GROUP = re.compile(
    r"(fx_[a-z]\d|[ab]_(?:osc_\d|filter_\d|amp_eg|filter_eg|lfo_\d|scene_lfo_\d|ring_modulation_\dx\d|noise|waveshaper))_"
)


def tag_of(name: str) -> str:
    """Return the tag in a patch's XML; "" for a parameter whose natural range depends on a type."""
    if name in WHOLE or name in OTHERWISE:
        return WHOLE.get(name, "")
    if found := re.fullmatch(r"Send FX (\d) Return", name):
        return f"volume_FX{found[1]}"
    if found := re.fullmatch(r"FX (\w\d) FX Type", name):
        return f"fx{SLOTS.index(found[1]) + 1}_type"
    if name[:2] not in {"A ", "B "}:
        return ""
    scene, rest = name[0].lower(), name[2:]
    return f"{scene}_{part}" if (part := _part(rest)) else ""


def _part(rest: str) -> str:
    """Return the tag of a scene's parameter, without the scene."""
    for pattern, tag in PARTS:
        if found := re.fullmatch(pattern, rest):
            return tag(*found.groups())
    return SCENE.get(rest, "")


def _number_of_lfo(scene: str | None, number: str) -> int:
    """Return the number of an LFO: those of the scene come after the six of the voice."""
    return int(number) + (5 if scene else -1)


PARTS: tuple[tuple[str, Callable[..., str]], ...] = (
    (r"Send FX (\d) Level", lambda n: f"send_fx_{n}"),
    (r"Osc (\d) (Volume|Mute|Solo|Route)", lambda n, what: f"{MIXER[what]}_o{n}"),
    (r"Ring Modulation (\d)x(\d) (\w+)", lambda n, m, what: f"{MIXER[what]}_ring{n}{m}"),
    (r"Noise (Volume|Mute|Solo|Route)", lambda what: f"{MIXER[what]}_noise"),
    (rf"Osc (\d) ({'|'.join(OSC)})", lambda n, what: f"osc{n}_{OSC[what]}"),
    (rf"Filter (\d) ({'|'.join(FILTER)})", lambda n, what: f"filter{n}_{FILTER[what]}"),
    (r"Amp EG (.*)", lambda what: f"env1_{EG.get(what) or what.lower().replace(' ', '_')}"),
    (r"Filter EG (.*)", lambda what: f"env2_{EG.get(what) or what.lower().replace(' ', '_')}"),
    (r"(Scene )?LFO (\d) (.*)", lambda s, n, what: f"lfo{_number_of_lfo(s, n)}_{LFO.get(what) or what.lower()}"),
)


def entry(facts: Mapping[str, Any]) -> Iterator[str]:
    """Yield the keys of a parameter as TOML."""
    name, surge = facts["py_name"], facts.get("surge", {})
    yield f"index = {facts['host_index']}"
    if group := GROUP.match(f"{name}_"):
        yield f'group = "{group[1]}"'
    if facts["discrete"] and facts["n_values"]:
        yield f"steps = {facts['n_values']}"
        if surge.get("val_type", "bool") == "bool":
            yield "margin = 0.0"
    tag = tag_of(facts["name"])
    if tag and surge and not facts["context_dependent"] and abs(surge["min"]) < 1e6:
        yield f'tag = "{tag}"'
        yield f"natural = [{surge['min']!r}, {surge['max']!r}]"
    extra = {
        key: value
        for glob, more in (*EXTRA.items(), *COUNTS.items())
        if fnmatchcase(name, glob)
        for key, value in more.items()
    }
    for key, value in extra.items():
        yield f"{key} = {_toml(value, name)}"
    if any(fnmatchcase(name, glob) for glob in DANGEROUS):
        yield "dangerous = true"
    varied = any(fnmatchcase(name, glob) for glob in VARIED) and not any(fnmatchcase(name, glob) for glob in HELD)
    if not varied:
        yield "include = false"


def _toml(value: Any, name: str) -> str:
    if isinstance(value, dict):
        inner = ", ".join(f"{_filled(key, name)} = {_toml(v, name)}" for key, v in value.items())
        return f"{{ {inner} }}"
    return json.dumps(value)


def _filled(key: str, name: str) -> str:
    """Return the parameter that a gate of one with a number in its name is."""
    number = re.search(r"_(\d)_", name)
    return key.replace("?", number[1]) if number else key


def main() -> None:
    """Write the spec to the standard output."""
    still: dict[str, float] = {f"{scene}_osc_{i}_retrigger": 1 for scene in "ab" for i in (1, 2, 3)}
    still |= {f"{scene}_osc_drift": 0.0 for scene in "ab"}
    print(
        f"""\
# Surge XT: all its parameters but FX Disable. What shapes the sound of scene A varies; effects, LFOs and scene B keep
# their values: free them under [space], or in a spec of your own with base = "surge_xt".
# Made by surge_spec.py from measurements of Surge XT 1.4.0.

[plugin]
name = "Surge XT"
determinism = "exact-in-run"
state = "surge"
complete = true
margin = 0.005
fxp = "cjs3"

[plugin.still]
{chr(10).join(f"{name} = {value}" for name, value in still.items())}

[parameters]"""
    )
    for facts in json.loads(Path(sys.argv[1]).read_text(encoding="utf-8")):
        if facts["py_name"] in UNSET:
            continue
        print(f"{facts['py_name']} = {{ {', '.join(entry(facts))} }}")


if __name__ == "__main__":
    main()
