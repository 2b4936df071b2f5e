"""A VST2, VST3 or LV2 instrument hosted by DawDreamer, headless.

What was measured of DawDreamer 0.9 on Linux and is guarded against here:

- A damaged file, and a plugin that crashes while it loads, end the process. So the file is looked at first, and the
  plugin is then tried in a fork of this process.
- "Unable to load plugin" is all that is said of a file that is no plugin, and nothing of an effect.
- ``load_state`` opens a window, and without a display that ends the process: it is never called. The state of a
  plugin is that of its parameters.
- A Qt plugin ends the process without a display, unless QT_QPA_PLATFORM is "offscreen".
- Values are not checked: a NaN is stored.
- Of a VST2, steps, defaults and ranges are not told: its defaults are read back, and its choices found by their texts.
"""

from __future__ import annotations

import math
import os
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tonesmith.backends.dawdreamer.lv2 import is_uri, offer_of, offered_by, search_path
from tonesmith.backends.dawdreamer.midi_file import midi_file
from tonesmith.engine.forks import forked
from tonesmith.engine.machine import can_fork
from tonesmith.errors import ConfigError, EngineError
from tonesmith.host.binary import cure_of, file_fault, is_lv2
from tonesmith.pinning.held import hold_still
from tonesmith.score.messages import Message, messages, note_controls, note_messages
from tonesmith.space.parameter import Parameter

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from tonesmith.score.phrase import Phrase
    from tonesmith.space.patch import Note

_BLOCK = 512
_MOST_CHOICES = 32
"""A parameter with more texts than this is continuous."""
_UNTOLD = 2**31 - 1
"""Number of steps of every parameter of a VST2, and of continuous ones elsewhere."""
_GRID = 128
"""In so many steps are the texts of a VST2 parameter read."""
_SHORTEST_RUN = 3
"""A text that fewer points of the grid have in a row is that of a number, not of a choice."""
_HOSTS_OWN = re.compile(r"MIDI CC\b.*|MIDI Ch\. ?\d+ .*|Bypass", re.IGNORECASE)
"""Parameters that stand for MIDI controllers or for the host's bypass. JUCE and DPF add hundreds of the former."""
_TRIAL_SECONDS = 0.5
_MOST_NAMED = 40
"""URIs of a bundle that are named at most."""


@dataclass(frozen=True, slots=True)
class Knob:
    """One parameter of a plugin.

    Attributes:
        index: of DawDreamer.
        default: 0..1, as it is after loading.
        values: 0..1 of each choice; empty if it is continuous.
        texts: of each choice.
    """

    index: int
    name: str
    default: float
    values: tuple[float, ...] = ()
    texts: tuple[str, ...] = ()

    def parameter(self) -> Parameter:
        """Return it as the host has it: a choice by its place, and all else from 0 to 1."""
        if not self.values:
            return Parameter(self.name, "continuous", 0.0, 1.0, min(max(self.default, 0.0), 1.0))
        return Parameter(self.name, "categorical", 0, len(self.values) - 1, self.raw(self.default), self.texts)

    def sent(self, raw: float) -> float:
        """Return what the plugin gets for a raw value. Raises :class:`EngineError` if that is no value of it."""
        high = len(self.values) - 1 if self.values else 1
        if not (math.isfinite(raw) and 0 <= raw <= high):
            raise EngineError(f"{self.name} = {raw} is not in 0..{high}")
        return self.values[round(raw)] if self.values else raw

    def raw(self, value: float) -> float:
        """Return the raw value that is nearest to what the plugin has."""
        if not self.values:
            return value
        return float(min(range(len(self.values)), key=lambda i: abs(self.values[i] - value)))


