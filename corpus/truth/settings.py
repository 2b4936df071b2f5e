"""``corpus.toml``: name, profile, licence, and the options of importers, annotators and augmenters."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from pydantic import BaseModel, ConfigDict, Field

from tonesmith.corpus.errors import CorpusError
from tonesmith.corpus.truth.profile import Profile, profile_of
from tonesmith.errors import ConfigError
from tonesmith.host.settings import InvalidSettings, dotted, validate
from tonesmith.host.toml import read_toml

NAME: Final = "corpus.toml"
PROFILE: Final = "profile.toml"


class Settings(BaseModel):
    """What a person says of a corpus."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(description="Name of the corpus.")
    profile: str = Field(default="", description="Name of the profile that profile.toml was written from.")
    licence: str = Field(default="", description="Licence of the items, such as CC-BY-4.0.")
    importers: Mapping[str, Mapping[str, Any]] = Field(default_factory=dict, description="Options of importers.")
    annotators: Mapping[str, Mapping[str, Any]] = Field(default_factory=dict, description="Options of annotators.")
    features: Mapping[str, Mapping[str, Any]] = Field(default_factory=dict, description="Options of features.")
    augmenters: Mapping[str, Mapping[str, Any]] = Field(default_factory=dict, description="Options of augmenters.")


def read_settings(folder: Path) -> Settings:
    """Return the settings of a corpus. Raises :class:`ConfigError` with file and line of what is wrong."""
    path = folder / NAME
    if not path.is_file():
        raise CorpusError(f"{path} is missing. Repair it: tonesmith corpus repair {folder}")
    source = read_toml(path)
    try:
        return validate(Settings, source.data)
    except InvalidSettings as error:
        told = [f"{source.where(p.path)}{dotted(p.path)}: {p.text}" for p in error.problems]
        raise ConfigError("\n".join(told)) from None


def settings_text(name: str, profile: str, licence: str) -> str:
    """Return the TOML of a new corpus."""
    import tomli_w

    head = tomli_w.dumps({"name": name, "profile": profile, "licence": licence})
    return f'{head}\n# Options of importers and annotators, such as:\n# [annotators.table]\n# path = "labels.csv"\n'


def read_profile(folder: Path) -> Profile:
    """Return the profile of a corpus. Raises :class:`ConfigError` with file and line of what is wrong."""
    path = folder / PROFILE
    try:
        return profile_of(path.read_text(encoding="utf-8"), str(path))
    except (OSError, UnicodeDecodeError) as error:
        told = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise CorpusError(f"{path} cannot be read: {told}. Copy a profile there.") from None
