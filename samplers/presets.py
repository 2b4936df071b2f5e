"""Presets as they are."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from pydantic import Field

from tonesmith.host.hookspecs import hookimpl
from tonesmith.host.roles import Options, Sampler
from tonesmith.samplers._presets import another, check_presets
from tonesmith.space.patch import Candidate, Patch


class PresetsOptions(Options):
    """Options of :class:`Presets`."""

    repeat: bool = Field(
        default=False, description="Allow more patches than presets, starting again after the last one."
    )


class Presets(Sampler[PresetsOptions]):
    """Each preset as it is, in the order of the plan: patch i is preset i.

    What the plan fixes under ``[space.fix]`` is fixed in presets too. The seed decides nothing of the first draws.

    A rejected preset stays out: its patch takes another one, drawn by the seed, and at each further attempt one
    that it has not had yet. That other preset has a patch of its own too, so a dataset with rejections holds some
    presets twice.

    Raises :class:`tonesmith.errors.ConfigError` if the plan has no presets.
    """

    name = "presets"
    summary = "each preset as it is"
    Options = PresetsOptions
    uses_presets = True

    def set_up(self) -> None:
        """Check that there are presets."""
        check_presets(self.name, self.presets)

    def limit(self) -> int | None:
        """Return the number of presets, or None if they may repeat."""
        return None if self.options.repeat else len(self.presets)

    def draw(self, candidate: Candidate) -> Patch:
        """Return the patch of a candidate; IndexError beyond the last preset, unless they may repeat."""
        count = len(self.presets)
        if not (0 <= candidate.patch < count or self.options.repeat):
            raise IndexError(f"there is no preset {candidate.patch}; there are presets 0..{count - 1}")
        index = candidate.patch % count
        if candidate.attempt:
            index = another(self.seed, self.name, candidate.patch, count, index, candidate.attempt - 1)
        return replace(self.presets[index], origin=self.name)


@hookimpl
def tonesmith_samplers() -> Iterable[type[Sampler[Any]]]:
    """Return the sampler of this module."""
    return [Presets]
