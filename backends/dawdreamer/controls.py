"""The controls of a Faust program, as its compiler lists them, and the parameters that they are to the host."""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from tonesmith.backends.dawdreamer.compiler import EFFECT
from tonesmith.errors import ConfigError, EngineError
from tonesmith.score.controllers import BEND, PRESSURE
from tonesmith.space.parameter import Parameter

_MOST_CHOICES = 64
"""A control in more steps than this is continuous."""
_METERS = frozenset({"hbargraph", "vbargraph"})
_DISCRETE = frozenset({"nentry", "checkbox", "button"})
_NOTE = frozenset({"freq", "key", "note", "gain", "vel", "velocity", "gate"})
"""Names of the controls that a note moves: https://faustdoc.grame.fr/manual/midi/#standard-polyphony-parameters"""
_UNNAMED = "0x00"
"""What Faust calls a control or group without a label."""
_UNHEARD = "Panic"
"""DawDreamer takes a control of this name for the panic button of its polyphony, and does not list it."""
_LONGEST = 512
"""DawDreamer cuts names after so many characters, and knows a control by its name only."""
_PUNCTUATION = re.compile(r"[\x00-\x7f]")
_CONTROLLER = re.compile(r"ctrl\s+(\d{1,3})")
_PLAIN = re.compile(r"[A-Za-z0-9_.-]")
_CHOICE = re.compile(r"'([^']*)'\s*:\s*([-+0-9.eE]+)")
_STYLE = re.compile(r"\s*(?:menu|radio)\s*\{(.*)\}\s*", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Dial:
    """One control of a compiled program, and the parameter that it is to the host.

    Attributes:
        address: by which DawDreamer knows it.
        low, high: what the program takes, in its own units.
        values: of each choice, in the program's units; empty where the parameter's own number is taken.
        midi: which MIDI controller it stands for in Faust's words, such as "ctrl 1"; "" for none.
    """

    address: str
    low: float
    high: float
    parameter: Parameter
    values: tuple[float, ...] = ()
    midi: str = ""

    @property
    def performed(self) -> bool:
        """Whether it stands for a MIDI controller, which stays where it is unless that is moved."""
        return bool(self.midi)

    @property
    def controller(self) -> int | None:
        """The kind of controller that moves it, of :mod:`tonesmith.score.controllers`."""
        if found := _CONTROLLER.match(self.midi):
            return min(int(found[1]), 127)
        return {"pitchwheel": BEND, "chanpress": PRESSURE}.get(self.midi.partition(" ")[0])

    def moved(self, share: Any) -> Any:
        """Return what the program gets where its controller is at a share, 0..1, of its range."""
        return self.low + (self.high - self.low) * share

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


@dataclass(frozen=True, slots=True)
class Panel:
    """All controls of a program.

    Attributes:
        dials: by the names of their parameters.
        note: the addresses of the controls that a note moves, and the name of each, such as "freq".
    """

    dials: Mapping[str, Dial]
    note: Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class _Control:
    """A control as Faust describes it, and the groups around it."""

    told: Mapping[str, Any]
    groups: tuple[str, ...]

    @property
    def effect(self) -> bool:
        return self.groups[:1] == (EFFECT,)

    @property
    def address(self) -> str:
        """The address as DawDreamer has it: it reads the bytes of UTF-8 as Latin-1, and cuts the end off."""
        return str(self.told["address"]).encode().decode("latin-1")[:_LONGEST]

    @property
    def last(self) -> str:
        return str(self.told["address"]).rpartition("/")[2]

    @property
    def metadata(self) -> Mapping[str, str]:
        return {key: str(value).strip() for entry in self.told.get("meta", ()) for key, value in entry.items()}

    def number(self, key: str, default: float) -> float:
        return float(self.told.get(key, default))


def panel_of(tree: Mapping[str, Any]) -> Panel:
    """Return the controls of a program; meters, which are outputs of it, are none.

    Args:
        tree: the outermost group of Faust's description in JSON.

    Raises :class:`ConfigError` if there is nothing to vary, or DawDreamer could not tell two controls apart.
    """
    dials: dict[str, Dial] = {}
    note: list[tuple[str, str]] = []
    addresses: set[str] = set()
    for control in _controls(tree):
        if control.address in addresses:
            raise ConfigError(f"two controls of the instrument begin with the same {_LONGEST} letters: shorten them.")
        addresses.add(control.address)
        if control.last in _NOTE and not control.effect:
            note.append((control.address, control.last))
            continue
        group = "_".join(usable(name) for name in _groups(control))
        label = usable(str(control.told["label"]))
        name = _unique(f"{group}_{label}" if group else label, dials)
        dials[name] = _dial(name, group, control)
    if not dials:
        raise ConfigError("the instrument has no control but those of the note: there is nothing to vary.")
    return Panel(dials, note)


def usable(label: str) -> str:
    """Return a label as a part of a name: letters of any script as they are, and ``_`` for what has another meaning.

    That is punctuation and spaces, which patterns and command lines read, and what cannot be seen.
    """
    if label == _UNNAMED:
        return "unnamed"
    text = unicodedata.normalize("NFC", label.strip())
    return "".join(char if _is_seen(char) else "_" for char in text) or "unnamed"


def _is_seen(char: str) -> bool:
    if _PUNCTUATION.match(char):
        return _PLAIN.match(char) is not None
    return char.isprintable() and not char.isspace()


def _unique(name: str, taken: Mapping[str, Any]) -> str:
    """Return a name, with a number where another control came to it first."""
    number, unique = 1, name
    while unique in taken:
        number += 1
        unique = f"{name}_{number}"
    return unique


def _controls(tree: Mapping[str, Any]) -> Iterator[_Control]:
    """Yield what can be set. A group around all of a voice is no part of names: it tells no control from another."""
    items = tree["items"]
    voice = [item for item in items if item.get("label") != EFFECT]
    joined = len(voice) < len(items)
    for item in items:
        alone = joined and len(voice) == 1 and item is voice[0] and "items" in item
        yield from _within(item["items"] if alone else [item], ())


def _within(items: Sequence[Mapping[str, Any]], groups: tuple[str, ...]) -> Iterator[_Control]:
    for item in items:
        if "items" in item:
            yield from _within(item["items"], (*groups, str(item["label"])))
        elif item["type"] not in _METERS and "address" in item:
            control = _Control(item, groups)
            if control.last != _UNHEARD:
                yield control


def _groups(control: _Control) -> tuple[str, ...]:
    return ("effect", *control.groups[1:]) if control.effect else control.groups


def _dial(name: str, group: str, control: _Control) -> Dial:
    low, high, step = (control.number(key, default) for key, default in (("min", 0.0), ("max", 1.0), ("step", 1.0)))
    if not low < high:
        raise ConfigError(f"the control {name!r} goes from {low:g} to {high:g}: it cannot vary.")
    init = min(max(control.number("init", 0.0), low), high)
    told = control.metadata
    named = partial(Parameter, name, unit=told.get("unit", ""), group=group)
    values: tuple[float, ...] = ()
    menu = _menu(told.get("style", ""))
    discrete = control.told["type"] in _DISCRETE
    if _is_whole((low, high, step), discrete) and not menu:
        parameter = named("categorical", low, high, round(init))
    elif choices := _choices(menu, (low, high, step), discrete):
        texts, values = (tuple(column) for column in zip(*choices, strict=True))
        nearest = min(range(len(values)), key=lambda i: abs(values[i] - init))
        parameter = named("categorical", 0, len(values) - 1, nearest, texts)
    elif told.get("scale") == "log" and low > 0:
        bottom, top, default = (math.log2(value) for value in (low, high, init))
        parameter = named("continuous", bottom, top, default, curve="exponential")
    else:
        parameter = named("continuous", low, high, init)
    return Dial(control.address, low, high, parameter, values, midi=told.get("midi", ""))


def _is_whole(steps: tuple[float, float, float], discrete: bool) -> bool:
    """Return whether an entry or a slider goes in steps of 1 between whole numbers: each is its own text."""
    low, high, step = steps
    switch = discrete and (low, high) == (0.0, 1.0)
    return step == 1.0 and low == round(low) and high == round(high) and high - low < _MOST_CHOICES and not switch


def _choices(
    menu: Sequence[tuple[str, float]], steps: tuple[float, float, float], discrete: bool
) -> tuple[tuple[str, float], ...]:
    """Return text and value of each choice; nothing where the control is continuous.

    A menu has its own. An entry has one for each step.
    """
    low, high, step = steps
    inside = tuple((text, value) for text, value in menu if low <= value <= high)
    if len(inside) > 1:
        return inside
    if discrete and (low, high, step) == (0.0, 1.0, 1.0):
        return (("off", 0.0), ("on", 1.0))
    if not discrete or not step <= high - low < step * _MOST_CHOICES:
        return ()
    values = [_short(low + i * step) for i in range(math.floor((high - low) / step + 1e-6) + 1)]
    return tuple((f"{value:.9g}", value) for value in values)


def _menu(style: str) -> tuple[tuple[str, float], ...]:
    """Return the entries of a menu; none if one of them is no number, or two have one text or one value."""
    found = _STYLE.fullmatch(style)
    try:
        entries = tuple((name.strip(), float(value)) for name, value in _CHOICE.findall(found[1] if found else ""))
    except ValueError:
        return ()
    names, values = {name.lower() for name, _ in entries}, {value for _, value in entries}
    whole = len(names) == len(values) == len(entries) > 1 and all(map(math.isfinite, values))
    return entries if whole else ()


def _short(value: float) -> float:
    """Return a sum of steps without what binary fractions add to it."""
    return float(f"{value:.7g}")
