"""From a configuration to a plan, and from a plan to a dataset."""

from __future__ import annotations

import importlib.metadata
import platform
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from tonesmith.block import dataset_digest
from tonesmith.card import renew_card
from tonesmith.config import Config
from tonesmith.dataset import Dataset
from tonesmith.errors import ConfigError, OtherPlanError
from tonesmith.first_use import first_use
from tonesmith.host import Host, warn
from tonesmith.ingest import Found, Refused, ingest, preset_files
from tonesmith.isolation import Engine, cores, isolation_of, promise_of
from tonesmith.plan import Audio, Plan, PluginRef, differences
from tonesmith.preset import stored_form, with_choices
from tonesmith.produce import sampler_of
from tonesmith.roles import Backend, Sampler, Sink, Storage
from tonesmith.shape import SpaceShape, shaped
from tonesmith.splitting import UNFINISHED, finishing
from tonesmith.spool import Spool
from tonesmith.watch import Summary, Watcher
from tonesmith.workers import Accepted, Committed, Crew, Dropped, Event, Fatal, Rejected

__all__ = ["Resolved", "Summary", "Work", "resolve_plan", "run", "survey"]


@dataclass(frozen=True, slots=True)
class Resolved:
    """A plan, and what it took to make it.

    Attributes:
        contents: of the assets that its space and its presets name, by SHA-256.
        refused: preset files that were left out, and why.
        copies: preset files with the content of another, which is used once.
        checkup: what was measured of the backend's binary when it was used first; None if it names none.
    """

    plan: Plan
    contents: Mapping[str, bytes]
    refused: tuple[Refused, ...] = ()
    copies: tuple[Path, ...] = ()
    checkup: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Work:
    """What a plan and a path have still to do with each other.

    Attributes:
        plan: with the rounds that the dataset will have.
        done: block index -> rows that are stored already.
        todo: blocks to make, in order.
        exists: whether there is a dataset at the path.
        attributes: of that dataset.
    """

    plan: Plan
    done: Mapping[int, int]
    todo: tuple[int, ...]
    exists: bool
    attributes: Mapping[str, Any] = field(default_factory=dict)


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
    options = backend.Options.model_validate(config.backend.options)
    isolation = isolation_of(backend, options) if config.plan.isolation == "auto" else config.plan.isolation
    reference = PluginRef(backend.name, options.model_dump(mode="json"))
    files = _preset_files(config, backend)
    checkup = first_use(backend, options, isolation, config.plan.sample_rate, timeout=config.plan.timeout)
    asked = Audio(config.plan.sample_rate, 0, 0)
    with Engine(reference, asked, config.notes.per_patch, isolation, asset=_no_asset) as engine:
        hold = config.notes.duration - config.notes.tail
        description = engine.describe(hold, config.notes.tail)
    space = shaped(description.space, _shape(config, backend, options), config.space, presets=bool(files))
    contents = Spool()
    presets, refused, copies = _presets(config, backend, reference, files, contents, progress)
    stored = [stored_form(found.preset, space) for found in presets]
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
        audio=description.audio,
        notes=config.notes,
        backend=PluginRef(backend.name, backend.recorded(options).model_dump(mode="json")),
        isolation=isolation,
        determinism=promise_of(backend, isolation, options),
        space=with_choices(space, [found.preset for found in presets]),
        sampler=_full_ref(host.find("sampler", config.sampler.name), config.sampler.options),
        origins=(),
        validators=tuple(_full_ref(cls, ref.options) for cls, ref in validators),
        measures=tuple(measure for cls, _ in validators for measure in cls.measures),
        sink=_full_ref(host.find("sink", config.sink.name), config.sink.options),
        versions=description.versions,
        presets=tuple(ref for ref, _ in stored),
    )
    return Resolved(_checked(plan, host, contents), contents, refused, copies, checkup)


def _shape(config: Config, backend: type[Backend[Any]], options: Any) -> SpaceShape:
    """Return the shape that the user's ``[space]`` is laid over."""
    if config.space.shape:
        return backend.shapes(options)[config.space.shape]
    return backend.preset_shape(options) if config.presets.paths else backend.shape(options)


def _preset_files(config: Config, backend: type[Backend[Any]]) -> list[Path]:
    if config.presets.paths and not backend.preset_suffixes:
        raise ConfigError(f"presets.paths: the backend {backend.name!r} reads no presets")
    return preset_files(config.presets.paths, backend.preset_suffixes)


def _presets(
    config: Config,
    backend: type[Backend[Any]],
    reference: PluginRef,
    files: Sequence[Path],
    spool: Spool,
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
        workers=config.run.workers or cores(),
        licence=config.presets.licence,
        spool=spool,
        progress=count,
    )
    if refused and (config.presets.strict or not found):
        listed = "\n".join(f"  {item.path}: {item.reason}" for item in refused[:20])
        raise ConfigError(f"presets: {len(refused)} of {len(files)} files cannot be read:\n{listed}")
    return found, tuple(refused), tuple(path for item in found for path in item.copies)


