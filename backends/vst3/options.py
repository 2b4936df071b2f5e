"""The options of the VST3 backend."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import Field, SerializerFunctionWrapHandler, field_validator, model_serializer

from tonesmith.host.roles import Options

if TYPE_CHECKING:
    from tonesmith.backends.vst3.spec import Spec


class Vst3Options(Options):
    """Options of the VST3 backend."""

    plugin: str = Field(default="", description="Path of the .vst3 bundle.")
    spec: str = Field(
        default="", description="What to vary and how: surge_xt, surge_simple or a .toml file. Unset: all parameters."
    )
    settle: float = Field(
        default=0.1, ge=0.0, le=10.0, description="Seconds of silence between setting a patch and playing its note."
    )
    still: bool = Field(
        default=True,
        description="Hold the parameters that draw random numbers, such as oscillator phase, as the spec lists them. "
        "Presets too.",
    )
    pin: bool = Field(
        default=True,
        description="Hold clocks, random devices and addresses still, so that a row sounds the same in any process.",
    )

    @field_validator("plugin")
    @classmethod
    def _is_absolute(cls, path: str) -> str:
        """Return the same path from anywhere: engines run in processes of their own."""
        return str(Path(path).expanduser().absolute()) if path else path

    @field_validator("spec")
    @classmethod
    def _names_a_spec(cls, name: str) -> str:
        """Object to a spec where the setting is, before an engine is loaded."""
        if not name:
            return name
        from tonesmith.backends.vst3.spec import find_spec

        find_spec(name)
        return str(Path(name).expanduser().absolute()) if name.endswith(".toml") else name

    def read_spec(self) -> Spec | None:
        """Return the spec, if one is named."""
        from tonesmith.backends.vst3.spec import find_spec

        return find_spec(self.spec) if self.spec else None


class PlannedOptions(Vst3Options):
    """The options as a plan keeps them."""

    @model_serializer(mode="wrap")
    def _as_older_plans(self, serialized: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Leave out a ``pin`` of false: older plans do not have it, and were not pinned."""
        told: dict[str, Any] = serialized(self)
        if not told["pin"]:
            del told["pin"]
        return told
