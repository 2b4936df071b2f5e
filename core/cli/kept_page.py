"""The first page of the help, kept in the user's cache: making it loads every plugin, which takes half a second.

It is kept with the files that it was made from: all modules that were loaded meanwhile, and the folders in which Python
looks for others. If one of them has changed, or a plugin was installed, the page is made anew.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tonesmith.host.cache import cache_folder, keep

_LOOKS = ("COLOR", "COLUMNS", "TERM", "TONESMITH_", "TTY_", "TYPER_", "GITHUB_ACTIONS", "JUPYTER")
"""What the names of the variables have in them that decide how a page looks, or which plugins load."""


class _Heard:
    """A stream that keeps what is written to it."""

    def __init__(self, stream: Any) -> None:
        self.text = ""
        self._stream = stream

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def write(self, text: str) -> int:
        """Write, and keep."""
        self.text += text
        return int(self._stream.write(text))


def kept_page() -> str:
    """Return the page; "" if it is not known how it looks here, or what it was made from has changed."""
    with contextlib.suppress(OSError, ValueError, TypeError, KeyError):
        told = json.loads(_file().read_text(encoding="utf-8"))
        if told["made_from"] == _states(told["made_from"]):
            return str(told["page"])
    return ""


@contextlib.contextmanager
def keeping_page() -> Iterator[None]:
    """Keep what is printed meanwhile as the page, if nothing was said on the error stream."""
    out, err = _Heard(sys.stdout), _Heard(sys.stderr)
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        yield
    if out.text and not err.text:
        modules = (getattr(module, "__file__", None) for module in list(sys.modules.values()))
        made_from = _states(sorted({*filter(None, modules), *sys.path}))
        keep(_file(), json.dumps({"made_from": made_from, "page": out.text}))


def _file() -> Path:
    looks = sorted((name, value) for name, value in os.environ.items() if any(part in name for part in _LOOKS))
    width = shutil.get_terminal_size().columns
    key = json.dumps([looks, width, sys.stdout.isatty(), sys.stdout.encoding, sys.prefix, sys.path])
    return cache_folder("help") / f"{hashlib.sha256(key.encode()).hexdigest()}.json"


def _states(paths: Any) -> dict[str, list[int]]:
    """Return path -> size and time of the last change of what is there."""
    found = {}
    for path in paths:
        with contextlib.suppress(OSError):
            state = os.stat(path)  # noqa: PTH116 - there are a thousand
            found[path] = [state.st_size, state.st_mtime_ns]
    return found
