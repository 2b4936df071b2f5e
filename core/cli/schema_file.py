"""The file with the schema of compositions, and the line by which an editor finds it."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tonesmith.terminal.text import json_text

if TYPE_CHECKING:
    from tonesmith.host.config import Config
    from tonesmith.host.registry import Host

NAME = "tonesmith.schema.json"
"""Of the file, beside the composition."""


def schema_bytes(host: Host) -> bytes:
    """Return the content of the file."""
    from tonesmith.host.editor_schema import composition_schema

    return json_text(composition_schema(host), indent=2).encode() + b"\n"


def is_schema(path: Path) -> bool:
    """Return whether a file is a schema that tonesmith wrote, and may write anew."""
    from tonesmith.host.editor_schema import TITLE

    with suppress(OSError, ValueError, RecursionError):
        told: Any = json.loads(path.read_bytes()) if path.is_file() else None
        return isinstance(told, dict) and told.get("title") == TITLE and "$schema" in told
    return False


def save_composition(config: Config, path: Path, host: Host) -> None:
    """Write a composition, and the schema beside it that its first line names.

    What is there under the name of the schema and is none stays, and is not named. Raises :class:`OSError`.
    """
    schema = path.with_name(NAME)
    named = not path.exists() or path.is_file()  # and no pipe
    named = named and not schema.is_symlink() and (is_schema(schema) or not schema.exists())
    path.write_text(f"#:schema ./{NAME}\n\n{config.to_toml()}" if named else config.to_toml(), encoding="utf-8")
    if named:
        schema.write_bytes(schema_bytes(host))
