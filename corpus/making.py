"""Where a corpus may be made, and with which profile."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from tonesmith.corpus.truth import database
from tonesmith.corpus.truth.lock import NAME as LOCK
from tonesmith.corpus.truth.profile import profile_of, profile_text
from tonesmith.corpus.truth.settings import NAME, PROFILE, read_settings
from tonesmith.errors import ConfigError

FOLDERS: Final = ("raw/midi", "raw/audio", "raw/synthetic", "processed/features", "processed/augmented")


def check_new(folder: Path, profile: str, licence: str = "") -> tuple[str, str]:
    """Return name and TOML of the profile that a new corpus will have.

    Raises :class:`ConfigError` for an unknown profile, and for a folder that holds something else.
    """
    name, text = profile_text(profile)
    profile_of(text, name)
    if not is_made(folder):
        _check_free(folder)
        return name, text
    same = (folder / PROFILE).read_text(encoding="utf-8") == text
    if not same or (licence and licence != read_settings(folder).licence):
        what, where = ("licence", NAME) if same else ("profile", PROFILE)
        raise ConfigError(
            f"{folder} is a corpus with another {what}, and was not changed. Edit {folder / where}, or name another "
            "folder."
        )
    return name, text


def is_made(folder: Path) -> bool:
    """Return whether a folder is a corpus with all that it needs."""
    return all((folder / name).exists() for name in (NAME, PROFILE, database.NAME))


def _check_free(folder: Path) -> None:
    if folder.exists() and not folder.is_dir():
        raise ConfigError(f"{folder} exists and is not a folder. Name another one.")
    ours = {PROFILE, LOCK, "raw", *(f"{database.NAME}{end}" for end in ("", "-wal", "-shm", "-journal"))}
    ours |= {"processed", "annotations", "splits"}  # of one that was interrupted while it was made
    if folder.is_dir() and any(p.name not in ours and not p.name.endswith(".new") for p in folder.iterdir()):
        raise ConfigError(f"{folder} exists and is not an empty folder. Name another one.")
