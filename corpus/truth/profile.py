"""Profiles: label schemas in TOML. Five come with tonesmith, and a corpus may have one of its own."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from tonesmith.errors import ConfigError, nearest, unknown_name
from tonesmith.host.roles.annotation import Said
from tonesmith.host.settings import InvalidSettings, dotted, validate
from tonesmith.host.toml import TomlSource, parse_toml, read_toml

_NAME: Final = re.compile(r"[a-z][a-z0-9_]{0,63}")
LONG_NAMES: Final[Mapping[str, str]] = {
    "emotionrecognizer": "emotion",
    "melodytransformer": "melody",
    "harmonypredictor": "harmony",
    "dynamicsengine": "dynamics",
    "groovepredictor": "groove",
}
"""The names of the models that the five profiles are for -> the profile."""
_WORDS: Final = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}


class Label(BaseModel):
    """What may be said under a name."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: Literal["number", "whole", "flag", "choice", "text", "texts"] = Field(description="Kind of value.")
    doc: str = Field(default="", description="What it says, with its unit.")
    low: float | None = Field(default=None, description="Least value of a number.")
    high: float | None = Field(default=None, description="Greatest value of a number.")
    choices: tuple[str, ...] = Field(default=(), description="Values of a choice.")
    aliases: Mapping[str, str] = Field(
        default_factory=dict, description="Other words for some choices, such as joyful for happy."
    )
    targets: Mapping[str, Annotated[int, Field(ge=0)]] = Field(
        default_factory=dict, description="Items wanted of some choices, where it is not the target of the profile."
    )

    @model_validator(mode="after")
    def _fits(self) -> Label:
        if (self.kind == "choice") != bool(self.choices):
            raise ValueError("a choice has choices, and no other kind has.")
        for name in (*self.targets, *self.aliases.values()):
            if name not in self.choices:
                raise ValueError(unknown_name("choice", name, self.choices))
        if self.low is not None and self.high is not None and self.low > self.high:
            raise ValueError(f"its range is empty: {self.low:g} to {self.high:g}.")
        return self

    def accepted(self, name: str, value: Any) -> Said:
        """Return a value as this label holds it; a text is read as the kind asks.

        Raises :class:`ConfigError` for one that it cannot be, with what it may be.
        """
        match self.kind:
            case "number" | "whole":
                return self._number(name, value)
            case "flag":
                if isinstance(value, bool):
                    return value
                if str(value).strip().lower() in _WORDS:
                    return _WORDS[str(value).strip().lower()]
                raise ConfigError(f"{name}: {value!r} is not allowed. Expected true or false.")
            case "texts":
                parts = value.split() if isinstance(value, str) else value
                return tuple(str(part) for part in (parts if isinstance(parts, (list, tuple)) else [parts]))
            case "choice":
                return self._choice(name, str(value).strip())
        return str(value)

    def _choice(self, name: str, text: str) -> str:
        words = {choice.lower(): choice for choice in self.choices}
        words |= {word.lower(): choice for word, choice in self.aliases.items()}
        if text.lower() in words:
            return words[text.lower()]
        near = nearest(text, self.choices)
        hint = f" Did you mean {near!r}?" if near else ""
        raise ConfigError(f"{name}: {text!r} is none of {', '.join(self.choices)}.{hint}")

    def _number(self, name: str, value: Any) -> float:
        try:
            number = float(value)
            whole = self.kind == "whole" and number == int(number)
        except (TypeError, ValueError, OverflowError):
            raise ConfigError(f"{name}: {str(value)[:60]!r} is no number.") from None
        low = -float("inf") if self.low is None else self.low
        high = float("inf") if self.high is None else self.high
        if isinstance(value, bool) or not low <= number <= high or (self.kind == "whole" and not whole):
            kind = "a whole number" if self.kind == "whole" else "a number"
            raise ConfigError(f"{name}: {value} is not allowed. Expected {kind} from {low:g} to {high:g}.")
        return int(number) if whole else number


