"""Which of Vital's controls are unheard, and for which choices of another: measured, and tested, with the engine.

Each rule holds whatever the other controls, the assets and the modulations are, so a control that no rule closes
may still be unheard: what depends on a value that moves, or on one choice *or* another, is left audible.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from tonesmith.errors import SpaceError, unknown_name
from tonesmith.space.parameter import Parameter

_EFFECTS = ("chorus", "compressor", "delay", "distortion", "eq", "flanger", "phaser", "reverb")
_OSCILLATORS = tuple(f"osc_{i}" for i in range(1, 4))
_FILTERS = ("filter_1", "filter_2", "filter_fx")
_LFOS = tuple(f"lfo_{i}" for i in range(1, 9))
_RANDOMS = tuple(f"random_{i}" for i in range(1, 5))
_MACROS = tuple(f"macro_control_{i}" for i in range(1, 5))
_SYNCED = (*_LFOS, *_RANDOMS, "chorus", "delay", "delay_aux", "flanger", "phaser")

SWITCHED = (*_OSCILLATORS, "sample", *_FILTERS, *_EFFECTS)
"""Groups of controls with a switch."""

INTERCHANGEABLE = (_OSCILLATORS, _FILTERS[:2], _LFOS, _RANDOMS, tuple(f"env_{i}" for i in range(2, 7)))
"""Modules that do the same. Filter "fx" is elsewhere in the chain, and envelope 1 is the voice's."""

UNSWITCHED = tuple(f"{oscillator}_distortion_type" for oscillator in _OSCILLATORS)
"""What modulates an oscillator is computed before it, even if it is off: two that wait for each other fall silent."""
SOURCES = (*_LFOS, *_RANDOMS, *(f"env_{i}" for i in range(2, 7)), *_MACROS)
"""Groups of controls, or single ones, that belong to a modulation source of that name. Envelope 1 is the voice's."""


@dataclass(frozen=True, slots=True)
class Rule:
    """Controls that are heard only with some choices of another.

    Attributes:
        modules: what the names start with, one after the other.
        heard: the controls, as names inside each module.
        gate: the categorical control that decides, inside the module; whole where it starts with "/".
        choices: their texts, with which the controls are heard; with any other they are not.
    """

    modules: tuple[str, ...]
    heard: tuple[str, ...]
    gate: str
    choices: tuple[str, ...]

    def places(self) -> Iterable[tuple[str, str]]:
        """Return (control, gate) by their whole names, for every module."""
        for module in self.modules:
            gate = self.gate[1:] if self.gate.startswith("/") else f"{module}_{self.gate}"
            yield from ((f"{module}_{name}", gate) for name in self.heard)


