"""From a configuration to a plan."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from tonesmith.dataset.promise import level_of
from tonesmith.doctor.first_use import first_use
from tonesmith.engine.client import LOAD_SECONDS, Engine
from tonesmith.engine.isolation import isolation_of, promise_of
from tonesmith.engine.machine import cores
from tonesmith.engine.memory import check_watchable
from tonesmith.errors import ConfigError
from tonesmith.host.computing import feature_of, planned
from tonesmith.host.config import Config
from tonesmith.host.feature_trust import remember_feature
from tonesmith.host.playing import check_notes
from tonesmith.host.registry import Host
from tonesmith.host.roles import Backend, Sampler
from tonesmith.host.trust import remember
from tonesmith.plan.notes import Notes
from tonesmith.plan.phrases import Phrases
from tonesmith.plan.plan import Audio, Plan, PluginRef
from tonesmith.plan.promises import Determinism
from tonesmith.presets.asset_store import AssetStore
from tonesmith.presets.files import preset_files
from tonesmith.presets.ingest import Found, Refused, ingest
from tonesmith.run.kept_presets import kept_presets, split_paths
from tonesmith.run.phrasebook import planned_phrases
from tonesmith.run.produce import sampler_of
from tonesmith.space.preset import stored_form, with_choices
from tonesmith.space.shape import SpaceShape, shaped
from tonesmith.terminal.messages import say
from tonesmith.terminal.text import counted

_SHOWN = 20
"""Refused presets that a message lists."""


@dataclass(frozen=True, slots=True)
class Resolved:
    """A plan, and what it took to make it.

    Attributes:
        contents: of the assets that its space and its presets name, by SHA-256.
        refused: preset files that were left out, and why.
        copies: preset files with the content of another, which is used once.
        remarked: how many presets have remarks of their reader.
        checkup: what was measured of the backend's binary when it was used first; None if it names none.
        load_seconds: how long an engine may take to load.
    """

    plan: Plan
    contents: Mapping[str, bytes]
    refused: tuple[Refused, ...] = ()
    copies: tuple[Path, ...] = ()
    remarked: int = 0
    checkup: Mapping[str, Any] | None = None
    load_seconds: float = LOAD_SECONDS

    @property
    def determinism(self) -> Determinism:
        """What is known of rows that are rendered again: what was measured of the binary, else what is promised."""
        return level_of((self.checkup or {}).get("determinism"), self.plan.determinism)


def resolve_plan(config: Config, host: Host, progress: Callable[[int, int], object] | None = None) -> Resolved:
    """Return the plan of a configuration. The engine is loaded, in a process of its own, to read its space.

    Args:
        config: the composition.
        host: finds the plugins.
        progress: told how many of how many preset files are read.

    Raises :class:`ConfigError` for a setting that the live engine or its space does not allow, and
    :class:`EngineError` if the engine cannot be loaded.
    """
    backend = host.find("backend", config.backend.name)
    if config.composer is None:
        check_notes(backend, config.notes)
    options = backend.Options.model_validate(config.backend.options)
    isolation = isolation_of(backend, options) if config.plan.isolation == "auto" else config.plan.isolation
    reference = PluginRef(backend.name, options.model_dump(mode="json"))
    features = [feature_of(host, ref.name, ref.options) for ref in config.features]
    for feature in features:
        remember_feature(type(feature), feature.options)
    datasets, others = split_paths(config.presets.paths, host)
    files = _preset_files(others, backend)
    contents = AssetStore()
    kept = [kept_presets(path, backend.name, config.presets, contents) for path in datasets]
    patience = config.run.load_seconds
    check_watchable("plan.memory", config.plan.memory)
    check_watchable("run.load_memory", load_memory := config.run.load_memory)
    checkup = first_use(
        backend, options, isolation, config.plan.sample_rate, timeout=config.plan.timeout, load_seconds=patience
    )
    remember(backend, options)
    notes, phrases = _played(config, backend, host, contents)
    asked = Audio(config.plan.sample_rate, 0, 0)
    with Engine(reference, asked, 1, isolation, _no_asset, patience, load_memory=load_memory) as engine:
        description = engine.describe(notes.duration - notes.tail, notes.tail)
    for remark in description.remarks:
        say(f"{backend.name}: {remark}")
    space = shaped(
        description.space, _shape(config, backend, options), config.space, presets=bool(config.presets.paths)
    )
    for source in kept:
        source.check(space)
    found, refused, copies = _presets(config, backend, reference, files, contents, progress)
    presets = _distinct([*found, *(item for source in kept for item in source.presets)])
    stored = [stored_form(item.preset, space) for item in presets]
    for content in (*description.assets.values(), *(text for _, text in stored)):
        contents.add(content)
    for content in backend.stock(options).values():
        contents.add(content)
    validators = [(host.find("validator", ref.name), ref) for ref in config.validators]
    plan = Plan(
        seed=config.plan.seed,
        rounds=(config.plan.patches,),
        block=config.plan.block,
        max_attempts=config.plan.max_attempts,
        timeout=config.plan.timeout,
        memory=config.plan.memory,
        audio=description.audio,
        notes=notes,
        phrases=phrases,
        backend=PluginRef(backend.name, backend.recorded(options).model_dump(mode="json")),
        isolation=isolation,
        determinism=promise_of(backend, isolation, options),
        space=with_choices(space, [item.preset for item in presets], [c for source in kept for c in source.choices()]),
        sampler=_full_ref(host.find("sampler", config.sampler.name), config.sampler.options),
        origins=(),
        validators=tuple(_full_ref(cls, ref.options) for cls, ref in validators),
        measures=tuple(measure for cls, _ in validators for measure in cls.measures),
        sink=_full_ref(host.find("sink", config.sink.name), config.sink.options),
        versions=description.versions,
        presets=tuple(ref for ref, _ in stored),
        features=tuple(planned(feature, description.audio) for feature in features),
    )
    remarked = sum(bool(item.preset.remarks) for item in presets)
    return Resolved(_checked(plan, host, contents), contents, refused, copies, remarked, checkup, patience)


def _played(
    config: Config, backend: type[Backend[Any]], host: Host, contents: AssetStore
) -> tuple[Notes, Phrases | None]:
    """Return the notes of a plan, and its phrases, if it has any: then the notes are one that is as long as these."""
    if config.composer is None:
        return config.notes, None
    phrases = planned_phrases(config.composer, config.phrases, config.plan.seed, backend, host, contents)
    return Notes(pitches=(60,), hold=phrases.seconds, tail=phrases.tail), phrases


def _shape(config: Config, backend: type[Backend[Any]], options: Any) -> SpaceShape:
    """Return the shape that the user's ``[space]`` is laid over."""
    if config.space.shape:
        return backend.shapes(options)[config.space.shape]
    return backend.preset_shape(options) if config.presets.paths else backend.shape(options)


