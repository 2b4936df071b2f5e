"""Presets, history and comparisons, as a person and a program read them."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tonesmith.explorer.heard import UNITS
from tonesmith.explorer.history import settings_text
from tonesmith.explorer.recipe import ModelRef, Recipe
from tonesmith.terminal.table import table, width_of_terminal
from tonesmith.terminal.text import counted, one_line

if TYPE_CHECKING:
    from tonesmith.explorer.comparing import Compared, Side
    from tonesmith.explorer.history import Entry
    from tonesmith.explorer.presets import Preset, Recalled

_NOWHERE = ModelRef(name="model", sha256="0" * 64)


def preset_rows(presets: Mapping[str, Preset]) -> list[tuple[str, str]]:
    """Return names of presets, and what they say in a few words."""
    return [(one_line(name, 24), one_line(_words(preset.settings), 300)) for name, preset in presets.items()]


def _words(settings: Mapping[str, Any]) -> str:
    import json

    plain = Recipe(model=_NOWHERE).model_dump(mode="json")
    try:
        return settings_text(Recipe.model_validate_json(json.dumps({**plain, **settings})))
    except ValueError:
        return "cannot be read"


def preset_lines(name: str, found: Recalled) -> list[str]:
    """Return what a preset makes with a version of a model, in lines."""
    head = f"{name}  {found.recipe.seconds:g} s, {settings_text(found.recipe)}"
    lines = textwrap.wrap(head, width_of_terminal(), replace_whitespace=False, drop_whitespace=True)
    for slider, (before, after) in found.changed.items():
        lines.append(
            f"{slider} was saved as {_steps(before)}; its range is another now, where that is {_steps(after)}."
        )
    return [*lines, *(f"{slider} is left out: this version has no such slider." for slider in found.gone)]


def _steps(steps: float | tuple[float, ...]) -> str:
    return "..".join(f"{each:+.2f}" for each in (steps if isinstance(steps, tuple) else (steps,)))


def history_json(path: Path, entries: Sequence[Entry]) -> dict[str, Any]:
    """Return what was made with a model, as ``--json`` tells it."""
    return {"path": str(path), "made": [{**one.model_dump(mode="json"), "state": one.state} for one in entries]}


def history_lines(path: Path, entries: Sequence[Entry], total: int) -> list[str]:
    """Return what was made with a model, in lines."""
    if not entries:
        return [f"{path} has no history yet. Make a sound: tonesmith explore make {path} -o FILE"]
    rows = [_entry(entry) for entry in entries]
    more = f", the newest {len(entries)}" if total > len(entries) else ""
    head = f"{path}  {counted(total, 'sound')} made{more}"
    return [head, "", *table(("", "made (UTC)", "file", "settings"), rows)]


def _entry(entry: Entry) -> tuple[str, str, str, str]:
    state = f" ({entry.state})" if entry.state else ""
    name = one_line(Path(entry.path).name, 24)
    settings = one_line(settings_text(entry.recipe), 120)
    return str(entry.number), entry.when[:16].replace("T", " "), f"{name}{state}", settings


def compared_json(found: Compared, out: Path | None, nbytes: int | None) -> dict[str, Any]:
    """Return a comparison, as ``--json`` tells it."""
    return {
        "path": None if out is None else str(out),
        "nbytes": nbytes,
        "sides": [asdict(side) for side in found.sides],
        "spectral": found.spectral,
        "latent": found.latent,
    }


def compared_lines(found: Compared, out: Path | None) -> list[str]:
    """Return a comparison, in lines."""
    first, second = found.sides
    rows = [
        ("seconds", f"{first.seconds:.2f}", f"{second.seconds:.2f}", ""),
        ("loudness", f"{first.lufs:.1f} LUFS", f"{second.lufs:.1f} LUFS", f"{second.lufs - first.lufs:+.1f} LU"),
        *(_feature(name, first, second) for name in UNITS),
    ]
    return [
        *table(("", one_line(f"A: {first.name}", 26), one_line(f"B: {second.name}", 26), "B - A"), rows),
        "",
        f"at the same loudness, their spectra differ by {found.spectral:.1f} dB",
        *([] if found.latent is None else [f"in the model, they are {found.latent:.2f} deviations apart"]),
        *([f"{out}: A ({first.gain:+.1f} dB), a pause, and B ({second.gain:+.1f} dB)"] if out else []),
    ]


def _feature(name: str, first: Side, second: Side) -> tuple[str, str, str, str]:
    one, other = first.features[name], second.features[name]
    unit = f" {UNITS[name]}" if UNITS[name] else ""
    told = tuple("none" if value is None else f"{value:.2f}{unit}" for value in (one, other))
    return name, told[0], told[1], "" if one is None or other is None else f"{other - one:+.2f}"