class Profile(BaseModel):
    """A label schema: what may be said of an item, and what a model needs."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    summary: str = Field(description="One line.")
    long_name: str = Field(default="", description="Name of the model that it is for.")
    classes: str = Field(
        default="", description="Label whose choices are to be balanced, and that splits keep the shares of."
    )
    target: int = Field(default=0, ge=0, description="Items wanted of each class.")
    needs: Literal["score", "audio", "either", "both"] = Field("either", description="Media that an item must have.")
    labels: Mapping[str, Label] = Field(default_factory=dict, description="What may be said.")

    @model_validator(mode="after")
    def _has_classes(self) -> Profile:
        for name in self.labels:
            if not _NAME.fullmatch(name):
                raise ValueError(f"{name!r} is no name of a label: use lower-case letters, digits and _.")
        if self.classes and self.classes not in self.every():
            raise ValueError(unknown_name("label", self.classes, self.every()))
        if self.classes and self.label(self.classes).kind != "choice":
            raise ValueError(f"{self.classes} is no choice, so that its classes cannot be counted.")
        return self

    def every(self) -> Mapping[str, Label]:
        """Return the labels that all corpora have, and those of this profile."""
        return {**common_labels(), **self.labels}

    def label(self, name: str) -> Label:
        """Return the label of a name. Raises :class:`ConfigError` for an unknown one."""
        labels = self.every()
        if name not in labels:
            raise ConfigError(unknown_name("label", name, labels))
        return labels[name]

    def wanted(self) -> Mapping[str, int]:
        """Return class -> the items wanted of it."""
        if not self.classes:
            return {}
        label = self.label(self.classes)
        return {choice: label.targets.get(choice, self.target) for choice in label.choices}


def common_labels() -> Mapping[str, Label]:
    """Return the labels that every corpus has: the fields of ``manifest.json``."""
    return _COMMON


def shipped() -> tuple[str, ...]:
    """Return the names of the profiles that come with tonesmith."""
    return tuple(LONG_NAMES.values())


def profile_text(chosen: str, folder: Path | None = None) -> tuple[str, str]:
    """Return name and TOML of a profile: one that comes with tonesmith, by its short or long name, or a file.

    Args:
        chosen: name, or path that ends in ``.toml``.
        folder: that a relative path is in.

    Raises :class:`ConfigError` for an unknown one, or a file that cannot be read.
    """
    name = LONG_NAMES.get(chosen.lower(), chosen)
    if name in shipped():
        from importlib.resources import files

        return name, (files("tonesmith.corpus") / "profiles" / f"{name}.toml").read_text("utf-8")
    if not chosen.endswith(".toml"):
        raise ConfigError(f"{unknown_name('profile', chosen, [*shipped()])} Or name a file that ends in .toml.")
    path = (folder or Path()) / chosen
    checked(read_toml(path))
    return path.stem, path.read_text(encoding="utf-8")


def profile_of(text: str, label: str) -> Profile:
    """Return the profile that a TOML text states. Raises :class:`ConfigError` with the line of what is wrong."""
    return checked(parse_toml(text, label))


def checked(source: TomlSource) -> Profile:
    """Return the profile of a document. Raises :class:`ConfigError` with the line of what is wrong."""
    try:
        return validate(Profile, source.data)
    except InvalidSettings as error:
        told = [f"{source.where(p.path)}{dotted(p.path)}: {p.text}".replace(": : ", ": ") for p in error.problems]
        raise ConfigError("\n".join(told)) from None


MODES: Final = ("major", "minor", "dorian", "phrygian", "lydian", "mixolydian", "locrian", "other")
"""What ``mode`` may be."""
TONICS: Final = ("C", "Db", "D", "Eb", "E", "F", "Gb", "G", "Ab", "A", "Bb", "B")
"""What ``key`` may be."""
_SHARPS: Final = {
    "C#": "Db",
    "D#": "Eb",
    "F#": "Gb",
    "G#": "Ab",
    "A#": "Bb",
    "Cb": "B",
    "B#": "C",
    "E#": "F",
    "Fb": "E",
}

_COMMON: Final[Mapping[str, Label]] = {
    "emotion": Label(kind="text", doc="emotion that is meant or perceived"),
    "valence": Label(kind="number", low=-1, high=1, doc="from unpleasant to pleasant"),
    "arousal": Label(kind="number", low=-1, high=1, doc="from calm to excited"),
    "key": Label(kind="choice", choices=TONICS, aliases=_SHARPS, doc="tonic, spelled with flats"),
    "mode": Label(kind="choice", choices=MODES, doc="mode on that tonic"),
    "tempo_bpm": Label(kind="number", low=10, high=400, doc="beats (quarter notes) per minute"),
    "tempo_other_bpm": Label(kind="number", low=10, high=800, doc="tempo that it may be as well, an octave away"),
    "meter": Label(kind="text", doc="time signature, such as 3/4"),
    "groove_type": Label(kind="text", doc="name of the groove"),
    "swing_ratio": Label(
        kind="number", low=0.5, high=0.8, doc="place of the off-beat within the beat: 0.5 straight, 0.667 triplets"
    ),
    "articulation": Label(kind="text", doc="how notes are joined, such as legato"),
    "chord_progression": Label(kind="texts", doc="chords in their order, as numerals or symbols"),
    "quality_score": Label(kind="number", low=0, high=1, doc="how good the item is"),
    "is_verified": Label(kind="flag", doc="whether a person has checked the annotations"),
    "notes": Label(kind="text", doc="anything else"),
}
