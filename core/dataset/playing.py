"""A row heard: in a notebook by a player that starts at once, elsewhere on the audio output."""

from __future__ import annotations

import sys
from importlib import import_module
from typing import TYPE_CHECKING, Any

import numpy as np

from tonesmith.media.speaker import play

if TYPE_CHECKING:
    from tonesmith.dataset.row import Row

_INSTEAD = "Write it as a file instead: tonesmith export DATASET {} --audio FILE.wav"


def play_row(row: Row) -> Any:
    """Play a row, and return the player that a notebook shows; None elsewhere.

    Raises :class:`ConfigError` where nothing can be played.
    """
    if not in_notebook():
        play(row.audio, row.plan.audio.sample_rate, _INSTEAD.format(row.row))
        return None
    display: Any = import_module("IPython.display")
    clean = np.nan_to_num(row.audio, nan=0.0, posinf=0.0, neginf=0.0)
    level = max(1.0, float(np.abs(clean).max(initial=0.0)))
    return display.Audio(clean / level, rate=row.plan.audio.sample_rate, normalize=False, autoplay=True)


def in_notebook() -> bool:
    """Return whether this runs in a kernel, whose screen is a notebook's."""
    interactive = sys.modules.get("IPython")
    shell = interactive.get_ipython() if interactive is not None else None
    return shell is not None and hasattr(shell, "kernel")
