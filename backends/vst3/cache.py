"""The controls that were derived from a plugin, kept in the user's cache: a plugin's texts may take seconds.

A file is named by the SHA-256 of the plugin's binary. It is a stranger's word like any other: one that does not fit
the plugin, or is damaged, is derived anew.
"""

from __future__ import annotations

import importlib.metadata
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from tonesmith.backends.vst3.controls import Control, Known
from tonesmith.host.cache import cache_folder, keep

_FORMAT = 2
_MAX_BYTES = 32 << 20

_Raw = Annotated[float, Field(ge=0.0, le=1.0, allow_inf_nan=False)]
_Finite = Annotated[float, Field(allow_inf_nan=False)]


class _Entry(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    index: Annotated[int, Field(ge=0)]
    name: Annotated[str, Field(pattern="^[a-z][a-z0-9_]*$", max_length=300)]
    group: str
    unit: str
    raws: tuple[_Raw, ...]
    choices: tuple[str, ...]
    scale: _Finite
    offset: _Finite


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    format: int
    pedalboard: str
    titles: dict[str, str]
    controls: tuple[_Entry, ...]
    left_out: tuple[int, ...]


def kept_controls(sha256: str, titles: Mapping[int, str]) -> Known | None:
    """Return what is known of the controls of a binary; None if that is nothing, or not of a plugin with these."""
    path = _path(sha256)
    try:
        if path.stat().st_size > _MAX_BYTES:
            return None
        file = _File.model_validate_json(path.read_bytes())
    except (OSError, ValidationError):
        return None
    same = {int(index) if index.isdigit() else -1: title for index, title in file.titles.items()} == dict(titles)
    fits = [entry.index for entry in file.controls] == list(titles) and {*file.left_out} <= {*titles}
    told = all(len(entry.raws) == len(entry.choices) and len(entry.raws) != 1 for entry in file.controls)
    alone = len({entry.name for entry in file.controls}) == len(file.controls)
    if file.format != _FORMAT or file.pedalboard != _version() or not (same and fits and told and alone):
        return None
    return Known(tuple(Control(**dict(entry)) for entry in file.controls), frozenset(file.left_out))


def keep_controls(sha256: str, titles: Mapping[int, str], known: Known) -> None:
    """Keep what is known of the controls of a binary."""
    fields = tuple(_Entry.model_fields)
    entries = tuple(_Entry(**{name: getattr(control, name) for name in fields}) for control in known.controls)
    file = _File(
        format=_FORMAT,
        pedalboard=_version(),
        titles={str(index): title for index, title in titles.items()},
        controls=entries,
        left_out=tuple(sorted(known.left_out)),
    )
    keep(_path(sha256), file.model_dump_json())


def _path(sha256: str) -> Path:
    return cache_folder("vst3") / f"{sha256}.json"


def _version() -> str:
    return importlib.metadata.version("pedalboard")
