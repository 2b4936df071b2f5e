"""What a preset must be before Vital sees it, because Vital does not look.

It takes counts and sizes of a file at their word: it reads and writes past its buffers, plays memory that nothing
has written, or allocates gigabytes. The limits are those of its source, https://github.com/mtytel/vital:
``kMaxPoints`` in ``line_generator.h``, ``kWaveformSize`` and ``kNumOscillatorWaveFrames`` of its wavetables, the names
in ``wavetable_component_factory.cpp``. Whatever only makes Vital say no is left to Vital.
"""

from __future__ import annotations

import binascii
import json
import math
from collections.abc import Iterator, Mapping
from typing import Any

MAX_MODULATIONS, MAX_WAVETABLES, MAX_LFOS = 64, 3, 8
"""What Vital has room for. A preset with more kills the process."""
_ROOM = {"modulations": MAX_MODULATIONS, "wavetables": MAX_WAVETABLES, "lfos": MAX_LFOS}
_MAX_VALUES = 1_000_000
_MAX_DEPTH = 32
_MAX_NUMBER = float.fromhex("0x1.fffffep127")
_MAX_POINTS = 100
_MAX_SAMPLE_FRAMES = 60 * 48_000
"""A minute at 48 kHz. Vital takes up to 200 bytes for each frame of a stereo sample."""
_FRAMES, _FRAME_SIZE = 257, 2048
_MAX_COMPONENTS, _MAX_KEYFRAMES = 32, 600
"""Of one wavetable. Each component is computed for up to 257 frames, and a keyframe takes up to 160 kB."""
_COMPONENTS = frozenset(
    {
        "Wave Source",
        "Line Source",
        "Audio File Source",
        "Shepard Tone Source",
        "Phase Shift",
        "Wave Window",
        "Frequency Filter",
        "Slew Limiter",
        "Wave Folder",
        "Wave Warp",
    }
)
_OLD_COMPONENTS = 9
"""Kinds of component that had numbers instead of names before version 0.3.3."""
_MAX_WINDOW, _MAX_FADE = 4e6, 16.0
_MAX_INDEX = 2**30


class HarmfulError(ValueError):
    """A preset that would harm Vital: the message is what is wrong with it."""


def checked(text: str) -> dict[str, Any]:
    """Return the JSON of a preset that does Vital no harm.

    Raises :class:`HarmfulError` for one that would, and other errors of its kind for what is no preset at all.
    """
    if text.count(",") + text.count("[") + text.count("{") > _MAX_VALUES:
        raise HarmfulError(f"it holds more than {_MAX_VALUES} values")
    preset = json.loads(text, parse_constant=_no_constant)
    if not isinstance(preset, dict) or not isinstance(preset.get("settings"), dict):
        raise ValueError("it has no settings")  # noqa: TRY004 - JSON of another kind is a wrong value
    _check_values(preset)
    settings = preset["settings"]
    for key, room in _ROOM.items():
        if not isinstance(settings[key], list):
            raise HarmfulError(f"its {key} are not a list")
        if len(settings[key]) > room:
            raise HarmfulError(f"{len(settings[key])} {key}; Vital has room for {room}")
    _check_number(settings, "oversampling", 0, 3, "")
    version = _version(preset.get("synth_version"))
    _check_sample(settings.get("sample"), bytes_a_frame=4 if version < (0, 3, 7) else 2)
    for number, modulation in enumerate(settings["modulations"], 1):
        _check_line(_table(modulation, f"modulation {number}").get("line_mapping", _NO_LINE), f"modulation {number}")
    for number, lfo in enumerate(settings["lfos"], 1):
        _check_line(lfo, f"LFO {number}")
    for number, wavetable in enumerate(settings["wavetables"], 1):
        _check_wavetable(_table(wavetable, f"wavetable {number}"), f"wavetable {number}")
    return preset


_NO_LINE: Mapping[str, Any] = {"num_points": 1, "points": [0, 0], "powers": [0]}


def _no_constant(name: str) -> float:
    raise ValueError(f"{name} is not JSON")


def _check_values(preset: Any) -> None:
    """Refuse nesting that overflows a stack, and numbers that no float32 holds."""
    level, depth = [preset], 0
    while level:
        depth += 1
        if depth > _MAX_DEPTH:
            raise HarmfulError(f"it is nested deeper than {_MAX_DEPTH} levels")
        for value in level:
            if isinstance(value, int | float) and not -_MAX_NUMBER <= value <= _MAX_NUMBER:
                raise HarmfulError("it holds a number that is not finite, or beyond float32")
        level = [inner for value in level for inner in _inside(value)]


def _inside(value: Any) -> Iterator[Any]:
    if isinstance(value, dict):
        return iter(value.values())
    return iter(value if isinstance(value, list) else ())


def _table(value: Any, what: str) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise HarmfulError(f"{what} is not a table")
    return value


def _list(table: Mapping[str, Any], key: str, what: str, room: int) -> list[Any]:
    value = table.get(key) or []
    if not isinstance(value, list) or len(value) > room:
        raise HarmfulError(f"{what} has {key} that are not a list of at most {room}")
    return value


def _check_number(table: Mapping[str, Any], key: str, low: float, high: float, what: str) -> None:
    """Refuse a number outside a range. One that is missing, or none, is refused by Vital where it needs it."""
    value = table.get(key, low)
    if isinstance(value, int | float) and not low <= value <= high:
        raise HarmfulError(f"{what} {key} = {value:.6g} is outside {low:g}..{high:g}".lstrip())


