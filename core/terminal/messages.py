"""What is said to a person or a log: all of it goes through here, or through :func:`tonesmith.terminal.text.shown`."""

from __future__ import annotations

import contextlib
import sys

from tonesmith.terminal.text import shown


def echo(text: str, *, err: bool = False) -> None:
    """Print lines, on the error stream if they are not what was asked for: then nothing depends on their arrival."""
    if not err:
        print(shown(text), flush=True)
        return
    with contextlib.suppress(OSError):
        print(shown(text), file=sys.stderr, flush=True)


def say(text: str) -> None:
    """Print a line to the error stream, which goes to the log where there is no terminal."""
    echo(f"tonesmith: {text}", err=True)


def warn(text: str) -> None:
    """Print a warning to the error stream. A worker's own goes to its log: its parent has said it already."""
    say(f"warning: {text}")