class HostedPlugin:
    """An instrument in an engine of its own.

    Args:
        place: path of a VST2 or VST3, or URI of an LV2.
        sample_rate: Hz.
        bpm: tempo that the host tells.

    Raises :class:`ConfigError` if there is no such instrument, or it does not survive to be loaded and played.
    """

    def __init__(self, place: str, sample_rate: int, bpm: float) -> None:
        import dawdreamer

        self._place, self._rate = place, sample_rate
        if fault := file_fault(_file_of(place)):
            raise ConfigError(f"{fault.text}. {fault.cure}")
        if not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
            os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
        self._engine: Any = dawdreamer.RenderEngine(sample_rate, _BLOCK)
        self._engine.set_bpm(bpm)
        tried = self._tried()
        self.knobs = {knob["name"]: _knob(knob) for knob in tried["knobs"]}
        if tried["inputs"] and tried["peak"] == 0.0:
            raise ConfigError(
                f"{place} is an effect, or silent: it has {tried['inputs']} audio inputs and plays nothing "
                "when a note is sent. Name an instrument."
            )
        if not self.knobs:
            raise ConfigError(f"{place} has no parameter: there is nothing to vary.")
        self._load()

    def set(self, values: Mapping[str, float]) -> None:
        """Set every parameter. Raises :class:`EngineError` for a value that is missing or outside its range."""
        for name, knob in self.knobs.items():
            if name not in values:
                raise EngineError(f"the patch has no value for {name}")
            self._processor.set_parameter(knob.index, knob.sent(values[name]))
        if unknown := sorted(set(values) - set(self.knobs)):
            raise EngineError(f"the plugin has no parameter {unknown[0]!r}")

    def read(self) -> Mapping[str, float]:
        """Return the raw value of every parameter as the plugin has it."""
        return {name: knob.raw(self._processor.get_parameter(knob.index)) for name, knob in self.knobs.items()}

    def play(self, note: Note) -> NDArray[np.float32]:
        """Return float32 (channels, frames), of the first two channels. What played before may be heard."""
        if note_controls(note):
            return self._played(note_messages(note, self._held(note.hold)), note.duration)
        self._processor.clear_midi()
        self._processor.add_midi_note(note.pitch, note.velocity, 0.0, note.hold)
        return self._rendered(note.duration)

    def play_score(self, phrase: Phrase) -> NDArray[np.float32]:
        """Return float32 (channels, frames) of a phrase, which the plugin gets as MIDI."""
        return self._played(messages(phrase, self._rate, self._held), phrase.duration)

    def _played(self, told: Sequence[Message], seconds: float) -> NDArray[np.float32]:
        self._processor.clear_midi()
        with midi_file(told, self._rate) as path:
            if not self._processor.load_midi(str(path), all_events=True):
                raise EngineError("DawDreamer does not read the MIDI of the phrase")
        return self._rendered(seconds)

    def _rendered(self, seconds: float) -> NDArray[np.float32]:
        self._engine.render(seconds)
        audio: NDArray[np.float32] = self._engine.get_audio()
        return audio[:2]

    def _held(self, seconds: float) -> int:
        """Return the frames that a key is held: DawDreamer cuts fractions off."""
        return int(seconds * self._rate)

    def _tried(self) -> dict[str, Any]:
        """Return what the plugin is, from a copy of this process that it may crash."""
        if not can_fork():
            return self._try()
        try:
            tried = forked(lambda: _or_refusal(self._try))
        except EngineError as error:
            signal = re.search(r"SIG[A-Z]+|signal \d+", str(error))
            told = f"killed by {signal[0]}" if signal else str(error)
            raise ConfigError(f"{self._place} does not survive a trial: {told}. {cure_of(told)}".rstrip()) from None
        if "refused" in tried:
            raise ConfigError(tried["refused"])
        return tried

    def _try(self) -> dict[str, Any]:
        self._load()
        processor = self._processor
        knobs = [asdict(knob) for knob in knobs_of(processor)]
        processor.add_midi_note(60, 100, 0.0, _TRIAL_SECONDS / 2)
        self._engine.render(_TRIAL_SECONDS)
        peak = float(abs(self._engine.get_audio()).max(initial=0.0))
        return {"knobs": knobs, "inputs": processor.get_num_input_channels(), "peak": peak}

    def _load(self) -> None:
        hold_still()
        try:
            self._processor: Any = self._engine.make_plugin_processor("instrument", self._place)
            self._engine.load_graph([(self._processor, [])])
        except RuntimeError:
            kind = "" if is_uri(self._place) else "it is no VST2 and no VST3, or "
            lacking = "a library that it needs is missing (ldd FILE lists them)"
            raise ConfigError(f"{self._place} cannot be loaded: {kind}{lacking}.") from None


