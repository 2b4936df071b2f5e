"""Damage to a file, drawn from a seed: to its bytes, to the JSON in it, or to what stands in its place."""

from __future__ import annotations

import copy
import json
import os
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

ODD_VALUES: tuple[Any, ...] = (
    None, True, False, 0, -1, 1, 2, 7, 2**31, 2**53 + 1, 2**60, 2**63, 2**64, -(2**63), 10**400, 1.5, -0.0, 1e-320,
    1e308, float("nan"), float("inf"), "", "x", "0" * 64, "f" * 64, "../../etc/passwd", "a\0b", "\ud800", "é" * 300,
    [], {}, [[]], [{}], {"": None}, [1, 2, 3], ["a", "b"], {"a": 1}, [None] * 5,
)  # fmt: skip
"""Values of JSON that a field may get in place of its own."""

DEEP = 3000


def damaged_bytes(dice: random.Random, content: bytes) -> tuple[str, bytes]:  # noqa: PLR0911 - a kind of damage each
    """Return what was done to some bytes, and what they are now."""
    size = len(content)
    at, end = sorted((dice.randrange(size + 1), dice.randrange(size + 1)))
    match dice.randrange(8):
        case 0:
            return f"cut at {at}", content[:at]
        case 1:
            turned = bytearray(content)
            places = [dice.randrange(size) for _ in range(dice.choice((1, 1, 4, 64)))] if size else []
            for place in places:
                turned[place] ^= 1 << dice.randrange(8)
            return f"bits turned at {sorted(places)[:4]}", bytes(turned)
        case 2:
            return f"inserted at {at}", content[:at] + dice.randbytes(dice.choice((1, 4, 100))) + content[at:]
        case 3:
            middle = (at + end) // 2
            return f"swapped {at}..{middle}..{end}", content[:at] + content[middle:end] + content[at:middle] + content[
                end:
            ]
        case 4:
            return f"zeros {at}..{end}", content[:at] + bytes(end - at) + content[end:]
        case 5:
            return f"left out {at}..{end}", content[:at] + content[end:]
        case 6:
            return f"doubled {at}..{end}", content[:end] + content[at:]
        case _:
            number = dice.choice((b"\xff" * 4, b"\xff" * 8, b"\x7f\xff\xff\xff", bytes(8)))
            return f"number at {at}", content[:at] + number + content[at + len(number) :]


def damaged_json(dice: random.Random, content: bytes) -> tuple[str, bytes]:
    """Return what was done to a JSON document, and its new text; its bytes are damaged if it is no JSON."""
    try:
        document = json.loads(content)
    except ValueError:
        return damaged_bytes(dice, content)
    nodes = list(_nodes(document, ()))
    told = []
    for _ in range(dice.choice((1, 1, 1, 2, 3))):
        path = dice.choice(nodes)
        what, change = _change(dice)
        told.append(f"{'.'.join(map(str, path)) or 'all of it'}: {what}")
        document = _changed(document, path, change)
    text = json.dumps(document).replace('"<deep list>"', "[" * DEEP + "]" * DEEP)
    return "; ".join(told), text.replace('"<deep object>"', '{"a":' * DEEP + "1" + "}" * DEEP).encode()


def _change(dice: random.Random) -> tuple[str, Callable[[Any], Any]]:
    odd = dice.choice(ODD_VALUES)
    return dice.choice(
        (
            (f"is {odd!r:.40}", lambda _: copy.deepcopy(odd)),
            (f"is {odd!r:.40}", lambda _: copy.deepcopy(odd)),
            ("left out", lambda _: _LEFT_OUT),
            ("a list of itself", lambda value: [value]),
            ("an object of itself", lambda value: {"value": value}),
            ("as text", json.dumps),
            ("very deep", lambda _: dice.choice(("<deep list>", "<deep object>"))),
            ("fifty levels deep", lambda value: _wrapped(value, 50)),
            ("very long", _long),
            ("one more key", lambda value: {**value, "odd": 1} if isinstance(value, dict) else value),
            ("turned about", lambda value: value[::-1] if isinstance(value, str | list) else value),
            ("a little off", lambda value: value + 1 if isinstance(value, int | float) else value),
            ("negative", lambda value: -value if isinstance(value, int | float) else value),
            ("twice", lambda value: [*value, *value] if isinstance(value, list) else value),
        )
    )


def _long(value: Any) -> Any:
    if isinstance(value, list) and value:
        return (value * 2000)[:2000]
    text = value if isinstance(value, str) and value else "x"
    return (text * (200_000 // len(text) + 1))[:200_000]


def _wrapped(value: Any, levels: int) -> Any:
    for _ in range(levels):
        value = [value]
    return value


_LEFT_OUT = object()


def _nodes(value: Any, path: tuple[Any, ...]) -> Any:
    yield path
    inner = value.items() if isinstance(value, dict) else enumerate(value[:50]) if isinstance(value, list) else ()
    for key, one in inner:
        yield from _nodes(one, (*path, key))


def _changed(value: Any, path: tuple[Any, ...], change: Callable[[Any], Any]) -> Any:
    """Return a value with one node changed; one that an earlier change has taken away stays so."""
    if not path:
        made = change(value)
        return None if made is _LEFT_OUT else made
    key, *rest = path
    there = (isinstance(value, dict) and key in value) or (
        isinstance(value, list) and isinstance(key, int) and key < len(value)
    )
    if not there:
        return value
    if not rest and change(value[key]) is _LEFT_OUT:
        if isinstance(value, dict):
            return {name: one for name, one in value.items() if name != key}
        return [*value[:key], *value[key + 1 :]]
    inner = _changed(value[key], tuple(rest), change)
    if isinstance(value, dict):
        return {**value, key: inner}
    return [*value[:key], inner, *value[key + 1 :]]


def replaced(dice: random.Random, file: Path) -> str:
    """Put something else in the place of a file that is gone, and return what."""
    what = dice.choice(("nothing", "a folder", "a loop of links", "a pipe", "an empty file", "a link to nowhere"))
    match what:
        case "a folder":
            file.mkdir()
        case "a loop of links":
            file.symlink_to(file.name)
        case "a pipe":
            os.mkfifo(file)
        case "an empty file":
            file.touch()
        case "a link to nowhere":
            file.symlink_to("/nowhere/at/all")
    return what
