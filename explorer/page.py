"""A model as a page: one file without scripts, that loads nothing and shows names as they are, whatever they are."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tonesmith.errors import ConfigError
from tonesmith.explorer import versions
from tonesmith.explorer.documents import write_whole
from tonesmith.terminal.text import counted, one_line

if TYPE_CHECKING:
    from tonesmith.explorer.atlas import Trial
    from tonesmith.explorer.description import Description
    from tonesmith.explorer.surveyed import New, Place, Survey

POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
_STYLE = """
:root { --back: #fff; --front: #1b1f24; --faint: #57606a; --line: #d0d7de; --panel: #f6f8fa; --accent: #0b5cad;
  --warm: #b35900; font: 15px/1.5 system-ui, sans-serif; color-scheme: light dark; }
@media (prefers-color-scheme: dark) { :root { --back: #14171c; --front: #e6e9ee; --faint: #a4adb8; --line: #3a414b;
  --panel: #1d2128; --accent: #7cb7ff; --warm: #ffb066; } }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 64rem; padding: 1rem 1.25rem 4rem; background: var(--back); color: var(--front); }
h1 { font-size: 1.7rem; margin: .3rem 0; overflow-wrap: anywhere; }
h2 { font-size: 1.2rem; margin: 2rem 0 .3rem; padding-top: .5rem; border-top: 1px solid var(--line); }
p { margin: .2rem 0 .6rem; color: var(--faint); max-width: 52rem; }
.scroll { overflow-x: auto; } table { border-collapse: collapse; width: 100%; font-size: .9rem; }
th, td { text-align: left; padding: .2rem .8rem .2rem 0; border-bottom: 1px solid var(--line); vertical-align: middle;
  overflow-wrap: anywhere; }
th { color: var(--faint); font-weight: 500; } td.number { white-space: nowrap; font-variant-numeric: tabular-nums; }
svg { display: block; max-width: 100%; } svg text { fill: var(--front); font-size: 11px; }
.map { width: 100%; background: var(--panel); border: 1px solid var(--line); border-radius: 6px; }
.axis { stroke: var(--line); } .bar { fill: var(--accent); } .back { fill: var(--line); } .held { fill: var(--warm); }
.dot { fill: var(--accent); } .made { fill: var(--warm); }
"""
_WIDE, _HIGH, _EDGE = 960, 520, 40
_NAMED = 60
_BAR = 160


def page_of(about: Description, path: Path, survey: Survey, version: int | None = None) -> str:
    """Return the page of a model as HTML.

    Args:
        about: the model.
        path: of its folder.
        survey: of its sounds, and of what was made with it.
        version: of it; None for the one that is used.
    """
    name = _text(path.absolute().name, 80)
    seconds = sum(sound.seconds for sound in about.sounds)
    number = versions.chosen_of(path) if version is None else version
    facts = f"{about.kind} of {counted(len(about.sounds), 'sound')}, {seconds:,.1f} s, version {number}, "
    facts += f"{about.components} dimensions, {counted(about.exemplars, 'exemplar')}"
    parts = [
        f"<h1>{name}</h1><p>{_text(facts, 300)}</p>",
        _errors(about),
        _sliders(about),
        _map(survey, [sound.made_by is not None for sound in about.sounds]),
        _made(survey),
        "" if about.trial is None else _trial(about.trial),
    ]
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="color-scheme" content="light dark">\n'
        f"<title>{name}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n<main>\n" + "\n".join(filter(None, parts))
    ) + "\n</main>\n</body>\n</html>\n"


def check_page(path: Path, *, force: bool) -> None:
    """Raise :class:`ConfigError` if a page cannot be written at a path."""
    if path.is_dir():
        raise ConfigError(f"--html: {path} is a folder. Name a file, such as {path / 'model.html'}.")
    if path.exists() and not force:
        raise ConfigError(f"--html: {path} exists. Name another file, or overwrite it with --force.")
    if not path.absolute().parent.is_dir():
        raise ConfigError(f"--html: the folder {path.parent} does not exist.")


def write_page(path: Path, page: str) -> None:
    """Write a page, whole or not at all. Raises :class:`ConfigError` if it cannot be written."""
    try:
        write_whole(path, page.encode())
    except OSError as error:
        raise ConfigError(f"--html: cannot write {path}: {error.strerror or error}.") from None


def _text(value: object, longest: int = 60) -> str:
    """Return a text as it may stand in a page, also between quotes."""
    return html.escape(one_line(value, longest), quote=True)


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a table; the cells are HTML, and all but the first and those with a picture are numbers."""
    head = "".join(f'<th scope="col">{each}</th>' for each in heads)
    body = "".join(f"<tr>{''.join(_cell(cell, place) for place, cell in enumerate(row))}</tr>" for row in rows)
    return f'<div class="scroll"><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'


def _cell(content: str, place: int) -> str:
    return f"<td{' class=number' if place else ''}>{content}</td>"


def _bar(value: float, most: float, kind: str = "bar") -> str:
    width = 0.0 if most <= 0.0 else _BAR * min(max(value / most, 0.0), 1.0)
    return (
        f'<svg width="{_BAR}" height="10" aria-hidden="true"><rect class="back" width="{_BAR}" height="10" rx="3"/>'
        f'<rect class="{kind}" width="{width:.1f}" height="10" rx="3"/></svg>'
    )


def _errors(about: Description) -> str:
    errors = about.errors
    rows = [("the phase alone", errors.ceiling, "bar"), ("its own sounds", errors.own, "bar")]
    rows.append(("sounds held out", errors.held_out, "held"))
    most = max(value for _, value, _ in rows)
    cells = [(name, f"{value:.2f} dB", _bar(value, most, kind)) for name, value, kind in rows]
    note = "Mean difference of log-magnitudes. No model is better than the phase alone; "
    note += "what was learned shows in sounds held out."
    return f"<h2>How near it comes</h2><p>{note}</p>{_table(('made again', 'error', ''), cells)}"


def _sliders(about: Description) -> str:
    if not about.sliders:
        return "<h2>Sliders</h2><p>No slider is sure enough.</p>"
    most = max(max(abs(each["low"]), abs(each["high"])) for each in about.sliders) or 1.0
    rows = [_slider(each, most) for each in about.sliders]
    note = "Named by a feature, discovered, or named by a parameter of the synth. The range holds 90 % of the frames; "
    note += "0 is their mean."
    heads = ("slider", "kind", "confidence", "", "range in steps", "", "one step")
    return f"<h2>Sliders</h2><p>{note}</p>{_table(heads, rows)}"


def _slider(slider: Mapping[str, Any], most: float) -> tuple[str, ...]:
    from tonesmith.explorer.shown import row_of

    name, confidence, ends, step = row_of(slider)
    kind = _text(slider["kind"])
    return (
        _text(name),
        kind,
        confidence,
        _bar(slider["confidence"], 1.0),
        _text(ends),
        _range(slider["low"], slider["high"], most),
        _text(step),
    )


def _range(low: float, high: float, most: float) -> str:
    first, last = (_BAR / 2 * (1.0 + end / most) for end in (low, high))
    return (
        f'<svg width="{_BAR}" height="10" aria-hidden="true"><rect class="back" y="4" width="{_BAR}" height="2"/>'
        f'<rect class="bar" x="{first:.1f}" y="2" width="{max(last - first, 1.0):.1f}" height="6" rx="3"/>'
        f'<rect class="held" x="{_BAR / 2 - 0.75:.2f}" width="1.5" height="10"/></svg>'
    )


def _map(survey: Survey, made: Sequence[bool]) -> str:
    most = max(max(abs(each.x), abs(each.y) * (_WIDE / _HIGH)) for each in survey.places) or 1.0
    step = -(-len(survey.places) // _NAMED)
    pairs = enumerate(zip(survey.places, made, strict=True))
    points = [_point(place, most, named=at % step == 0, made=of_model) for at, (place, of_model) in pairs]
    note = "Each sound at the mean of its frames. "
    note += f"Both directions have {100 * survey.share:.0f} % of what the means differ in."
    if len(survey.places) > _NAMED:
        note += f" One of {step} is named; the others when pointed at."
    if any(made):
        note += " Those in the other colour were made by a model."
    axes = (
        f'<line class="axis" x1="{_WIDE / 2}" y1="0" x2="{_WIDE / 2}" y2="{_HIGH}"/>'
        f'<line class="axis" x1="0" y1="{_HIGH / 2}" x2="{_WIDE}" y2="{_HIGH / 2}"/>'
    )
    picture = f'<svg class="map" viewBox="0 0 {_WIDE} {_HIGH}" role="img" aria-label="Map of the sounds">'
    return f"<h2>Map of the sounds</h2><p>{note}</p>{picture}{axes}{''.join(points)}</svg>"


def _point(place: Place, most: float, *, named: bool, made: bool) -> str:
    x = _WIDE / 2 + place.x / most * (_WIDE / 2 - _EDGE)
    y = _HIGH / 2 - place.y / most * (_WIDE / 2 - _EDGE)
    side = f'x="{x - 8:.1f}" text-anchor="end"' if x > 0.7 * _WIDE else f'x="{x + 8:.1f}"'
    label = f'<text {side} y="{y + 4:.1f}">{_text(place.name, 28)}</text>' if named else ""
    dot = f'<circle class="{"made" if made else "dot"}" cx="{x:.1f}" cy="{y:.1f}" r="4">'
    return f"{dot}<title>{_text(place.name)}</title></circle>{label}"


def _made(survey: Survey) -> str:
    if not survey.made:
        return ""
    most = max([each.novelty for each in survey.made if each.novelty is not None], default=0.0)
    rows = [_novel(each, max(most, 1.0)) for each in survey.made]
    return f"<h2>What was made</h2><p>{NOVELTY}</p>{_table(('sound', 'file', 'novelty', ''), rows)}"


NOVELTY = (
    "Distance of the frames of a sound to the nearest frames of yours, over that of your sounds to each other: "
    "0 is a copy, and 1 is as new as one of yours is to the others."
)


def _novel(made: New, most: float) -> tuple[str, str, str, str]:
    if made.novelty is None:
        return str(made.number), _text(made.name), _text(made.why), ""
    return str(made.number), _text(made.name), f"{made.novelty:.2f}", _bar(made.novelty, most, "held")


def _trial(trial: Trial) -> str:
    model = _text(trial.model)
    verdict = "is better, and kept" if trial.kept else "is not better by half a percent: the model is an atlas"
    held = f"Both were fitted without {counted(trial.sounds, 'sound')}, and describe those. The {model} {verdict}."
    most = max(trial.atlas_sound, trial.model_sound, trial.ceiling)
    rows = [
        ("atlas", f"{trial.atlas_levels:.2f} dB", f"{trial.atlas_sound:.2f} dB", _bar(trial.atlas_sound, most)),
        (model, f"{trial.model_levels:.2f} dB", f"{trial.model_sound:.2f} dB", _bar(trial.model_sound, most, "held")),
        ("the phase alone", "", f"{trial.ceiling:.2f} dB", _bar(trial.ceiling, most)),
    ]
    return f"<h2>Atlas and {model}</h2><p>{held}</p>{_table(('model', 'levels', 'as sound', ''), rows)}"
