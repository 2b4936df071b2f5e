"""What a composer says of its scores: each annotation has a name, a kind, and a column of its own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import NDArray

from tonesmith.errors import ConfigError, unknown_name
from tonesmith.plan.schema import Column

PREFIX: Final = "annotation/"
"""Of the columns that hold annotations."""

Kind = Literal["number", "whole", "flag", "choice", "text"]
_FILL: Final[Mapping[str, float]] = {"number": float("nan"), "whole": -(2**63), "flag": -1, "choice": -1}
_ABSENT: Final[Mapping[str, str]] = {"number": "NaN", "whole": "-2^63", "flag": "-1", "choice": "-1", "text": "zeros"}
Value = float | int | bool | str
_DTYPES: Final[Mapping[str, str]] = {
    "number": "float64",
    "whole": "int64",
    "flag": "bool",
    "choice": "int16",
    "text": "uint8",
}


@dataclass(frozen=True, slots=True)
class AnnotationField:
    """One thing that is said of every score.

    Attributes:
        name: a word of lower-case letters, digits and ``_``, with its unit at the end, such as "tempo_bpm".
        kind: "number" (NaN where there is none), "whole", "flag", "choice" of ``choices``, or "text".
        doc: what it says, with its unit.
        choices: of a choice, in the order of their numbers.
        length: bytes of UTF-8 that a text may take.
        optional: whether there may be none: NaN, -2^63 of a whole number, -1 of a flag or a choice, or an
            empty text.
    """

    name: str
    kind: Kind
    doc: str
    choices: tuple[str, ...] = ()
    length: int = 256
    optional: bool = False

    @property
    def column(self) -> Column:
        """The column that holds it: of a text, its UTF-8 padded with zeros."""
        shape, dims = ((self.length,), ("byte",)) if self.kind == "text" else ((), ())
        told = f"{self.doc}; index into {', '.join(self.choices)}" if self.kind == "choice" else self.doc
        if not self.optional:
            return Column(f"{PREFIX}{self.name}", shape, _DTYPES[self.kind], dims, told)
        dtype = "int8" if self.kind == "flag" else _DTYPES[self.kind]
        return Column(f"{PREFIX}{self.name}", shape, dtype, dims, f"{told}; {_ABSENT[self.kind]} if nobody said")

    def stored(self, value: Value | None) -> Any:
        """Return a value as its column holds it; None of one that is optional.

        Raises :class:`ConfigError` for a choice that is none, and for a text that is too long.
        """
        if value is None:
            return np.zeros(self.length, np.uint8) if self.kind == "text" else _FILL[self.kind]
        if self.kind == "choice":
            if value not in self.choices:
                raise ConfigError(unknown_name(self.name, str(value), self.choices))
            return self.choices.index(str(value))
        if self.kind == "text":
            content = str(value).encode()
            if len(content) > self.length or b"\0" in content:
                raise ConfigError(f"{self.name}: a text of {len(content)} bytes; {self.length} is the most.")
            return np.frombuffer(content.ljust(self.length, b"\0"), np.uint8)
        return value

    def read(self, stored: NDArray[Any]) -> Value:
        """Return the value that one row's part of the column holds."""
        if self.kind == "choice":
            index = int(stored)
            return self.choices[index] if 0 <= index < len(self.choices) else ""
        if self.kind == "text":
            return stored.tobytes().rstrip(b"\0").decode(errors="replace")
        if self.kind == "flag":
            return bool(stored)
        return int(stored) if self.kind == "whole" else float(stored)

    def said(self, stored: NDArray[Any]) -> bool:
        """Return whether one row's part of the column holds a value at all."""
        if not self.optional:
            return True
        if self.kind == "text":
            return bool(stored.any())
        return not np.isnan(stored) if self.kind == "number" else int(stored) != _FILL[self.kind]

    def to_json(self) -> dict[str, Any]:
        """Return a JSON-serialisable form."""
        return {
            "name": self.name,
            "kind": self.kind,
            "doc": self.doc,
            "choices": list(self.choices),
            "length": self.length,
            **({"optional": True} if self.optional else {}),
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> AnnotationField:
        """Return the field that :meth:`to_json` wrote, of JSON that has been checked."""
        choices, optional = tuple(data["choices"]), data.get("optional", False)
        return cls(data["name"], data["kind"], data["doc"], choices, data["length"], optional)