def _version(text: Any) -> tuple[int, ...]:
    """Return the numbers of a version; that of now where there is none."""
    parts = text.split(".")[:3] if isinstance(text, str) else []
    return tuple(int(part) for part in parts) if parts and all(p.isdecimal() and len(p) < 9 for p in parts) else (1,)


def _check_sample(sample: Any, bytes_a_frame: int) -> None:
    if not sample:
        return
    table = _table(sample, "the sample")
    length = table.get("length", 0)
    if not isinstance(length, int) or not 0 <= length <= _MAX_SAMPLE_FRAMES:
        raise HarmfulError(f"its sample claims {length} frames; at most {_MAX_SAMPLE_FRAMES} are read")
    _check_number(table, "sample_rate", 1, 1_000_000, "the sample's")
    for key in ("samples", *(["samples_stereo"] if "samples_stereo" in table else [])):
        if len(_decoded(table, key, "the sample")) < length * bytes_a_frame:
            raise HarmfulError(f"its sample claims {length} frames, which its {key} do not hold")


def _decoded(table: Mapping[str, Any], key: str, what: str) -> bytes:
    """Return the bytes that stand in base64 under a key. Vital stops at the first character that is none."""
    text = table.get(key, "")
    try:
        return binascii.a2b_base64(text, strict_mode=True) if text else b""
    except (TypeError, ValueError):
        raise HarmfulError(f"{what} has {key} that are not base64") from None


def _check_line(line: Any, what: str) -> None:
    """Check a line, such as an LFO's shape: Vital draws as many points as it claims."""
    table = _table(line, f"the line of {what}")
    points, powers = table.get("points"), table.get("powers")
    count = table.get("num_points")
    if not (isinstance(points, list) and isinstance(powers, list) and isinstance(count, int)):
        raise HarmfulError(f"the line of {what} has no points")
    if not 1 <= count <= _MAX_POINTS:
        raise HarmfulError(f"the line of {what} claims {count} points; Vital has room for {_MAX_POINTS}")
    if len(powers) < count or len(points) < 2 * count:
        raise HarmfulError(f"the line of {what} claims {count} points, which it does not hold")


def _check_wavetable(table: Mapping[str, Any], what: str) -> None:
    if {"num_points", "points", "powers"} <= table.keys():
        _check_line(table, what)
        return
    version = _version(table.get("version"))
    groups = _list(table, "groups", what, _MAX_COMPONENTS)
    components = [c for g in groups for c in _list(_table(g, what), "components", what, _MAX_COMPONENTS)]
    if len(components) > _MAX_COMPONENTS:
        raise HarmfulError(f"{what} has {len(components)} components; up to {_MAX_COMPONENTS} are read")
    keyframes = sum(_check_component(_table(component, what), what, version) for component in components)
    if keyframes > _MAX_KEYFRAMES:
        raise HarmfulError(f"{what} has {keyframes} keyframes; up to {_MAX_KEYFRAMES} are read")


def _check_component(component: Mapping[str, Any], what: str, version: tuple[int, ...]) -> int:
    """Check a component, and return how many keyframes it has."""
    kind = component.get("type")
    known = 0 <= kind < _OLD_COMPONENTS if isinstance(kind, int) else kind in _COMPONENTS
    if not known:
        raise HarmfulError(f"{what} has a component of the unknown type {kind!r:.40}")
    keyframes = _list(component, "keyframes", what, _FRAMES)
    for keyframe in keyframes:
        table = _table(keyframe, what)
        _check_number(table, "position", 0, _FRAMES - 1, what)
        if "wave_data" in table:
            _check_wave(table, what, 2 if (0, 3, 7) <= version < (0, 3, 9) else 4)
        if "line" in table:
            _check_line(table["line"], what)
        elif kind in {"Line Source", 1} and version < (0, 7, 7):
            _check_line({**table, "num_points": component.get("num_points")}, what)
    if "audio_file" in component:
        _check_audio(component, what)
    return len(keyframes)


def _check_wave(keyframe: Mapping[str, Any], what: str, width: int) -> None:
    import numpy as np

    wave = _decoded(keyframe, "wave_data", what)
    if len(wave) != width * _FRAME_SIZE:
        raise HarmfulError(f"{what} has a wave of {len(wave)} bytes; {width * _FRAME_SIZE} are needed")
    if width == 4 and not np.isfinite(np.frombuffer(wave, "<f4")).all():
        raise HarmfulError(f"{what} has a wave that is not finite")


def _check_audio(component: Mapping[str, Any], what: str) -> None:
    """Check the place of each window in the audio: Vital turns it into an index into its buffers."""
    _decoded(component, "audio_file", what)
    _check_number(component, "window_size", 1, _MAX_WINDOW, what)
    window = component.get("window_size", _FRAME_SIZE)
    for keyframe in component.get("keyframes") or []:
        _check_number(keyframe, "window_fade", 0, _MAX_FADE, what)
        start = keyframe.get("start_position", 0)
        if not (isinstance(start, int | float) and isinstance(window, int | float)):
            raise HarmfulError(f"{what} has a window without a start")
        index = start / (window / _FRAME_SIZE) + window / 2 + _FRAME_SIZE / 2
        if not 0 <= math.floor(index) < _MAX_INDEX:
            raise HarmfulError(f"{what} has a window that starts outside its audio, at {start:.6g}")