def _file_of(place: str) -> Path:
    """Return the file that is loaded for an instrument, and have DawDreamer look for LV2 where it was found.

    Raises :class:`ConfigError` if it is a URI that is not installed, or a bundle, which may hold many instruments.
    """
    if is_uri(place):
        os.environ["LV2_PATH"] = os.pathsep.join(map(str, search_path()))
        offer = offer_of(place)
        return offer.binary or offer.bundle
    path = Path(place)
    if is_lv2(path):
        uris = [offer.uri for offer in offered_by(path)]
        named = ", ".join(uris[:_MOST_NAMED]) + (f" and {len(uris) - _MOST_NAMED} more" if uris[_MOST_NAMED:] else "")
        raise ConfigError(
            f"{place} is an LV2 bundle, and an LV2 is named by its URI. It offers {named or 'none'}: use one as "
            "--backend.instrument."
        )
    return path


def knobs_of(processor: Any) -> list[Knob]:
    """Return the parameters that shape the sound, each with a name of its own."""
    described = [told for told in processor.get_parameters_description() if not _HOSTS_OWN.fullmatch(told["name"])]
    names = [told["name"].strip() or f"parameter {told['index']}" for told in described]
    knobs = []
    for told, name in zip(described, names, strict=True):
        index = told["index"]
        unique = name if names.count(name) == 1 else f"{name} {index}"
        default = float(processor.get_parameter(index))
        knobs.append(Knob(index, unique, default, *_choices(told["numSteps"], partial(_text, processor, index))))
        processor.set_parameter(index, default)
    return knobs


def _choices(steps: int, text: Callable[[float], str]) -> tuple[tuple[float, ...], tuple[str, ...]]:
    """Return value and text of each choice; nothing for a continuous parameter.

    Args:
        steps: that DawDreamer tells; for a VST2, the largest int32.
        text: returns the text of a value 0..1.
    """
    if 1 < steps <= _MOST_CHOICES:
        values = [i / (steps - 1) for i in range(steps)]
        return tuple(values), _distinct([text(value) for value in values])
    if steps != _UNTOLD:
        return (), ()
    return _runs([(i / _GRID, text(i / _GRID)) for i in range(_GRID + 1)])


def _runs(points: Sequence[tuple[float, str]]) -> tuple[tuple[float, ...], tuple[str, ...]]:
    """Return the middle and the text of each stretch with one text; nothing if they are not those of choices."""
    runs = [[value for value, _ in run] for _, run in groupby(points, key=lambda point: point[1])]
    texts = [text for text, _ in groupby(text for _, text in points)]
    short = any(len(run) < _SHORTEST_RUN for run in runs)
    if short or not 1 < len(runs) <= _MOST_CHOICES or len(set(texts)) < len(texts):
        return (), ()
    return tuple(run[len(run) // 2] for run in runs), tuple(texts)


def _distinct(texts: Sequence[str]) -> tuple[str, ...]:
    """Return texts that tell choices apart: with their number, where two are one."""
    alone = len({text.lower() for text in texts}) == len(texts) and all(texts)
    return tuple(texts) if alone else tuple(f"{i} {text}".strip() for i, text in enumerate(texts))


def _text(processor: Any, index: int, value: float) -> str:
    processor.set_parameter(index, value)
    return str(processor.get_parameter_text(index)).strip()


def _or_refusal(act: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """Return what an act returns, or the words of its refusal: a fork tells crashes and refusals apart by it."""
    try:
        return act()
    except ConfigError as error:
        return {"refused": str(error)}


def _knob(told: Mapping[str, Any]) -> Knob:
    return Knob(**{**told, "values": tuple(told["values"]), "texts": tuple(told["texts"])})
