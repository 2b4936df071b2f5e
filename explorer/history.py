"""What was made with a model: a line of JSON for each sound, beside the model, whichever version made it."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from tonesmith.document import read_plain
from tonesmith.errors import ConfigError, TonesmithError, unreadable
from tonesmith.explorer.documents import alone, as_text, write_whole
from tonesmith.explorer.recipe import Recipe
from tonesmith.explorer.sounds import digest_of
from tonesmith.explorer.stored import HISTORY

if TYPE_CHECKING:
    from tonesmith.explorer.output import Written

MOST = 1_000
"""Sounds that are kept; of more, the newest."""
_SLACK = 200
"""Lines beyond, from which on the oldest are dropped."""


class Entry(BaseModel):
    """A sound that was made.

    Attributes:
        number: of it, 1 for the first.
        when: it was made, UTC, as ISO 8601 has it.
        path: of the file, where it was written.
        sha256: of the file.
        nbytes: of the file.
        recipe: what makes it again.
    """

    model_config = ConfigDict(frozen=True, extra="ignore", allow_inf_nan=False)

    number: int = Field(ge=1)
    when: str = Field(max_length=40)
    path: str = Field(min_length=1, max_length=4096)
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    nbytes: int = Field(ge=0)
    recipe: Recipe

    @property
    def state(self) -> str:
        """Return "" if the file is there with as many bytes, else "gone" or "changed"."""
        try:
            size = Path(self.path).stat().st_size
        except OSError:
            return "gone"
        return "" if size == self.nbytes else "changed"


def record(folder: Path | None, written: Written, recipe: Recipe) -> None:
    """Note a sound that was made. A folder that cannot be written has no history, and no harm comes of it.

    Nor has one whose history is a link: a stranger's model must not write to other files.

    Args:
        folder: of the model; None for one that lies nowhere.
        written: the file.
        recipe: what makes it again.
    """
    if folder is None or not folder.is_dir() or (folder / HISTORY).is_symlink():
        return
    with contextlib.suppress(OSError, TonesmithError), alone(folder):
        entries = list(_entries(folder / HISTORY))
        entry = Entry(
            number=entries[-1].number + 1 if entries else 1,
            when=datetime.now(UTC).isoformat(timespec="seconds"),
            path=as_text(str(written.path.absolute())),
            sha256=digest_of(written.path),
            nbytes=written.nbytes,
            recipe=recipe,
        )
        _append(folder / HISTORY, entries, entry)


def _append(file: Path, entries: list[Entry], entry: Entry) -> None:
    if len(entries) >= MOST + _SLACK:
        kept = [*entries[len(entries) - MOST + 1 :], entry]
        write_whole(file, "".join(f"{one.model_dump_json()}\n" for one in kept).encode())
        return
    torn = file.exists() and not read_plain(file).endswith(b"\n") and file.stat().st_size > 0
    with file.open("a", encoding="utf-8") as stream:
        stream.write(f"{chr(10) if torn else ''}{entry.model_dump_json()}\n")


def entries_of(folder: Path) -> list[Entry]:
    """Return what was made with a model, the oldest first, 1,000 at most. Lines that cannot be read are left out.

    Raises :class:`tonesmith.DatasetError` if the file cannot be read.
    """
    try:
        return list(_entries(folder / HISTORY))[-MOST:]
    except OSError as error:
        raise unreadable(folder / HISTORY, error) from None


def _entries(file: Path) -> Iterator[Entry]:
    if not file.exists():
        return
    for line in read_plain(file).splitlines():
        with contextlib.suppress(ValidationError, ValueError, RecursionError):
            yield Entry.model_validate_json(line)


def entry_of(folder: Path, number: int) -> Entry:
    """Return what was made as a number. Raises :class:`ConfigError` if there is none."""
    for entry in entries_of(folder):
        if entry.number == number:
            return entry
    raise ConfigError(f"{folder} has no sound {number} in its history. List it: tonesmith explore history {folder}")


def forget(folder: Path) -> int:
    """Delete the history of a model, and return how many sounds it had. Their files stay."""
    with alone(folder):
        count = len(entries_of(folder))
        (folder / HISTORY).unlink(missing_ok=True)
    return count


def settings_text(recipe: Recipe) -> str:
    """Return what a recipe says in a few words, such as "brightness +1.2, density 4, seed 3"."""
    plain = Recipe(model=recipe.model).model_dump(mode="json")
    said = recipe.model_dump(mode="json")
    parts = [f"{name} {_told(steps, '+')}" for name, steps in said["sliders"].items()]
    parts += ["from " + " + ".join(source.name for source in recipe.sources)] if recipe.sources else []
    for name, value in said.items():
        if name in {"model", "title", "seconds", "sliders", "sources", "version"} or value == plain[name]:
            continue
        inner, usual = (each if isinstance(each, dict) else {name: each} for each in (value, plain[name]))
        moved = {key: each for key, each in inner.items() if each is not None and each != usual.get(key)}
        parts += [f"{key.replace('_', ' ')} {_told(each)}" for key, each in moved.items()]
    return ", ".join(parts) or "a walk"


def _told(value: Any, sign: str = "") -> str:
    if isinstance(value, list):
        return "..".join(_told(each, sign) for each in value)
    return f"{value:{sign}g}" if isinstance(value, float) else str(value)
