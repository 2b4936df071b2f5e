"""A model and an atlas side by side, as they were judged on the same held-out sounds."""

from __future__ import annotations

import textwrap
from pathlib import Path
from typing import TYPE_CHECKING

from tonesmith.terminal.table import table, width_of_terminal
from tonesmith.terminal.text import counted, one_line

if TYPE_CHECKING:
    from tonesmith.explorer.atlas import Trial
    from tonesmith.explorer.description import Description


def compared(about: Description, path: Path) -> list[str]:
    """Return the trial of a model, in lines; without one, how to have it."""
    if about.trial is None:
        told = f"Only an atlas was fitted. To compare: tonesmith explore fit {path} SOUNDS --model vae --force"
        return textwrap.wrap(told, width_of_terminal())
    trial = about.trial
    rows = [
        ("atlas", f"{trial.atlas_levels:.2f} dB", f"{trial.atlas_sound:.2f} dB"),
        (trial.model, f"{trial.model_levels:.2f} dB", f"{trial.model_sound:.2f} dB"),
        ("the phase alone", "", f"{trial.ceiling:.2f} dB"),
    ]
    held = f"{counted(trial.sounds, 'sound')} held out, {counted(trial.frames, 'frame')}"
    verdict = "is better, and kept" if trial.kept else "is not better by half a percent: the model is an atlas"
    lines = textwrap.wrap(f"{held}: the {trial.model} {verdict}.", width_of_terminal())
    return [*lines, *table(("fitted without them", "levels", "as sound"), rows), *_report(trial)]


def _report(trial: Trial) -> list[str]:
    words = [f"{name.replace('_', ' ')} {value}" for name, value in trial.report.items()]
    return textwrap.wrap(one_line(f"{trial.model}: {', '.join(words)}", 600), width_of_terminal()) if words else []
