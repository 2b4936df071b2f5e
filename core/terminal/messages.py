"""What is said on the error stream."""

from __future__ import annotations

import sys


def say(text: str) -> None:
    """Print a line to the error stream, which goes to the log where there is no terminal."""
    print(f"tonesmith: {text}", file=sys.stderr, flush=True)


def warn(text: str) -> None:
    """Print a warning to the error stream. A worker's own goes to its log: its parent has said it already."""
    say(f"warning: {text}")
