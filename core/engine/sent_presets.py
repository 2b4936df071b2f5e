"""A preset as a message of an engine: what the server sends, and what the client makes of it."""

from __future__ import annotations

import base64
from typing import Any

from tonesmith.space.patch import Patch
from tonesmith.space.preset import Preset

_TEXTS = ("name", "author", "style", "comments", "version", "licence")
_LISTS = ("random", "remarks")


def sent(preset: Preset) -> dict[str, Any]:
    """Return a JSON-serialisable form."""
    assets = {name: base64.b64encode(content).decode() for name, content in preset.assets.items()}
    told = {name: getattr(preset, name) for name in (*_TEXTS, *_LISTS)}
    return {"patch": preset.patch.to_json(), "assets": assets, **told}


def received(told: dict[str, Any]) -> Preset:
    """Return the preset of a message."""
    assets = {name: base64.b64decode(content) for name, content in told["assets"].items()}
    lists = {name: tuple(map(str, told[name])) for name in _LISTS}
    return Preset(**{**told, **lists, "patch": Patch.from_json(told["patch"]), "assets": assets})
