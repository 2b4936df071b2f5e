"""The presets that a dataset keeps: a plan is made of them as of the files that they came from."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from tonesmith.buckets.address import place_of
from tonesmith.dataset.opening import open_dataset
from tonesmith.dataset.reader import Dataset
from tonesmith.errors import ConfigError, DatasetError
from tonesmith.host.config import PresetSettings
from tonesmith.host.registry import Host
from tonesmith.plan.plan import Plan
from tonesmith.presets.asset_store import AssetStore
from tonesmith.presets.ingest import Found
from tonesmith.space.preset import Preset, PresetRef, read_patch
from tonesmith.space.space import ParameterSpace
from tonesmith.terminal.text import counted


@dataclass(frozen=True, slots=True)
class Kept:
    """The presets of a dataset.

    Attributes:
        path: of the dataset.
        plan: that it was made by.
        presets: in the order of their SHA-256. In what the plan fixes, they have its values, and no more their own.
    """

    path: Path
    plan: Plan
    presets: tuple[Found, ...]

    def choices(self) -> Iterator[tuple[str, str, str]]:
        """Yield slot, SHA-256 and name of each asset that presets brought into a slot that the plan fixes."""
        for parameter in self.plan.space.parameters:
            if parameter.slot and parameter.name in self.plan.space.fixed:
                for sha256, text in zip(parameter.contents, parameter.choices, strict=False):
                    if text.endswith(ending := f" ({sha256[:8]})"):
                        yield parameter.slot, sha256, text.removesuffix(ending)

    def check(self, space: ParameterSpace) -> None:
        """Raise :class:`ConfigError` if the presets do not say what they have in a space, before presets widen it."""
        lost = [name for name in self.plan.space.fixed if name in space.names and name not in space.fixed]
        if lost:
            raise ConfigError(
                f"presets: the plan of {self.path} fixes {_listed(lost)}, so what its presets had there is not known. "
                "Fix the same, or name the files of the presets: --presets PATH"
            )
        known = set(self.presets[0].preset.patch.values)
        absent = [p.name for p in space.parameters if not p.slot and p.name not in known]
        if absent:
            raise ConfigError(
                f"presets: those of {self.path} have no value for {_listed(absent)}: they are of another version or "
                "another plugin. Name the files of presets: --presets PATH"
            )


def split_paths(paths: Sequence[str], host: Host) -> tuple[list[Path], list[str]]:
    """Return which paths are datasets, and the others."""
    sinks = host.sinks().values()
    datasets = [path for path in paths if any(sink.recognises(place_of(path)) for sink in sinks)]
    return [place_of(path) for path in datasets], [path for path in paths if path not in datasets]


def kept_presets(path: Path, backend: str, settings: PresetSettings, store: AssetStore) -> Kept:
    """Return the presets of the dataset at a path.

    Args:
        path: of the dataset.
        backend: that will play them.
        settings: with the licence of those without one.
        store: takes the contents of their assets.

    Raises :class:`ConfigError` if it has none for the backend, and :class:`DatasetError` if it is damaged.
    """
    dataset = open_dataset(path)
    plan = dataset.plan
    if not plan.presets:
        raise ConfigError(f"presets: {path} is a dataset that was made without presets.")
    if plan.backend.name != backend:
        told = counted(len(plan.presets), "preset")
        raise ConfigError(f"presets: {path} has {told} of the backend {plan.backend.name!r}, not of {backend!r}.")
    read = (_read(path, dataset, ref, store) for ref in plan.presets)
    found = (Found(path, replace(preset, licence=preset.licence or settings.licence)) for preset in read)
    kept = Kept(path, plan, tuple(found))
    for _, sha256, _ in kept.choices():
        store.add(dataset.storage.asset(sha256))
    return kept


def _read(path: Path, dataset: Dataset, ref: PresetRef, store: AssetStore) -> Preset:
    patch = read_patch(dataset.storage.asset(ref.patch), ref.patch)
    if patch.preset != ref.sha256:
        raise DatasetError(f"{path}: the asset {ref.patch} is the patch of another preset than the plan says.")
    for name in filter(None, patch.assets.values()):
        store.add(dataset.storage.asset(name))
    return Preset(patch, store, ref.name, ref.author, ref.style, licence=ref.licence)


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
