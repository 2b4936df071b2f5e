"""Draws the map of the rooms into docs/architecture.md, from the imports that are in the code.

    python docs/make_architecture.py

Everything between the two markers is written anew. ``tests/test_architecture.py`` fails when it is out of date.
"""

from __future__ import annotations

import ast
import functools
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "architecture.md"
ROLES = (
    "backends",
    "samplers",
    "validators",
    "features",
    "composers",
    "sinks",
    "executors",
    "importers",
    "annotators",
    "augmenters",
    "corpus",
)
BEGIN, END = "<!-- map: begin -->", "<!-- map: end -->"


def layers() -> list[list[str]]:
    """Return the rooms of core from the top, as the contract in pyproject.toml has them; one list for each layer."""
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    (found,) = [contract["layers"] for contract in contracts if contract.get("containers") == ["tonesmith"]]
    return [[room.strip() for room in layer.split("|")] for layer in found if layer != "__main__"]


def files_of(place: str) -> list[Path]:
    """Return the modules of a room, or of a folder of plugins."""
    folder = ROOT / place if place in ROLES else ROOT / "core" / place
    return sorted(folder.rglob("*.py")) if folder.is_dir() else [folder.with_suffix(".py")]


def place_of(module: str) -> str:
    """Return the room, or the folder of plugins, of a dotted module; "" for the package itself."""
    _, _, inside = module.partition(".")
    return inside.partition(".")[0]


def imports_of(path: Path) -> Iterator[str]:
    """Yield the modules of tonesmith that a file imports, wherever in it and for types too."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names = [node.module] if "." in node.module else [f"{node.module}.{alias.name}" for alias in node.names]
        elif isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        else:
            continue
        yield from (name for name in names if name.startswith("tonesmith."))


def arrows() -> dict[str, set[str]]:
    """Return place -> the rooms that it imports."""
    places = [*ROLES, *(room for layer in layers() for room in layer)]
    found: dict[str, set[str]] = {}
    for place in places:
        reached = {place_of(module) for path in files_of(place) for module in imports_of(path)}
        found[place] = {other for other in reached if other in places} - {place}
    return found


def drawn(found: Mapping[str, set[str]]) -> dict[str, set[str]]:
    """Return the arrows without those that others imply, so that a picture of them can be read."""

    @functools.cache
    def reached(place: str) -> set[str]:
        return found[place] | {far for near in found[place] for far in reached(near)}

    return {
        place: {one for one in near if one not in set().union(*map(reached, near))} for place, near in found.items()
    }


def purpose(place: str) -> str:
    """Return the first sentence of a place's docstring."""
    folder = files_of(place)
    first = next((path for path in folder if path.name == "__init__.py"), folder[0])
    text = ast.get_docstring(ast.parse(first.read_text(encoding="utf-8"))) or ""
    return text.partition("\n\n")[0].replace("\n", " ").replace("``", "`")


def map_lines() -> Iterator[str]:
    """Yield the lines of the map: a picture for people, and a table of everything."""
    found = arrows()
    yield from ("```mermaid", "flowchart TD")
    for layer in layers():
        for room in layer:
            yield f"  {room}"
    yield f"  plugins[{' / '.join(ROLES)}]"
    for place, near in drawn({room: found[room] for layer in layers() for room in layer}).items():
        yield from (f"  {place} --> {other}" for other in sorted(near))
    used = set().union(*(found[role] for role in ROLES))
    yield from (f"  plugins -.-> {other}" for other in sorted(drawn({**found, "plugins": used})["plugins"]))
    yield from ("```", "", "| room | imports | what it is for |", "|---|---|---|")
    order = {room: place for place, room in enumerate(room for layer in layers() for room in layer)}
    for place in [*order, *ROLES]:
        below = ", ".join(sorted(found[place], key=order.__getitem__)) or "nothing"
        yield f"| `{place}` | {below} | {purpose(place)} |"


def page(text: str) -> str:
    """Return the text of the page with the map in its place."""
    head, _, rest = text.partition(BEGIN)
    _, _, tail = rest.partition(END)
    return "\n".join([f"{head}{BEGIN}", "", *map_lines(), f"{END}{tail}"])


if __name__ == "__main__":
    PAGE.write_text(page(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
