"""The folder for what tonesmith keeps between runs, in the user's cache."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Mapping
from pathlib import Path

CACHE_VARIABLE = "TONESMITH_CACHE"


def cache_folder(
    kind: str, platform: str = sys.platform, home: Path | None = None, environ: Mapping[str, str] | None = None
) -> Path:
    """Return the folder for one kind of thing; it need not exist yet.

    ``$TONESMITH_CACHE/KIND``, or ``tonesmith/KIND`` in the user's cache: ``$XDG_CACHE_HOME`` or ``~/.cache``
    on Linux, ``~/Library/Caches`` on macOS, ``%LOCALAPPDATA%`` on Windows.

    Args:
        kind: what is kept there, such as "presets".
        platform: as :data:`sys.platform`.
        home: of the user; None for the real one.
        environ: the environment; None for that of the process.
    """
    environ = os.environ if environ is None else environ
    if chosen := environ.get(CACHE_VARIABLE):
        return Path(chosen).expanduser().absolute() / kind
    home = home or Path.home()
    if platform == "darwin":
        base = home / "Library" / "Caches"
    elif platform == "win32":
        base = Path(environ.get("LOCALAPPDATA") or home / "AppData" / "Local")
    else:
        given = environ.get("XDG_CACHE_HOME", "")
        base = Path(given) if given.startswith("/") else home / ".cache"  # a relative one is to be ignored
    return base / "tonesmith" / kind


def keep(file: Path, text: str) -> None:
    """Write a file of the cache, whole or not at all. A cache that cannot be written costs time, and no more."""
    import tempfile

    with contextlib.suppress(OSError):
        file.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=file.parent, prefix=".kept-")
        aside = Path(name)
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as stream:
                stream.write(text)
            aside.replace(file)
        finally:
            aside.unlink(missing_ok=True)
