"""The composition that makes a plan again: as the text of a ``plugins.toml``, or to continue a dataset by."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any

import tomli_w

from tonesmith.buckets.address import place_of
from tonesmith.dataset.items import refuse_items
from tonesmith.dataset.opening import open_dataset
from tonesmith.dataset.reader import Dataset
from tonesmith.errors import ConfigError, TonesmithError
from tonesmith.host.composition import compose, load_config
from tonesmith.host.config import Config, PhraseSettings, PlanSettings
from tonesmith.host.feature_trust import check_feature_trusted
from tonesmith.host.readers import reader_at
from tonesmith.host.registry import Host
from tonesmith.host.toml import TomlSource
from tonesmith.plan.phrases import Phrases
from tonesmith.plan.plan import Plan
from tonesmith.space.shape import SpaceShape, shaped
from tonesmith.space.space import ParameterSpace
from tonesmith.terminal.text import escaped

_WINDOWS = re.compile(r"[A-Za-z]:[\\/]|\\\\")


def load_composition(
    path: Path | None,
    overrides: Mapping[str, Any],
    *,
    host: Host,
    spelled: Mapping[str, str] | None = None,
) -> Config:
    """Return the composition in a TOML file as :func:`load_config` does, or that of the dataset at the path.

    Args:
        path: of the file or the dataset; None for ``plugins.toml`` here if there is one, else the defaults alone.
        overrides: dotted key -> value.
        host: where plugins are looked up.
        spelled: what messages call an override: dotted key -> flag.

    Raises :class:`ConfigError` as :func:`load_config`, and for a dataset whose plan does not say all that made it.
    """
    path = place_of(path) if path is not None else None
    if path is None or not (reader_at(path, host) or any(sink.recognises(path) for sink in host.sinks().values())):
        return load_config(path, overrides, host=host, spelled=spelled)
    dataset = open_dataset(path)
    source = TomlSource(str(path), _stored_tables(path, dataset, host))
    return compose(source, overrides, host=host, spelled=spelled)


def _stored_tables(path: Path, dataset: Dataset, host: Host) -> dict[str, Any]:
    """Return the composition of a dataset that is there, with the folders of this machine and all of its patches.

    The dataset itself is where its presets are read, since it keeps them.
    """
    plan = dataset.plan
    refuse_items(plan, path, "no composition makes it. Pack the corpus again instead")
    if "merged" in dataset.attributes:
        raise ConfigError(f"{path} was merged from other datasets, so no composition makes it. Name one of those.")
    if "scored" in dataset.attributes:
        raise ConfigError(f"{path} has labels that a model predicted, so no composition makes it.")
    shape = _shape(plan, host)
    if shape is None:
        raise ConfigError(f"{path}: its plan does not say which [space] table led to it. Name the file that has it.")
    for feature in plan.features:
        check_feature_trusted(feature.name, feature.options, host)
    tables = _tables(plan, host)
    tables["plan"]["patches"] = plan.patches
    if plan.presets:
        tables["presets"] = {"paths": [str(path.absolute())]}
    return {**tables, "space": shape}


@dataclass(frozen=True, slots=True)
class Recipe:
    """How to make a plan again.

    Attributes:
        toml: text of a composition.
        missing: what the composition does not have in it and the maker must add, in words; empty if it is whole.
    """

    toml: str
    missing: tuple[str, ...] = ()


def recipe_of(plan: Plan, host: Host) -> Recipe:
    """Return the composition of a plan's first round, without the names of folders on the machine that made it.

    Where nothing is missing, it resolves to a plan of the same fingerprint, with the same versions of the engine.
    """
    missing = []
    whole = _tables(plan, host)
    tables: dict[str, Any] = without_folders(whole)
    if tables != whole:
        missing.append("the folders of the files that it uses")
    if plan.presets:
        missing.append(f"where the {len(plan.presets)} preset files are (`[presets] paths`)")
    if plan.phrases and not _has_options(plan.phrases, host):
        missing.append(f"where its {len(plan.phrases.scores)} scores are (the options of `[composer]`)")
    if not plan.presets and _recorded_less(plan, host):
        missing.append("what the backend took over from the maker's disk")
    shape = _shape(plan, host)
    if shape is None:
        missing.append("the `[space]` table")
    elif shape:
        tables["space"] = shape
    return Recipe(escaped(tomli_w.dumps(tables)), tuple(missing))


def _tables(plan: Plan, host: Host) -> dict[str, Any]:
    """Return the tables of a plan but ``[space]``. Sinks and plugins have their options beside their name."""
    settings = PlanSettings(
        patches=plan.rounds[0],
        seed=plan.seed,
        sample_rate=plan.audio.sample_rate,
        block=plan.block,
        max_attempts=plan.max_attempts,
        timeout=plan.timeout,
        memory=plan.memory,
        isolation=plan.isolation,
    )
    tables: dict[str, Any] = {
        "plan": settings.model_dump(mode="json"),
        "notes": plan.notes.model_dump(mode="json"),
        "backend": {"name": plan.backend.name, **_backend_options(plan, host)},
        "sampler": {"name": plan.sampler.name, **plan.sampler.options},
        "validators": {ref.name: dict(ref.options) for ref in plan.validators} or [],
        "sink": {"name": plan.sink.name, **plan.sink.options},
    }
    if phrases := plan.phrases:
        del tables["notes"]
        tables["phrases"] = {name: getattr(phrases, name) for name in PhraseSettings.model_fields}
        tables["composer"] = {"name": phrases.composer, **phrases.options}
    if plan.features:
        tables["features"] = {feature.name: dict(feature.options) for feature in plan.features}
    plain: dict[str, Any] = _without_none(tables)
    return plain


def _has_options(phrases: Phrases, host: Host) -> bool:
    """Return whether the plan has every option of its composer."""
    try:
        return set(host.find("composer", phrases.composer).Options.model_fields) <= phrases.options.keys()
    except TonesmithError:
        return True


def _backend_options(plan: Plan, host: Host) -> Mapping[str, Any]:
    """Return the options of a plan's backend as they are set today; as they are if it is not installed."""
    try:
        return host.find("backend", plan.backend.name).from_plan(plan.backend.options)
    except TonesmithError:
        return plan.backend.options


