"""What is said to a person or a log: all of it goes through here, or through :func:`tonesmith.terminal.text.shown`."""

from __future__ import annotations

import contextlib
import select
import sys
from typing import TextIO

from tonesmith.terminal.text import shown


def echo(text: str, *, err: bool = False) -> None:
    """Print lines, on the error stream if they are not what was asked for: then nothing depends on their arrival.

    Raises :class:`OSError` that names standard output where it takes no more.
    """
    if not err:
        try:
            print(shown(text), flush=True)
        except OSError as error:
            raise OSError(error.errno, error.strerror, "standard output") from None
        return
    if sys.stderr is None:  # closed, and print would take the other stream
        return
    with contextlib.suppress(OSError):
        print(shown(text), file=sys.stderr, flush=True)


def mention(text: str) -> None:
    """Print a line to the error stream, if it takes one now: nobody may be reading what it leads to."""
    if sys.stderr is not None and _takes_more(sys.stderr):
        echo(text, err=True)


def _takes_more(stream: TextIO) -> bool:
    """Return whether a line can be written without waiting, as far as that can be known."""
    try:
        return bool(select.select([], [stream.fileno()], [], 0)[1])
    except (OSError, ValueError):  # no file of the system's, or one of those that Windows cannot ask
        return True


def say(text: str) -> None:
    """Print a line to the error stream, which goes to the log where there is no terminal."""
    echo(f"tonesmith: {text}", err=True)


def warn(text: str) -> None:
    """Print a warning to the error stream. A worker's own goes to its log: its parent has said it already."""
    say(f"warning: {text}")