_TO_SOUND = ("FILTER 1", "FILTER 2", "FILTER 1+2", "EFFECTS", "DIRECT OUT")
_BENDS = ("Sync", "Formant", "Quantize", "Bend", "Squeeze", "Pulse")
_FROM_OTHERS = ("FM <- Osc", "FM <- Osc 2", "FM <- Sample", "RM <- Osc", "RM <- Osc 2", "RM <- Sample")
_WITH_CUTOFF = ("Analog", "Dirty", "Ladder", "Digital", "Diode", "Comb", "Phaser")
_WITH_DRIVE = ("Analog", "Dirty", "Ladder", "Digital", "Diode", "Phaser")
_TEMPOS = ("Tempo", "Tempo Dotted", "Tempo Triplets")
_FORMANT = ("formant_x", "formant_y", "formant_transpose", "formant_resonance", "formant_spread")
_THRESHOLDS = ("gain", "upper_ratio", "upper_threshold", "lower_ratio", "lower_threshold")
RULES = (
    # A single effect can be chosen as destination, but the engine has no way there: the sound is lost. What
    # feeds the other oscillators is taken before level and pan.
    Rule((*_OSCILLATORS, "sample"), ("level", "pan"), "destination", _TO_SOUND),
    Rule(_OSCILLATORS, ("distortion_amount", "distortion_spread"), "distortion_type", (*_BENDS, *_FROM_OTHERS)),
    Rule(_OSCILLATORS, ("distortion_phase",), "distortion_type", _BENDS),
    # Morph amount and spread have no such rule: with the type None they still choose how the waves of the
    # unison voices are computed, if the voices have spectra of their own or the amount a stereo modulation.
    Rule(_OSCILLATORS, ("frame_spread",), "spectral_unison", ("On",)),
    Rule(_FILTERS, ("cutoff", "keytrack", "resonance", "blend"), "model", _WITH_CUTOFF),
    Rule(_FILTERS, ("drive",), "model", _WITH_DRIVE),
    Rule(_FILTERS, ("blend_transpose",), "model", ("Comb",)),
    Rule(_FILTERS, _FORMANT, "model", ("Formant",)),
    # Styles are named for the other models. The formant model has two; beyond them nothing is computed.
    Rule(_FILTERS, _FORMANT, "style", ("12dB", "24dB")),
    Rule(("filter_1",), ("filter_input",), "/filter_2_on", ("On",)),
    Rule(("filter_2",), ("filter_input",), "/filter_1_on", ("On",)),
    # Filter 1 comes first: fed by filter 2, it leaves that one nothing to be fed with.
    Rule(("filter_2",), ("filter_input",), "/filter_1_filter_input", ("Off",)),
    Rule(_SYNCED, ("frequency",), "sync", ("Seconds",)),
    Rule(_SYNCED, ("tempo",), "sync", _TEMPOS),
    Rule((*_LFOS, *_RANDOMS), ("keytrack_transpose", "keytrack_tune"), "sync", ("Keytrack",)),
    Rule(_LFOS, ("smooth_time",), "smooth_mode", ("On",)),
    Rule(_LFOS, ("fade_time",), "smooth_mode", ("Off",)),
    Rule(("delay_aux",), ("frequency", "tempo", "sync"), "/delay_style", ("Stereo", "Ping Pong", "Mid Ping Pong")),
    Rule(("distortion_filter",), ("cutoff", "resonance", "blend"), "order", ("Pre", "Post")),
    Rule(("eq_low", "eq_band", "eq_high"), ("gain",), "mode", ("Shelf",)),
    Rule(("compressor_low",), _THRESHOLDS, "/compressor_enabled_bands", ("Multiband", "Low Band")),
    Rule(("compressor_high",), _THRESHOLDS, "/compressor_enabled_bands", ("Multiband", "High Band")),
)

NEVER = (
    # Each note is played alone, as the first of a pristine engine: there is no note to glide from or to steal from.
    *(f"portamento_{name}" for name in ("time", "slope", "force", "scale")),
    *("legato", "voice_priority", "voice_override"),
    # The controls show where the wheels of a MIDI keyboard stand, and no MIDI controller reaches a render.
    *("mod_wheel", "pitch_wheel", "pitch_bend_range"),
    # Nothing in the engine reads it.
    *(f"{oscillator}_smooth_interpolation" for oscillator in _OSCILLATORS),
)
"""Controls that are heard with no choice of their own or of any other."""


def gated(parameters: Iterable[Parameter]) -> tuple[Parameter, ...]:
    """Return all parameters of the engine with what decides whether each is audible.

    Raises :class:`SpaceError` if the engine lacks a parameter or a choice that a rule names.
    """
    by_name = {p.name: p for p in parameters}
    conditions = _conditions(by_name)
    return tuple(
        replace(p, switch=_switch_of(p), source=_source_of(p), when=tuple(conditions[name]))
        for name, p in by_name.items()
    )


def _conditions(by_name: Mapping[str, Parameter]) -> dict[str, list[tuple[str, tuple[int, ...]]]]:
    conditions: dict[str, list[tuple[str, tuple[int, ...]]]] = {name: [] for name in by_name}
    for rule in RULES:
        for name, gate in rule.places():
            chooser = _found(gate, by_name)
            raw = tuple(round(chooser.raw_of(text)) for text in rule.choices)
            conditions[_found(name, by_name).name].append((gate, raw))
    for name in NEVER:
        conditions[_found(name, by_name).name].append((name, ()))
    return conditions


def _found(name: str, by_name: Mapping[str, Parameter]) -> Parameter:
    if name not in by_name:
        raise SpaceError(f"a gate rule: {unknown_name('parameter', name, by_name)}")
    return by_name[name]


def _switch_of(parameter: Parameter) -> str:
    switch = f"{parameter.group}_on"
    return switch if parameter.group in SWITCHED and parameter.name not in {switch, *UNSWITCHED} else ""


def _source_of(parameter: Parameter) -> str:
    """Return the modulation source that a control belongs to: unheard where nothing listens to it."""
    return next((source for source in (parameter.group, parameter.name) if source in SOURCES), "")
