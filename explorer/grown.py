"""What moved in a model that grew, and its versions, as a person and a program read them."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tonesmith.errors import TonesmithError
from tonesmith.explorer import versions
from tonesmith.explorer.stored import read_description
from tonesmith.terminal.table import table
from tonesmith.terminal.text import counted, one_line

if TYPE_CHECKING:
    from tonesmith.explorer.aligned import MovedSlider
    from tonesmith.explorer.growth import Grown

_MOST = 8
"""Sounds that are listed: those that moved farthest."""


def grown_lines(grown: Grown) -> list[str]:
    """Return what moved, in lines."""
    growth, errors = grown.growth, grown.model.atlas.errors
    farthest = sorted(growth.sounds, key=lambda sound: -sound.distance)
    sounds = [(one_line(sound.name, 44), f"{sound.distance:.2f}") for sound in farthest[:_MOST]]
    more = len(farthest) - _MOST
    return [
        f"{grown.model.path}  version {grown.version}, from {grown.parent}: held out {errors.held_out:.2f} dB",
        "",
        *table(("slider", "turned", "confidence"), [_slider(slider) for slider in growth.sliders]),
        "",
        *table(("sound", "moved, in deviations"), sounds),
        *([f"and {more:,} more"] if more > 0 else []),
    ]


def _slider(slider: MovedSlider) -> tuple[str, str, str]:
    before, after = ("" if value is None else f"{value:.2f}" for value in (slider.before, slider.after))
    if slider.angle is None:
        return slider.name, "gone" if slider.after is None else "new", before or after
    return slider.name, f"{slider.angle:.0f}°", f"{before} -> {after}"


def grown_json(grown: Grown) -> dict[str, Any]:
    """Return what moved, as ``--json`` tells it."""
    return {
        "path": str(grown.model.path),
        "version": grown.version,
        "parent": grown.parent,
        "weights": grown.model.sha256,
        "errors": asdict(grown.model.atlas.errors),
        "added": list(grown.added),
        "sounds": [asdict(sound) for sound in grown.growth.sounds],
        "sliders": [asdict(slider) for slider in grown.growth.sliders],
    }


def versions_json(path: Path) -> dict[str, Any]:
    """Return the versions of a model, as ``--json`` tells them."""
    numbers = versions.numbers_of(path)
    return {"path": str(path), "version": versions.chosen_of(path), "versions": [_version(path, n) for n in numbers]}


def _version(path: Path, number: int) -> dict[str, Any]:
    story = versions.story_of(path, number)
    told: dict[str, Any] = {"version": number, "by": story.get("by", "fit"), "parent": story.get("parent")}
    try:
        about = read_description(path, number)
    except TonesmithError as error:
        return {**told, "error": str(error)}
    return {
        **told,
        "sounds": len(about.sounds),
        "sliders": len(about.sliders),
        "held_out": about.errors.held_out,
        "weights": about.weights,
    }


def versions_lines(path: Path) -> list[str]:
    """Return the versions of a model, in lines."""
    told = versions_json(path)
    rows = [_row(one, used=one["version"] == told["version"]) for one in told["versions"]]
    return [f"{path}  {counted(len(rows), 'version')}", "", *table(("version", "by", "sounds", "held out", ""), rows)]


def _row(one: dict[str, Any], *, used: bool) -> tuple[str, str, str, str, str]:
    parent = f" to {one['parent']}" if one["parent"] else ""
    held_out = f"{one['held_out']:.2f} dB" if "held_out" in one else "damaged"
    by = one_line(one["by"], 20)
    return str(one["version"]), f"{by}{parent}", str(one.get("sounds", "")), held_out, "used" if used else ""
