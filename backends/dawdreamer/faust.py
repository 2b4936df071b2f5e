"""A Faust program as an instrument: compiled by DawDreamer, played by MIDI, the same in every process.

What was measured of DawDreamer 0.9 and is guarded against here:

- With one voice, values set before the first render are ignored in it. So there are two voices, and one throw-away
  render after each compilation.
- With fewer voices than notes, which voice is stolen differs from render to render. There is one note in a render.
- The address of a control depends on the number of voices, and on whether there is an effect: names are made of
  the part that does not.
- Values are not checked: a NaN reaches the program.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from tonesmith.backends.dawdreamer.source import Control, control_for, controls_of, files_of
from tonesmith.errors import ConfigError, EngineError
from tonesmith.space.parameter import Parameter

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tonesmith.space.patch import Note

VOICES = 2
"""One plays. With one voice, DawDreamer ignores what is set before the first render."""
_BLOCK = 512
_MOST_CHOICES = 64
"""A control in more steps than this is continuous."""
_STANDARD = 'import("stdfaust.lib"); '
_ADDRESS = re.compile(
    r"(?:/Sequencer/DSP(?P<part>[12]))?(?:/Polyphonic/Voices)?/(?P<root>[^/]*)/(?P<rest>.*)", re.DOTALL
)
_PROTOCOL = frozenset({"freq", "key", "note", "gain", "vel", "velocity", "gate"})
"""Names of the controls that a note moves."""


@dataclass(frozen=True, slots=True)
class Dial:
    """One control of a compiled program, and the parameter that it is to the host.

    Attributes:
        index: of DawDreamer.
        low, high: what the program takes, in its own units.
        values: of each choice, in the program's units; empty where the parameter's own number is taken.
    """

    index: int
    low: float
    high: float
    parameter: Parameter
    values: tuple[float, ...] = ()

    def sent(self, raw: float) -> float:
        """Return what the program gets for a raw value. Raises :class:`EngineError` if that is no value of it."""
        parameter = self.parameter
        if not (math.isfinite(raw) and parameter.low <= raw <= parameter.high):
            raise EngineError(f"{parameter.name} = {raw} is not in {parameter.low:g}..{parameter.high:g}")
        if self.values:
            return self.values[round(raw)]
        return min(max(parameter.shown(raw), self.low), self.high)

    def raw(self, value: float) -> float:
        """Return the raw value that is nearest to a value of the program."""
        if self.values:
            return float(min(range(len(self.values)), key=lambda i: abs(self.values[i] - value)))
        logarithmic = self.parameter.curve == "exponential"
        raw = math.log2(max(value, self.low)) if logarithmic else value
        return min(max(raw, self.parameter.low), self.parameter.high)


class FaustVoice:
    """A compiled program in an engine of its own.

    Args:
        source: of the program.
        sample_rate: Hz.
        voices: that DawDreamer makes.

    Raises :class:`ConfigError` with Faust's own words if the program does not compile.
    """

    def __init__(self, source: str, sample_rate: int, voices: int = VOICES) -> None:
        import dawdreamer

        self._engine: Any = dawdreamer.RenderEngine(sample_rate, _BLOCK)
        self._processor = self._engine.make_faust_processor("instrument")
        self._processor.num_voices = voices
        self._processor.auto_import = ""  # it would move the line numbers of Faust's messages
        try:
            self._processor.set_dsp_string(_STANDARD + source)
            self._processor.compile()
        except RuntimeError as error:
            raise ConfigError(f"Faust cannot compile the instrument: {_said(str(error))}") from None
        self.dials = _dials(self._processor.get_parameters_description(), controls_of(source))
        self._engine.load_graph([(self._processor, [])])
        self._engine.render(0.02)

    def set(self, values: Mapping[str, float]) -> None:
        """Set every control. Raises :class:`EngineError` for a value that is missing or outside its range."""
        for name, dial in self.dials.items():
            if name not in values:
                raise EngineError(f"the patch has no value for {name}")
            self._processor.set_parameter(dial.index, dial.sent(values[name]))
        if unknown := sorted(set(values) - set(self.dials)):
            raise EngineError(f"the instrument has no control {unknown[0]!r}")

    def read(self) -> Mapping[str, float]:
        """Return the raw value of every control as the program has it."""
        return {name: dial.raw(self._processor.get_parameter(dial.index)) for name, dial in self.dials.items()}

    def play(self, note: Note) -> NDArray[np.float32]:
        """Return float32 (channels, frames). The program starts anew: nothing of the note before is heard."""
        self._processor.clear_midi()
        self._processor.add_midi_note(note.pitch, note.velocity, 0.0, note.hold)
        self._engine.render(note.duration)
        audio: NDArray[np.float32] = self._engine.get_audio()
        return audio


def check_source(source: str, standard: Iterable[str]) -> None:
    """Raise :class:`ConfigError` if a program needs files that a dataset would not have.

    Args:
        source: of the program.
        standard: names of the library files that come with DawDreamer.
    """
    known = set(standard)
    if needed := [name for name in files_of(source) if name not in known]:
        raise ConfigError(
            f"the instrument needs the file {needed[0]!r}, and a dataset keeps one source: write what is needed of it "
            "into the .dsp file. Faust's own libraries may be imported."
        )


def _said(text: str) -> str:
    """Return Faust's message as one line, with the lines counted as in the source."""
    text = text.removeprefix("FaustProcessor::compile(): ").partition(". Check the faustlibraries path")[0]
    text = re.sub(r"\b(?:dawdreamer|\?+):(-?\d+) : ", lambda m: _line(int(m[1])), text)
    return " ".join(text.replace("ERROR : ", "").split())[:400].rstrip(".") + "."


