"""The page: one HTML file with its styles, its code, the library of its charts, and its data."""

from __future__ import annotations

import base64
import hashlib
import html
import json
import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from importlib.resources import files
from typing import Any

from tonesmith.analysis.report.chart import Cards, Chart, Section, Table

LARGEST = 10_000_000
"""Bytes of a page: clips are left out of one that would be larger."""
_SCRIPTS = ("parts.js", "map.js", "page.js")
_SLOT = re.compile(r"\{\{(\w+)\}\}")
_POLICY = (
    "default-src 'none'; script-src {scripts} 'unsafe-eval'; style-src 'unsafe-inline'; "
    "img-src data:; media-src data:; base-uri 'none'; form-action 'none'"
)
"""Nothing is fetched from anywhere. Vega compiles its expressions, which takes 'unsafe-eval'; only the scripts of the
page itself run, for the policy has their hashes."""


def page_of(data: Mapping[str, Any], sections: Sequence[Section]) -> tuple[bytes, int]:
    """Return the page as UTF-8, not larger than :data:`LARGEST`, and how many clips it has.

    Args:
        data: "title", "kind", "facts", "notes" and "points", as JSON.
        sections: in order.
    """
    told = {**data, "sections": [_section(section) for section in sections]}
    made, clips = _filled(told), told["points"]["clips"]
    while len(made) > LARGEST and any(clips):
        clips = _fewer(clips, len(made) - LARGEST + 200)
        left = (
            f"{sum(map(bool, clips)):,} of {len(clips):,} sounds have a clip, for the page would be larger than 10 MB."
        )
        cut = {"points": {**told["points"], "clips": clips}, "notes": [*data["notes"], [left, False]]}
        made = _filled({**told, **cut})
    return made, sum(map(bool, clips))


def _fewer(clips: Sequence[str], surplus: int) -> list[str]:
    """Return the clips without as many of the last ones as take up so many bytes."""
    kept = list(clips)
    while surplus > 0 and any(kept):
        last = max(place for place, clip in enumerate(kept) if clip)
        surplus -= len(kept[last])
        kept[last] = ""
    return kept


def _filled(told: Mapping[str, Any]) -> bytes:
    scripts = {"bundle": bundle(), "code": "\n".join(map(_read, _SCRIPTS))}
    slots = {
        "title": html.escape(told["title"]),
        "policy": html.escape(_policy(scripts.values()), quote=True),
        "style": _read("page.css"),
        "data": json_in_html(told),
        **scripts,
    }
    return _SLOT.sub(lambda slot: slots[slot[1]], _read("page.html")).encode()


def _policy(scripts: Any) -> str:
    hashes = (base64.b64encode(hashlib.sha256(script.encode()).digest()).decode() for script in scripts)
    return _POLICY.format(scripts=" ".join(f"'sha256-{each}'" for each in hashes))


def json_in_html(data: Any) -> str:
    """Return JSON that nothing in can end the element that it stands in, or begin another."""
    text = json.dumps(data, separators=(",", ":"), allow_nan=False)  # all but ASCII is escaped
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


@lru_cache(maxsize=1)
def bundle() -> str:
    """Return Vega, Vega-Lite and Vega-Embed as one ES module, which sets ``window.vegaEmbed``."""
    import vl_convert

    convert: Any = vl_convert  # whose types ask for a snippet
    made: str = convert.javascript_bundle()
    return made.replace("</script", "<\\/script").replace("<!--", "\\x3C!--")


def _read(name: str) -> str:
    return (files("tonesmith.analysis.report") / name).read_text(encoding="utf-8")


def _section(section: Section) -> dict[str, Any]:
    return {
        "name": section.name,
        "title": section.title,
        "note": section.note,
        "parts": [_part(part) for part in section.parts],
    }


def _part(part: Any) -> dict[str, Any]:
    match part:
        case Chart():
            return _chart(part)
        case Table():
            rows: list[Any] = [
                [cell if isinstance(cell, int | float) else str(cell) for cell in row] for row in part.rows
            ]
            return {"kind": "table", "title": part.title, "note": part.note, "head": list(part.head), "rows": rows}
        case Cards():
            rows = [[[place, why] for place, why in row] for row in part.rows]
            return {"kind": "cards", "title": part.title, "note": part.note, "rows": rows}
    raise TypeError(f"{part!r:.100} is no part of a page")


def _chart(chart: Chart) -> dict[str, Any]:
    counted = None
    if chart.counted is not None and chart.counted.size:
        raw = chart.counted.astype("<u2")
        counted = {"each": raw.shape[1], "cells": base64.b64encode(raw.tobytes()).decode()}
    return {
        "kind": "chart",
        "title": chart.title,
        "note": chart.note,
        "spec": chart.spec,
        "columns": dict(chart.columns),
        "cells": {name: list(values) for name, values in chart.cells.items()},
        "counted": counted,
        "choose": chart.choose,
    }
