"""What is noted beside a downloaded file, so that the items that come from it know their source and licence."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from tonesmith.corpus.truth.files import write_whole
from tonesmith.document import parsed_object, read_plain
from tonesmith.errors import DatasetError

_SUFFIX: Final = ".source.json"
_KEYS: Final = ("source", "licence", "url", "sha256")


def note_path(file: Path) -> Path:
    """Return where the note of a file lies."""
    return file.with_name(file.name + _SUFFIX)


def write_note(file: Path, told: Mapping[str, str], nbytes: int) -> None:
    """Note where a file is from."""
    write_whole(note_path(file), json.dumps({**told, "nbytes": nbytes}, indent=1).encode() + b"\n")


def read_note(file: Path) -> dict[str, Any]:
    """Return where a file is from: source, licence, URL and SHA-256; nothing where that is not noted, or outdated."""
    try:
        told = parsed_object(read_plain(note_path(file)), note_path(file).name)
        if not file.is_file() or told.get("nbytes") != file.stat().st_size:
            return {}
    except (OSError, DatasetError):
        return {}
    return {key: told[key][:2000] for key in _KEYS if isinstance(told.get(key), str) and told[key]}
