"""What the rows of a dataset are where nothing was rendered: items of a corpus, whole or in windows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from tonesmith.plan.annotated import AnnotationField
from tonesmith.plan.schema import Column

PREFIX: Final = "item/"
"""Of the columns that tell of the item."""
SAID_BY: Final = "said_by"
"""The attribute that tells who said how many of the labels: label -> source -> items."""
NAME: Final = f"{PREFIX}name"
"""The column with the item's name."""
SPLIT: Final = f"{PREFIX}split"
"""The column with the split that the corpus has the item in."""
MIDI: Final = f"{PREFIX}midi_sha256"
"""The column that names the asset with the item's MIDI file."""
FRAMES: Final = f"{PREFIX}frames"
"""The column that counts the frames of a recording that are in the row."""
SECONDS: Final = f"{PREFIX}seconds"
"""The column with the seconds of the item that are in the row."""
_TEXTS: Final[Mapping[str, str]] = {
    "name": "name of the item, UTF-8 padded with zeros",
    "parent": "name of the item that it was derived from, or zeros",
    "operation": "what derived it, or zeros",
    "licence": "licence of the item as the corpus states it, or zeros",
}


@dataclass(frozen=True)
class Items:
    """The items of a corpus that are the rows of a plan.

    Attributes:
        corpus: its name.
        profile: name of its label schema; "" for one of its own.
        truth: SHA-256 of what decides the rows: names, files, labels and splits.
        window, hop: seconds of a row, and from the beginning of a row to that of the next; 0.0 for whole items.
        lengths: name of a text, such as "parent" -> bytes that its column has. One that no item has is left out.
        fields: the labels.
        classes: the label whose choices are to be balanced; "" for none.
    """

    corpus: str
    profile: str
    truth: str
    window: float
    hop: float
    lengths: Mapping[str, int]
    fields: tuple[AnnotationField, ...] = ()
    classes: str = ""

    @property
    def columns(self) -> list[Column]:
        """The columns of items and of what is said of them."""
        texts = [
            Column(f"{PREFIX}{name}", (length,), "uint8", ("byte",), _TEXTS[name])
            for name, length in self.lengths.items()
        ]
        return [*texts, *_FIXED, *(field.column for field in self.fields)]

    @property
    def told(self) -> str:
        """What a row is, in words."""
        if not self.window:
            return "whole items"
        return f"windows of {self.window:g} s, one every {self.hop:g} s"

    def to_json(self) -> dict[str, Any]:
        """Return a JSON-serialisable form."""
        return {
            "corpus": self.corpus,
            "profile": self.profile,
            "truth": self.truth,
            "window": self.window,
            "hop": self.hop,
            "lengths": dict(self.lengths),
            "fields": [field.to_json() for field in self.fields],
            "classes": self.classes,
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Items:
        """Return the items that :meth:`to_json` wrote, of JSON that has been checked."""
        return cls(**{**data, "fields": tuple(map(AnnotationField.from_json, data["fields"]))})


TEXTS: Final = tuple(_TEXTS)
"""The texts that a row may have of its item."""
_FIXED: Final = (
    Column(SPLIT, (), "int16", (), "index of the split in the corpus's; -1 for none"),
    Column(f"{PREFIX}start_s", (), "float64", (), "seconds of the item before the row begins"),
    Column(SECONDS, (), "float64", (), "seconds of the item that are in the row"),
    Column(FRAMES, (), "int64", (), "frames of audio that are the recording's, before the padding; 0 without one"),
    Column(f"{PREFIX}audio_sha256", (32,), "uint8", ("sha256",), "SHA-256 of the recording's file, or zeros"),
    Column(MIDI, (32,), "uint8", ("sha256",), "SHA-256 of the MIDI file, an asset, or zeros"),
)
_RETOLD: Final[Mapping[str, str]] = {
    "pitch": "MIDI pitch of the first note of the score; 0 without one",
    "velocity": "MIDI velocity of the first note of the score; 0 without one",
    "hold": "seconds of the item that are in the row",
    "tail": "seconds of the row after that",
    "patch": "index of the item among those of the corpus, by their names",
    "attempt": "0",
    "origin": "index of what made the item in the attribute origins",
    "preset": "zeros: no synth was played",
}


def retold(columns: Iterable[Column]) -> tuple[Column, ...]:
    """Return the columns of a dataset with what they hold of items."""
    return tuple(replace(column, doc=_RETOLD.get(column.name, column.doc)) for column in columns)