def _without_none(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _without_none(inner) for key, inner in value.items() if inner is not None}
    return value


def without_folders(value: Any) -> Any:
    """Return plain data with the last part alone of each path that names a folder of the machine."""
    if isinstance(value, Mapping):
        return {name: without_folders(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [without_folders(inner) for inner in value]
    return _last_of_path(value) if isinstance(value, str) else value


def _last_of_path(text: str) -> str:
    if _WINDOWS.match(text):
        return PureWindowsPath(text).name
    return PurePosixPath(text).name if text.startswith(("/", "~", "./", "../")) else text


def _recorded_less(plan: Plan, host: Host) -> bool:
    """Return whether assets are chosen that no option of the plan names: a backend took them over from a folder."""
    try:
        backend = host.find("backend", plan.backend.name)
        known = set(backend.stock(backend.Options.model_validate(dict(plan.backend.options))))
    except (TonesmithError, ValueError):
        return True
    return any(set(p.contents) - known for p in plan.space.parameters)


def _shape(plan: Plan, host: Host) -> dict[str, Any] | None:
    """Return the shortest ``[space]`` table that leads from a shape of the backend to the plan's; None if none does."""
    try:
        backend = host.find("backend", plan.backend.name)
        options = backend.Options.model_validate(dict(plan.backend.options))
        own = backend.preset_shape(options) if plan.presets else backend.shape(options)
        bases = {"": own, **backend.shapes(options)}
    except (TonesmithError, ValueError):
        return None
    whole, tables = _whole(plan.space), []
    for name, base in bases.items():
        if (table := _table(plan, whole, name, base)) == {}:
            return table
        if table is not None:
            tables.append(table)
    return min(tables, key=lambda table: len(tomli_w.dumps(table)), default=None)


def _table(plan: Plan, whole: ParameterSpace, name: str, base: SpaceShape) -> dict[str, Any] | None:
    """Return the ``[space]`` table that leads from one shape to the plan's; None if it cannot be told."""
    try:
        shape = _spelled_out(plan, whole, base)
        found = shaped(whole, base, shape, presets=bool(plan.presets))
    except (TonesmithError, ValueError):
        return None
    if _form(found) != _form(plan.space):
        return None
    unset = SpaceShape().model_dump(mode="json")
    values = {**shape.model_dump(mode="json"), "shape": name}
    plain: dict[str, Any] = _without_none({key: value for key, value in values.items() if value != unset[key]})
    return plain


def _whole(space: ParameterSpace) -> ParameterSpace:
    """Return a space before a shape was laid over it, as far as a plan still tells."""
    parameters = tuple(replace(p, within=None, weights=()) for p in space.parameters)
    return replace(space, parameters=parameters, fixed={}, held={}, routing=None)


def _form(space: ParameterSpace) -> list[Any]:
    """Return what a shape decides of a space."""
    return [
        [(p.name, p.within, p.weights) for p in space.parameters],
        dict(space.fixed),
        dict(space.held),
        space.routing,
    ]


def _spelled_out(plan: Plan, whole: ParameterSpace, base: SpaceShape) -> SpaceShape:
    """Return the shape that names what the plan has other than the backend's own."""
    space, presets = plan.space, bool(plan.presets)
    usual = shaped(whole, base, SpaceShape.model_validate({"modulations": _none(plan, base)}), presets=presets)
    free = tuple(p.name for p in space.parameters if p.name not in {**space.fixed, **space.held})
    before = {**usual.fixed, **usual.held}
    routing: dict[str, Any] | None = None
    if space.routing is not None and space.routing != usual.routing:
        routing = {f.name: getattr(space.routing, f.name) for f in fields(space.routing)}
    return SpaceShape.model_validate(
        {
            "free": tuple(name for name in free if name in before),
            "fix": {name: value for name, value in space.fixed.items() if usual.fixed.get(name) != value},
            "ranges": {p.name: p.within for p in space.parameters if p.within and p.within != usual[p.name].within},
            "weights": {
                p.name: {p.text(p.low + i): weight for i, weight in enumerate(_proportions(p.weights)) if weight}
                for p in space.parameters
                if p.weights and p.weights != usual[p.name].weights
            },
            "modulations": routing or _none(plan, base),
        }
    )


def _proportions(shares: Sequence[float]) -> Sequence[float]:
    """Return whole numbers in the proportions of shares, if they have these very shares; else the shares."""
    least = min(share for share in shares if share)
    whole = [float(round(share / least)) for share in shares]
    return whole if [number / sum(whole) for number in whole] == list(shares) else shares


def _none(plan: Plan, base: SpaceShape) -> dict[str, int] | None:
    """Return that modulations are not drawn, where the backend's shape draws them and the plan does not."""
    return {"most": 0} if plan.space.routing is None and base.modulations is not None else None