def _line(number: int) -> str:
    return f"line {number - 1}: " if number > 1 else ""


def _dials(described: Sequence[Mapping[str, Any]], controls: Sequence[Control]) -> dict[str, Dial]:
    """Return the controls by the names that parameters get.

    Raises :class:`ConfigError` if there is none, or two come to one name.
    """
    dials: dict[str, Dial] = {}
    for told in described:
        effect, root, groups, last = _place(told["name"])
        if last in _PROTOCOL and not effect:
            continue
        group = "_".join(("effect", *groups) if effect else groups)
        name = f"{group}_{last}" if group else last
        if name in dials:
            raise ConfigError(f"the instrument has two controls called {name!r}: give one another name or group.")
        dials[name] = _dial(name, group, told, control_for(_text(told["label"]), (root, *groups), controls))
    if not dials:
        raise ConfigError("the instrument has no control but those of the note: there is nothing to vary.")
    return dials


def _place(address: str) -> tuple[bool, str, tuple[str, ...], str]:
    """Return whether a control is the effect's, and its root, groups and own name, however many voices there are.

    The root is the group around all, or else the program's name: it tells no control from another.
    """
    match = _ADDRESS.fullmatch(address)
    assert match is not None
    *groups, last = match["rest"].split("/")
    return match["part"] == "2", match["root"], tuple(groups), last


def _text(label: str) -> str:
    """Return a label as it was written: DawDreamer reads the bytes of UTF-8 as Latin-1."""
    try:
        return label.encode("latin-1").decode()
    except UnicodeError:
        return label


def _dial(name: str, group: str, told: Mapping[str, Any], control: Control) -> Dial:
    low, high, step, init = (_short(told[key]) for key in ("min", "max", "step", "value"))
    init = min(max(init, low), high)
    if not low < high:
        raise ConfigError(f"the control {name!r} goes from {low:g} to {high:g}: it cannot vary.")
    named = partial(Parameter, name, unit=control.unit, group=group)
    values: tuple[float, ...] = ()
    if _is_whole(told, control, (low, high, step)):
        parameter = named("categorical", low, high, round(init))
    elif choices := _choices(told, control, (low, high, step)):
        texts, values = (tuple(column) for column in zip(*choices, strict=True))
        nearest = min(range(len(values)), key=lambda i: abs(values[i] - init))
        parameter = named("categorical", 0, len(values) - 1, nearest, texts)
    elif control.scale == "log" and low > 0:
        bottom, top, default = (math.log2(value) for value in (low, high, init))
        parameter = named("continuous", bottom, top, default, curve="exponential")
    else:
        parameter = named("continuous", low, high, init)
    return Dial(told["index"], low, high, parameter, values)


def _is_whole(told: Mapping[str, Any], control: Control, steps: tuple[float, float, float]) -> bool:
    """Return whether an entry or a slider goes in steps of 1 between whole numbers: each is its own text."""
    low, high, step = steps
    switch = told["isDiscrete"] and (low, high) == (0.0, 1.0)
    few = low == round(low) and high == round(high) and high - low < _MOST_CHOICES
    return step == 1.0 and few and not switch and not control.choices


def _choices(
    told: Mapping[str, Any], control: Control, steps: tuple[float, float, float]
) -> tuple[tuple[str, float], ...]:
    """Return text and value of each choice; nothing where the control is continuous.

    A menu has those of the source. An entry has one for each step.
    """
    low, high, step = steps
    inside = tuple((text, value) for text, value in control.choices if low <= value <= high)
    if len(inside) > 1:
        return inside
    if told["isDiscrete"] and (low, high, step) == (0.0, 1.0, 1.0):
        return (("off", 0.0), ("on", 1.0))
    if not told["isDiscrete"] or not step <= high - low < step * _MOST_CHOICES:
        return ()
    values = [_short(low + i * step) for i in range(math.floor((high - low) / step + 1e-6) + 1)]
    return tuple((f"{value:.9g}", value) for value in values)


def _short(value: float) -> float:
    """Return the shortest number that is the same float32: Faust's numbers, not their neighbours in double."""
    return float(str(np.float32(value)))
