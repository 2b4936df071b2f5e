"""The index of a catalog of wavetables: what it says, and checking that it says no more."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from tonesmith.errors import ConfigError

FORMAT = 1
"""Version of the stored form. A reader refuses any other."""
_MAX_TEXT = 80


def plain(text: object, most: int = _MAX_TEXT) -> str:
    """Return one line of printable text, cut to so many characters; "" for what is no text."""
    printable = "".join(c if c.isprintable() else " " for c in text) if isinstance(text, str) else ""
    return " ".join(printable.split())[:most].rstrip()


_Sha = Annotated[str, Field(pattern=r"\A[0-9a-f]{64}\z")]
_Text = Annotated[str, Field(max_length=10_000), AfterValidator(plain)]


class Source(BaseModel):
    """A file in which wavetables were found.

    Attributes:
        kind: "preset", or "table" for a file that holds one wavetable.
        name, author, licence: as the file and its collection tell, or "".
        wavetables: asset slot -> SHA-256 of what it holds, Init left out.
    """

    model_config = ConfigDict(extra="ignore", frozen=True)

    kind: Literal["preset", "table"]
    name: _Text = ""
    author: _Text = ""
    licence: _Text = ""
    wavetables: dict[Literal["wavetable_1", "wavetable_2", "wavetable_3"], _Sha]


class Entry(BaseModel):
    """What the index holds of a wavetable, beside what follows from the sources."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    name: _Text
    author: _Text
    bytes: int = Field(ge=0)
    keyframes: int = Field(ge=0)
    made_of: tuple[_Text, ...] = Field(max_length=100)


class _Index(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)

    format: int
    wavetables: dict[_Sha, Entry]
    sources: dict[_Sha, Source]


def parsed(text: bytes, place: Path) -> _Index:
    """Return the index in a text. Raises :class:`ConfigError` with the place and what is wrong there."""
    try:
        index = _Index.model_validate_json(text)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(plain(str(part)) for part in first["loc"])
        raise ConfigError(f"{place} is not the index of a wavetable catalog ({where}: {plain(first['msg'])})") from None
    if index.format != FORMAT:
        raise ConfigError(
            f"{place} has format {index.format}; this version of tonesmith reads {FORMAT}. Upgrade tonesmith"
        )
    return index


def entry_of(content: bytes) -> Entry:
    """Return the entry of a wavetable, from what its content says of itself."""
    """Return what the index says of a wavetable that Vital wrote."""
    table = _mapping(json.loads(content))
    components = [_mapping(c) for group in _list(table.get("groups")) for c in _list(_mapping(group).get("components"))]
    return Entry(
        name=plain(table.get("name")),
        author=plain(table.get("author")),
        bytes=len(content),
        keyframes=max((len(_list(component.get("keyframes"))) for component in components), default=0),
        made_of=tuple(dict.fromkeys(plain(component.get("type")) for component in components))[:20],
    )


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []
