"""Public sets that people add to corpora: what each is, and the licence that its source states."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from tonesmith.errors import ConfigError, unknown_name
from tonesmith.host.toml import read_toml
from tonesmith.terminal.table import table


@dataclass(frozen=True, slots=True)
class Source:
    """A public set.

    Attributes:
        name: by which it is downloaded, and told of in the items that come from it.
        kind: what it holds.
        licence: as its source states it; "" where none was found, or sources disagree.
        stated: what there is to know of that statement; "" for one that was checked.
        url: of the file; "" where none was checked.
        package: of Debian that has it; "" for none.
        nbytes: about, of the file; 0 where that is not known.
        sha256: of the file; "" where that is not known.
    """

    name: str
    kind: str
    licence: str = ""
    stated: str = ""
    url: str = ""
    package: str = ""
    nbytes: int = 0
    sha256: str = ""

    def to_json(self) -> dict[str, Any]:
        """Return what ``--json`` prints of it."""
        return asdict(self)


@lru_cache(maxsize=1)
def sources() -> Mapping[str, Source]:
    """Return the sets that are known, by name."""
    given = read_toml(Path(__file__).with_name("sources.toml")).data
    return {name: Source(name, **keys) for name, keys in given.items()}


def source_of(name: str) -> Source:
    """Return a set that can be downloaded. Raises :class:`ConfigError` for an unknown one, and one without a URL."""
    known = sources()
    if name not in known:
        raise ConfigError(f"{unknown_name('source', name, known)} Or give a URL that begins with https://.")
    source = known[name]
    if source.url:
        return source
    if source.package:
        raise ConfigError(f"{name} is a package of Debian. Install it: apt install {source.package}")
    raise ConfigError(
        f"No URL of {name} was checked. Find it, and give that: tonesmith corpus download URL --to FOLDER"
    )


def source_lines() -> Iterator[str]:
    """Yield the table of the sets that are known."""
    rows = []
    for source in sources().values():
        licence = source.licence or "-"
        told = f"{licence} ({source.stated})" if source.stated else licence
        rows.append(
            (source.name, source.kind, told, source.url or (f"apt: {source.package}" if source.package else "-"))
        )
    yield from table(("source", "holds", "licence", "get"), rows)
    yield "Check a licence at its source before you publish what you make of it."