def survey(plan: Plan, path: Path, host: Host) -> Work:
    """Return what is left to do at a path.

    Raises :class:`OtherPlanError` if the dataset at the path has other settings, with the differences, or more
    patches than are asked for, or if another sink made it.
    """
    sink = host.sink_at(plan.sink.name, plan.sink.options, path)
    if not type(sink).recognises(path):
        other = [cls.name for cls in host.sinks().values() if cls.recognises(path)]
        if other:
            raise OtherPlanError(f"{path} holds a dataset of the sink {other[0]!r}, not {plan.sink.name!r}.")
        return Work(plan, {}, tuple(range(plan.blocks)), exists=False)
    attributes = type(sink).open(path).attributes
    _check_grows(path, attributes)
    old = Plan.from_json(attributes["plan"])
    if old.fingerprint != plan.fingerprint:
        listed = "\n".join(f"  {line}" for line in differences(old, plan)[:20])
        raise OtherPlanError(
            f"{path} holds a dataset of another plan (there -> asked for):\n{listed}\n"
            "Name another path, or take these settings back."
        )
    if plan.patches < old.patches:
        raise OtherPlanError(
            f"{path} has {old.patches} patches; {plan.patches} are asked for. A dataset does not shrink."
        )
    plan = replace(plan, rounds=old.rounds).extended_to(plan.patches)
    done = {index: rows for index, rows in sink.committed().items() if index < plan.blocks}
    todo = tuple(index for index in range(plan.blocks) if done.get(index) != plan.rows_of(index))
    return Work(plan, done, todo, exists=True, attributes=attributes)


def _check_grows(path: Path, attributes: Mapping[str, Any]) -> None:
    """Raise :class:`OtherPlanError` for a dataset that no run can go on with: its rows are not those of its plan."""
    if "merged" in attributes:
        raise OtherPlanError(f"{path} was merged from other datasets. Extend those, and merge them again.")
    if through := attributes.get("stored_through"):
        names = ", ".join(str(sink["name"]) for sink in through)
        raise OtherPlanError(
            f"{path} was converted from a dataset whose audio was stored with loss ({names}), so that new rows would "
            "not match. Extend the original, and convert it again."
        )


def run(
    resolved: Resolved, path: Path, *, workers: int = 0, host: Host | None = None, watcher: Watcher | None = None
) -> Summary:
    """Make what is left of a dataset, and return a summary.

    The first Ctrl-C lets the blocks in flight finish; the second, or SIGTERM, drops them. Either way the
    summary says that it was interrupted, and the same call goes on.

    Args:
        resolved: the plan and its assets.
        path: of the dataset.
        workers: processes; 0 for one a core.
        host: finds the plugins.
        watcher: hears what happens.

    Raises :class:`DatasetError` as :func:`survey` does, and :class:`RunError` if the run cannot go on.
    """
    host, watcher = host or Host.load(), watcher or Watcher()
    work = survey(resolved.plan, path, host)
    plan = work.plan
    sink = host.sink_at(plan.sink.name, plan.sink.options, path)
    started = time.monotonic()
    attributes = {**work.attributes, **_attributes(plan, resolved.checkup)}
    sink.create(attributes, plan.schema, plan.rows, plan.block_rows)
    for content in resolved.contents.values():
        sink.add_asset(content)
    rows_before = sum(work.done.values())
    kept = sum(rows for block, rows in work.done.items() if rows == plan.rows_of(block))
    watcher.started(plan, path, len(work.todo), kept)
    host.call("tonesmith_run_started", plan=plan, path=path, blocks=len(work.todo))
    going = _Run(plan, sink, host, watcher)
    try:
        if work.todo:
            going.make(work.todo, workers or cores())
    finally:
        storage = type(sink).open(path)
        summary = _summary(going, storage, rows_before, time.monotonic() - started)
        if summary.complete:
            sink.finish()
        renew_card(path, Dataset(type(sink).open(path)))
        if UNFINISHED in attributes:
            warn(f"{path}: {finishing(path)}")
        watcher.finished(summary)
        host.call("tonesmith_run_finished", plan=plan, path=path, summary=summary)
    return summary


