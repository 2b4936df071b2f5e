"""A model, and what was made with it, as a person and a program read them."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tonesmith.explorer import versions
from tonesmith.explorer.weights import share_of_made
from tonesmith.terminal.table import table, width_of_terminal
from tonesmith.terminal.text import WHOLE, counted, one_line, size

if TYPE_CHECKING:
    from tonesmith.explorer.calls import Made
    from tonesmith.explorer.description import Description
    from tonesmith.explorer.surveyed import Survey

_MOST = 12
"""Sounds that are listed."""


def lines_of(about: Description, path: Path, version: int | None = None, survey: Survey | None = None) -> list[str]:
    """Return what is said of a model, in lines.

    Args:
        about: the model.
        path: of its folder.
        version: of it; None for the one that is used.
        survey: of its sounds and of what was made with it; None to leave that out.
    """
    seconds = sum(sound.seconds for sound in about.sounds)
    channels = "stereo" if about.channels == 2 else "mono"
    sounds = counted(len(about.sounds), "sound")
    what = f"{sounds}, {seconds:,.1f} s, {channels}, {size(_nbytes(path, version))}"
    dimensions = "components" if about.kind == "atlas" else "latents"
    return [
        f"{one_line(path, WHOLE)}  {about.kind} of {what}",
        f"{about.components} {dimensions}, {counted(about.exemplars, 'exemplar')}",
        *_version(path, version),
        *_made(about),
        "",
        *_errors(about),
        "",
        *_sliders(about),
        "",
        *_sounds(about, survey),
        *([] if survey is None or not survey.made else ["", *_novelty(survey)]),
    ]


def _errors(about: Description) -> list[str]:
    errors = about.errors
    rows = [
        ("the phase alone (no model is better)", f"{errors.ceiling:.2f} dB"),
        ("its own sounds", f"{errors.own:.2f} dB"),
        ("sounds held out", f"{errors.held_out:.2f} dB"),
    ]
    return table(("made again", "error"), rows)


def _sliders(about: Description) -> list[str]:
    shown = [row_of(slider) for slider in about.sliders if slider["kind"] != "parameter"]
    lines = table(("slider", "confidence", "range", "one step"), shown) if shown else ["No slider is sure enough."]
    of_synth = [row_of(slider) for slider in about.sliders if slider["kind"] == "parameter"]
    synth = ["", *table(("of the synth", "confidence", "range", "one step"), of_synth)] if of_synth else []
    known = {str(slider["name"]) for slider in about.sliders}
    hidden = [f"{name} {value:.2f}" for name, value in about.confidences.items() if name not in known]
    told = textwrap.wrap(f"hidden, below 0.50: {', '.join(hidden)}", width_of_terminal())
    return [*lines, *(told if hidden else []), *synth]


def row_of(slider: Mapping[str, Any]) -> tuple[str, str, str, str]:
    """Return what is said of a slider: its name, confidence, range, and what a step does."""
    unit = f" {slider['unit']}" if slider["unit"] else ""
    step = f"{slider['effect']:+.2f}{unit}"
    if slider["kind"] == "discovered":
        step = f"{slider['effect']:.0f}{unit}" + (f", {slider['hint']}" if slider["hint"] else "")
    return slider["name"], f"{slider['confidence']:.2f}", f"{slider['low']:+.1f} to {slider['high']:+.1f}", step


def _sounds(about: Description, survey: Survey | None) -> list[str]:
    rows = [(one_line(sound.name, 34), f"{sound.seconds:.2f}", str(sound.channels)) for sound in about.sounds[:_MOST]]
    heads: tuple[str, ...] = ("sound", "seconds", "channels")
    told: Sequence[tuple[str, ...]] = rows
    if survey is not None:
        heads = (*heads, "on the map")
        told = [(*row, f"{at.x:+.2f}, {at.y:+.2f}") for row, at in zip(rows, survey.places, strict=False)]
    more = len(about.sounds) - _MOST
    return [*table(heads, told), *([f"and {more:,} more"] if more > 0 else [])]


def _novelty(survey: Survey) -> list[str]:
    """Return how new the newest sounds of the history are."""
    rows = [
        (str(each.number), one_line(each.name, 44), each.why if each.novelty is None else f"{each.novelty:.2f}")
        for each in survey.made[-_MOST:]
    ]
    return [*table(("made", "file", "novelty"), rows), "0 is a copy, 1 as new as one of your sounds to the others"]


def _version(path: Path, version: int | None) -> list[str]:
    """Return which of several versions it is."""
    numbers = versions.numbers_of(path)
    shown = versions.chosen_of(path) if version is None else version
    used = "" if shown == versions.chosen_of(path) else f" (version {versions.chosen_of(path)} is used)"
    return [f"version {shown} of {len(numbers)}{used}"] if len(numbers) > 1 else []


def _made(about: Description) -> list[str]:
    """Return how many of the sounds a model made, and what they weigh."""
    made = [sound for sound in about.sounds if sound.made_by]
    share = 100.0 * share_of_made(about.sounds)
    return [f"{counted(len(made), 'sound')} made by a model: {share:.0f} % of the weight"] if made else []


def _nbytes(path: Path, version: int | None) -> int:
    folder = versions.folder_of(path, version)
    return sum(file.stat().st_size for file in folder.iterdir() if file.is_file())


def shown_json(about: Description, path: Path, version: int | None = None) -> dict[str, Any]:
    """Return what is said of a model, as ``--json`` tells it. The arguments are those of :func:`lines_of`."""
    return {
        "path": str(path),
        "nbytes": _nbytes(path, version),
        "version": versions.chosen_of(path) if version is None else version,
        "made_share": share_of_made(about.sounds),
        "model": about.kind,
        "weights": about.weights,
        "versions": dict(about.versions),
        "channels": about.channels,
        "duration": round(sum(sound.seconds for sound in about.sounds), 3),
        "components": about.components,
        "exemplars": about.exemplars,
        "errors": asdict(about.errors),
        "sliders": [dict(slider) for slider in about.sliders],
        "confidences": dict(about.confidences),
        "sounds": [asdict(sound) for sound in about.sounds],
        "trial": None if about.trial is None else asdict(about.trial),
    }


def made_lines(done: Made) -> list[str]:
    """Return what was made, in lines."""
    written = done.written
    channels = done.recipe.channels or ("stereo" if written.channels == 2 else "mono")
    lines = [f"{one_line(written.path, WHOLE)}  {written.seconds:.2f} s, {channels}, {size(written.nbytes)}"]
    if written.gain < 0.0:
        lines.append(f"made {-written.gain:.1f} dB quieter, so that its peak is -1 dBTP")
    return lines


def made_json(done: Made) -> dict[str, Any]:
    """Return what was made, as ``--json`` tells it."""
    written = done.written
    return {
        "path": str(written.path),
        "nbytes": written.nbytes,
        "duration": written.seconds,
        "channels": written.channels,
        "gain": written.gain,
        "beyond": dict(done.beyond),
        "recipe": done.recipe.model_dump(mode="json"),
    }


def batch_lines(batch: Path, paths: Sequence[Path], done: Sequence[Made | None]) -> list[str]:
    """Return what became of a batch, in lines: a table of the sounds, and how many were made."""
    rows = []
    for path, made in zip(paths, done, strict=True):
        seconds = "" if made is None else f"{made.written.seconds:.2f}"
        rows.append((one_line(str(path), 48), "left, it is the same" if made is None else "made", seconds))
    new = [made.written for made in done if made is not None]
    left = len(done) - len(new)
    told = f"{batch}: {counted(len(new), 'sound')} made, {sum(one.seconds for one in new):,.1f} s"
    return [*table(("file", "", "seconds"), rows), f"{told}, {size(sum(one.nbytes for one in new))}; {left} left"]


def batch_json(batch: Path, paths: Sequence[Path], done: Sequence[Made | None]) -> dict[str, Any]:
    """Return what became of a batch, as ``--json`` tells it."""
    return {
        "path": str(batch),
        "made": [made_json(made) for made in done if made is not None],
        "left": [str(path) for path, made in zip(paths, done, strict=True) if made is None],
    }