def _preset_files(paths: Sequence[str], backend: type[Backend[Any]]) -> list[Path]:
    if paths and not backend.preset_suffixes:
        raise ConfigError(f"presets.paths: the backend {backend.name!r} cannot read presets")
    return preset_files(paths, backend.preset_suffixes)


def _distinct(presets: Iterable[Found]) -> list[Found]:
    """Return the first of those with one SHA-256, in the order of the SHA-256."""
    first: dict[str, Found] = {}
    for item in presets:
        first.setdefault(item.preset.patch.preset, item)
    return [first[sha256] for sha256 in sorted(first)]


def _presets(
    config: Config,
    backend: type[Backend[Any]],
    reference: PluginRef,
    files: Sequence[Path],
    store: AssetStore,
    progress: Callable[[int, int], object] | None,
) -> tuple[list[Found], tuple[Refused, ...], tuple[Path, ...]]:
    """Return the presets in files, what was refused, and which files are copies of others."""
    if not files:
        return [], (), ()
    done = 0

    def count(read: int) -> None:
        nonlocal done
        done += read
        if progress is not None:
            progress(done, len(files))

    found, refused = ingest(
        files,
        backend,
        reference.options,
        sample_rate=config.plan.sample_rate,
        workers=min(config.run.workers, cores()) or cores(),
        licence=config.presets.licence,
        store=store,
        progress=count,
        load_seconds=config.run.load_seconds,
    )
    if refused and (config.presets.strict or not found):
        lines = [f"  {item.place}: {item.reason}" for item in refused[:_SHOWN]]
        more = [f"  and {len(refused) - _SHOWN:,} more; tonesmith presets check lists all"] if refused[_SHOWN:] else []
        listed = "\n".join([*lines, *more])
        whole = " whole" if any(item.member for item in refused) else ""
        bad = len({item.path for item in refused})
        raise ConfigError(f"presets: {bad} of {len(files)} files cannot be read{whole}:\n{listed}")
    return found, tuple(refused), tuple(path for item in found for path in item.copies)


def _checked(plan: Plan, host: Host, contents: Mapping[str, bytes]) -> Plan:
    """Let the plugins and the schema object before anything is written, and return the plan with its origins."""
    if plan.audio.frames < 1 or plan.audio.channels < 1:
        raise ConfigError(f"{plan.backend.name} rendered {plan.audio.channels} channels of {plan.audio.frames} frames.")
    _ = plan.schema  # raises if two measures have one name
    sampler = sampler_of(plan, host, contents.__getitem__)
    if plan.presets and not sampler.uses_presets:
        using = sorted(name for name, cls in host.samplers().items() if cls.uses_presets)
        such = " with these options" if plan.sampler.name in using else ""
        others = ", ".join(name for name in using if name != plan.sampler.name)
        raise ConfigError(
            f"presets.paths: the sampler {plan.sampler.name!r} does not use presets{such}. Samplers that do: {others}."
        )
    _check_limit(plan, sampler)
    return replace(plan, origins=tuple(sampler.origins()))


def _check_limit(plan: Plan, sampler: Sampler[Any]) -> None:
    limit = sampler.limit()
    if limit is not None and plan.patches > limit:
        raise ConfigError(
            f"the sampler {plan.sampler.name!r} can draw only {counted(limit, 'patch', 'patches')} here, "
            f"and {plan.patches:,} are asked for. Ask for {limit:,} or fewer with -n"
            + (", or add --sampler.repeat." if "repeat" in type(sampler).Options.model_fields else ".")
        )


def _full_ref(cls: type[Any], options: Mapping[str, Any]) -> PluginRef:
    return PluginRef(cls.name, cls.Options.model_validate(options).model_dump(mode="json"))


def _no_asset(name: str) -> bytes:
    raise ConfigError(f"the asset {name} is not known before the plan is made")