class _Run:
    """A run while it goes: what it has counted, and whom it tells."""

    def __init__(self, plan: Plan, sink: Sink[Any], host: Host, watcher: Watcher) -> None:
        self.plan = plan
        self.sink = sink
        self.candidates = 0
        self.rejections: Counter[str] = Counter()
        self.interrupts = 0
        self._host = host
        self._watcher = watcher

    def make(self, blocks: Sequence[int], workers: int) -> None:
        """Have workers make the blocks, until all are made or the run is interrupted."""
        crew = Crew(self.plan, self.sink.path, workers, blocks)
        stopping = False
        try:
            with _signals(self._interrupt):
                for event in crew.events():
                    if self.interrupts and not stopping:
                        stopping = True
                        crew.stop()
                        self._watcher.stopping()
                    if self.interrupts > 1:
                        break
                    if event is not None:
                        self._hear(event)
        finally:
            crew.dismiss()

    def _interrupt(self, drop: bool) -> None:
        self.interrupts += 2 if drop else 1

    def _hear(self, event: Event) -> None:
        match event:
            case Accepted(rows):
                self.candidates += 1
                self._watcher.accepted(rows)
            case Rejected(rejection):
                self.candidates += 1
                self.rejections[rejection.cause] += 1
                self._watcher.rejected(rejection)
                self._call("tonesmith_candidate_rejected", rejection=rejection)
            case Fatal(rejection):
                self.sink.record_fault(rejection)
            case Dropped(rows, rejections):
                self.candidates -= rows // self.plan.notes.per_patch + len(rejections)
                self.rejections -= Counter(rejection.cause for rejection in rejections)
                self._watcher.dropped(rows, rejections)
            case Committed(block, rows):
                self._watcher.committed(block, rows)
                self._call("tonesmith_block_committed", block=block, rows=rows)

    def _call(self, hook: str, **told: Any) -> None:
        self._host.call(hook, plan=self.plan, path=self.sink.path, **told)


@contextmanager
def _signals(interrupt: Callable[[bool], None]) -> Iterator[None]:
    """Turn Ctrl-C and SIGTERM into calls of ``interrupt``, where this is the main thread."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    handlers: dict[int, Any] = {
        signal.SIGINT: lambda *_: interrupt(False),
        signal.SIGTERM: lambda *_: interrupt(True),
    }
    before = {number: signal.signal(number, handler) for number, handler in handlers.items()}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _summary(going: _Run, storage: Storage, rows_before: int, seconds: float) -> Summary:
    blocks = storage.blocks()
    rows = sum(map(len, blocks.values()))
    return Summary(
        path=going.sink.path,
        rows=rows,
        rows_planned=going.plan.rows,
        rows_added=rows - rows_before,
        patches=going.plan.patches,
        seconds=seconds,
        nbytes=storage.nbytes(),
        rejections=dict(going.rejections),
        candidates=going.candidates,
        digest=dataset_digest([digest for index in sorted(blocks) for digest in blocks[index]]),
        complete=rows == going.plan.rows,
        interrupted=going.interrupts > 0,
    )


def _checked(plan: Plan, host: Host, contents: Mapping[str, bytes]) -> Plan:
    """Let the plugins and the schema object before anything is written, and return the plan with its origins."""
    if plan.audio.frames < 1 or plan.audio.channels < 1:
        raise ConfigError(f"{plan.backend.name} rendered {plan.audio.channels} channels of {plan.audio.frames} frames.")
    _ = plan.schema  # raises if two measures have one name
    sampler = sampler_of(plan, host, contents.__getitem__)
    if plan.presets and not sampler.uses_presets:
        using = sorted(name for name, cls in host.samplers().items() if cls.uses_presets)
        raise ConfigError(
            f"presets.paths: the sampler {plan.sampler.name!r} uses no presets. Samplers that do: {', '.join(using)}."
        )
    _check_limit(plan, sampler)
    return replace(plan, origins=tuple(sampler.origins()))


def _check_limit(plan: Plan, sampler: Sampler[Any]) -> None:
    limit = sampler.limit()
    if limit is not None and plan.patches > limit:
        raise ConfigError(
            f"the sampler {plan.sampler.name!r} can draw {limit} patches here, and {plan.patches} are asked for."
        )


def _full_ref(cls: type[Any], options: Mapping[str, Any]) -> PluginRef:
    return PluginRef(cls.name, cls.Options.model_validate(options).model_dump(mode="json"))


def _attributes(plan: Plan, checkup: Mapping[str, Any] | None) -> dict[str, Any]:
    packages = ("tonesmith", "numpy", "zarr")
    return {
        "generator": "tonesmith",
        "plan": plan.to_json(),
        "fingerprint": plan.fingerprint,
        "made_with": {
            **{name: importlib.metadata.version(name) for name in packages},
            "python": platform.python_version(),
            "platform": f"{platform.system()} {platform.machine()}",
            **plan.versions,
        },
        **({"checkup": dict(checkup)} if checkup is not None else {}),
    }


def _no_asset(name: str) -> bytes:
    raise ConfigError(f"no asset {name} is known before a plan is made")
