"""A recipe: what makes a derived item again, and what it was made with."""

from __future__ import annotations

import hashlib
import json
import re
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from typing import Any, Final, Literal

Operation = Literal["augment", "compose", "render"]
FOLDERS: Final[Mapping[str, str]] = {
    "augment": "processed/augmented",
    "compose": "raw/synthetic",
    "render": "raw/synthetic",
}
"""Where the files of an operation are, below the corpus."""
_HASHED: Final = re.compile(r"-[0-9a-f]{8,64}\Z")
_NOT_DECIDING: Final = frozenset({"libraries", "chain", "seed"})


@dataclass(frozen=True, slots=True)
class Recipe:
    """What makes an item.

    Attributes:
        operation: that made it.
        version: of the operation's own rules.
        parameters: plain JSON: what decides the item, and in ``libraries`` the versions that may.
        number: of the item among those of one parent, or of one composer.
    """

    operation: Operation
    parameters: Mapping[str, Any]
    number: int = 0
    version: str = "1"

    @property
    def libraries(self) -> Mapping[str, str]:
        """Distribution -> version that it was made with."""
        return dict(self.parameters.get("libraries", {}))

    def digest(self, parent: str = "") -> str:
        """Return the SHA-256 by which equal items are known: of the parent's content and of all that decides."""
        deciding = {key: value for key, value in self.parameters.items() if key not in _NOT_DECIDING}
        return hashlib.sha256(canonical([parent, self.operation, self.version, deciding]).encode()).hexdigest()

    def to_json(self) -> dict[str, Any]:
        """Return a JSON-serialisable form."""
        return {
            "operation": self.operation,
            "version": self.version,
            "number": self.number,
            "parameters": self.parameters,
        }


def child_name(parent: str, digest: str) -> str:
    """Return what a child is called: by its first ancestor's name, and 12 digits of what makes it."""
    return f"{_HASHED.sub('', parent)}-{digest[:12]}"


def canonical(data: Any) -> str:
    """Return JSON that is the same for equal data."""
    return json.dumps(data, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def versions_of(libraries: Iterable[str]) -> dict[str, str]:
    """Return distribution -> version, of those that are installed."""
    found = {}
    for name in sorted(set(libraries)):
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def store(connection: sqlite3.Connection, item: str, recipe: Recipe) -> None:
    """Store the recipe of an item."""
    row = (item, recipe.operation, recipe.version, canonical(recipe.parameters), recipe.number)
    connection.execute("INSERT OR REPLACE INTO recipes VALUES (?, ?, ?, ?, ?)", row)


def restored(told: Mapping[str, Any]) -> Recipe | None:
    """Return the recipe that :meth:`Recipe.to_json` wrote into a manifest; None for what is none."""
    parameters, number = told.get("parameters"), told.get("number")
    if told.get("operation") not in FOLDERS or not isinstance(parameters, dict) or not isinstance(number, int):
        return None
    return Recipe(told["operation"], parameters, number, str(told.get("version", "1")))


def recipes(connection: sqlite3.Connection, operation: Operation | None = None) -> Iterator[tuple[str, Recipe]]:
    """Yield the name and the recipe of every derived item, or of those of one operation."""
    sql = "SELECT item, operation, version, parameters, number FROM recipes"
    where, values = (" WHERE operation = ?", [operation]) if operation else ("", [])
    for item, made_by, rules, parameters, number in connection.execute(f"{sql}{where} ORDER BY item", values):
        yield item, Recipe(made_by, _parameters(parameters), number, rules)


def recipe_of(connection: sqlite3.Connection, item: str) -> Recipe | None:
    """Return the recipe of an item; None of one that was added."""
    row = connection.execute(
        "SELECT operation, version, parameters, number FROM recipes WHERE item = ?", (item,)
    ).fetchone()
    return Recipe(row[0], _parameters(row[2]), row[3], row[1]) if row else None


def _parameters(text: str) -> dict[str, Any]:
    """Return what a table holds of a recipe; nothing where it is damaged."""
    try:
        told = json.loads(text)
    except ValueError:
        return {}
    return told if isinstance(told, dict) else {}
