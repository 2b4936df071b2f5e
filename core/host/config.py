"""The settings of a composition, checked."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

import tomli_w
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema

from tonesmith.plan.notes import Notes
from tonesmith.space.shape import SpaceShape
from tonesmith.terminal.memory import PATTERN, memory_of

DEFAULT_FILE = Path("plugins.toml")
"""Read from the current directory where no other file is named."""

DEFAULT_NAMES = {"backend": "vita", "sampler": "lhs", "sink": "zarr", "executor": "local"}

OPTIONAL = ("composer",)
"""Roles of which one plugin may be used, or none: the default."""

SINGLE = (*DEFAULT_NAMES, *OPTIONAL)
"""Tables that choose one plugin."""

DEFAULT_VALIDATORS = ("level", "loudness")

SEVERAL = {"validators": ("validator", DEFAULT_VALIDATORS), "features": ("feature", ())}
"""Table of plugins of which several may be used -> their role, and the names of those used by default."""


Nbytes = Annotated[
    int,
    BeforeValidator(memory_of),
    WithJsonSchema({"anyOf": [{"type": "integer", "minimum": 0}, {"type": "string", "pattern": PATTERN}]}),
]
"""Bytes, which may be written as "2 GB"."""


class PlanSettings(BaseModel):
    """The ``[plan]`` table: how much is made, from which seed, and in what steps."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    patches: int = Field(48, ge=1, le=10**9, description="Number of patches. Rows are patches times notes.")
    seed: int = Field(0, ge=0, le=2**63 - 1, description="Seed of everything random.")
    sample_rate: int = Field(44100, ge=8000, le=192000, description="Sample rate in Hz.")
    block: int = Field(16, ge=1, le=4096, description="Patches per block, the unit of work and of commit.")
    max_attempts: int = Field(20, ge=1, le=1000, description="Attempts at one patch before the run stops.")
    timeout: float = Field(60.0, gt=0.0, le=3600.0, description="Time limit for one candidate, in seconds.")
    memory: Nbytes = Field(0, description="Memory limit for one candidate, such as 2 GB. 0 means none.")
    isolation: Literal["auto", "snapshot", "fresh", "reuse"] = Field(
        "auto", description="How renders are kept apart. auto uses what the backend needs."
    )

    @property
    def blocks(self) -> int:
        """Number of blocks."""
        return -(-self.patches // self.block)


class RunSettings(BaseModel):
    """The ``[run]`` table: what changes how a run goes and nothing of what it makes."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    workers: int = Field(0, ge=0, le=1024, description="Worker processes. 0 means one per available CPU core.")
    load_seconds: float = Field(120.0, gt=0.0, le=3600.0, description="Time limit for loading an engine, in seconds.")
    load_memory: Nbytes = Field(0, description="Memory limit for a loaded engine, such as 2 GB. 0 means none.")


class PhraseSettings(BaseModel):
    """The ``[phrases]`` table: how the scores of the ``[composer]`` play each patch, instead of notes."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    seconds: float = Field(4.0, gt=0.0, le=60.0, description="Seconds that a phrase may take.")
    tail: float = Field(0.5, ge=0.0, le=60.0, description="Seconds rendered after a phrase.")
    per_patch: int = Field(
        1, ge=0, le=1024, description="Phrases that play each patch. 0 means every one of a list, such as MIDI files."
    )
    max_notes: int = Field(
        0, ge=0, le=65536, description="Notes that the columns hold of each score. 0 means those of the longest."
    )
    max_controls: int = Field(
        0, ge=0, le=65536, description="Values of controllers that the columns hold. 0 means those of the longest."
    )


class PresetSettings(BaseModel):
    """The ``[presets]`` table: the presets that samplers draw from."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    paths: tuple[str, ...] = Field(
        default=(),
        description="Files, folders and globs, or datasets that were made with presets. In a TOML file, they are "
        "relative to its folder.",
    )
    strict: bool = Field(default=False, description="Stop at a preset that cannot be read, instead of leaving it out.")
    licence: str = Field(default="", description="Licence of presets whose collection states none.")


class Chosen(BaseModel):
    """A plugin that is used, and all of its options as JSON, defaults included."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    options: dict[str, Any]


class Config(BaseModel):
    """A whole composition: every option has its value, and every value has been checked."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    plan: PlanSettings
    run: RunSettings
    notes: Notes
    presets: PresetSettings
    space: SpaceShape
    backend: Chosen
    sampler: Chosen
    validators: tuple[Chosen, ...]
    sink: Chosen
    executor: Chosen = Chosen(name="local", options={})
    features: tuple[Chosen, ...] = ()
    phrases: PhraseSettings = Field(default_factory=lambda: PhraseSettings.model_validate({}))
    composer: Chosen | None = None

    def to_data(self) -> dict[str, Any]:
        """Return the composition as the tables of ``plugins.toml``. What is unset is left out."""
        plain = self.model_dump(mode="json")
        played = "phrases" if self.composer is None else "notes"  # what is not used
        tables: dict[str, Any] = {name: plain[name] for name in SECTIONS if name != played}
        unset = SpaceShape().model_dump(mode="json")
        tables["space"] = {key: value for key, value in plain["space"].items() if value != unset[key]}
        for role in ("backend", "sampler", *(["composer"] if self.composer else [])):
            tables[role] = {"name": plain[role]["name"], **plain[role]["options"]}
        tables["validators"] = {v["name"]: v["options"] for v in plain["validators"]} or []
        if plain["features"]:
            tables["features"] = {f["name"]: f["options"] for f in plain["features"]}
        for role in ("sink", "executor"):
            tables[role] = {"name": plain[role]["name"], **plain[role]["options"]}
        return {name: _without_none(table) for name, table in tables.items()}

    def to_toml(self) -> str:
        """Return the text of a ``plugins.toml`` that resolves to this very composition anywhere."""
        return tomli_w.dumps(self.to_data())


SECTIONS: dict[str, type[BaseModel]] = {
    "plan": PlanSettings,
    "run": RunSettings,
    "notes": Notes,
    "phrases": PhraseSettings,
    "presets": PresetSettings,
    "space": SpaceShape,
}


def _without_none(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_none(inner) for key, inner in value.items() if inner is not None}
    return value
