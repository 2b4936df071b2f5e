"""From a plan to a dataset: what is left to do, and doing it."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from tonesmith.buckets.address import is_remote
from tonesmith.buckets.client import check_bucket
from tonesmith.dataset.installed import PLUGINS, used_by
from tonesmith.dataset.promise import weaker
from tonesmith.dataset.reader import Dataset
from tonesmith.engine.overheard import is_heard
from tonesmith.errors import OtherPlanError, PathTakenError
from tonesmith.host.registry import Host
from tonesmith.host.roles import Executor, Sink
from tonesmith.plan.differences import check_same_plan, cure_of, difference_lines
from tonesmith.plan.plan import Plan
from tonesmith.plan.share import Share
from tonesmith.plan.summary import Shared, Summary
from tonesmith.run.claims import Claims
from tonesmith.run.crews import Crews, Elsewhere, Joined, Waiting
from tonesmith.run.first_sound import check_first_sound
from tonesmith.run.journal import journal
from tonesmith.run.outlook import Outlook
from tonesmith.run.presence import Presence, joining
from tonesmith.run.resolve import Resolved
from tonesmith.run.room import needed_by, warn_of_room
from tonesmith.run.sealing import seal
from tonesmith.run.signals import heard_signals
from tonesmith.run.staff import Staff, executor_of, staffed
from tonesmith.run.watch import Watcher
from tonesmith.run.workers import Accepted, Again, Committed, Crew, Dropped, Event, Fatal, Rejected
from tonesmith.terminal.text import counted, one_line


@dataclass(frozen=True, slots=True)
class Work:
    """What a plan and a path have still to do with each other.

    Attributes:
        plan: with the rounds that the dataset will have.
        done: block index -> rows that are stored already.
        todo: blocks to make, in order.
        exists: whether there is a dataset at the path.
        attributes: of that dataset.
        share: the blocks that are this run's to make; None for all.
    """

    plan: Plan
    done: Mapping[int, int]
    todo: tuple[int, ...]
    exists: bool
    attributes: Mapping[str, Any] = field(default_factory=dict)
    share: Share | None = None

    @property
    def rows_todo(self) -> int:
        """Rows of the blocks to make."""
        return sum(map(self.plan.rows_of, self.todo))


def check_place(path: Path, host: Host, sink: str = "") -> None:
    """Raise :class:`PathTakenError`, before an engine is loaded, where no dataset can ever be made.

    That is in a folder that is none, or that may not be written to, and in place of a file that is no dataset.

    Raises :class:`ConfigError` for a bucket, if the sink of that name cannot store in one.
    """
    if is_remote(path):
        host.check_reach(sink, path)
        check_bucket(path)
        return
    try:
        above = next(folder for folder in path.absolute().parents if folder.exists() or folder.is_symlink())
        if not above.is_dir():
            raise PathTakenError(f"no dataset can be made at {path}: {_shown(above, path)} is no folder.")
        if path.is_file() and not any(cls.recognises(path) for cls in host.sinks().values()):
            raise PathTakenError(f"{path} exists and is not a tonesmith dataset. Choose another path.")
        if not path.exists() and not os.access(above, os.W_OK | os.X_OK):
            raise PathTakenError(f"no dataset can be made at {path}: {_shown(above, path)} may not be written to.")
    except (OSError, ValueError) as error:
        told = error.strerror if isinstance(error, OSError) else str(error)
        raise PathTakenError(f"no dataset can be made at {path}: {told}.") from None


def _shown(above: Path, path: Path) -> Path:
    """Return a folder above a path as the path spells it, if it does."""
    return next((folder for folder in path.parents if folder.absolute() == above), above)


def survey(plan: Plan, path: Path, host: Host, share: Share | None = None) -> Work:
    """Return what is left to do at a path, of a share or of all.

    Raises :class:`OtherPlanError` if the dataset at the path has other settings, with the differences, or more
    patches than are asked for, or if another sink made it.
    """
    sink = host.sink_at(plan.sink.name, plan.sink.options, path)
    if not type(sink).recognises(path):
        other = [cls.name for cls in host.sinks().values() if cls.recognises(path)]
        if other:
            raise OtherPlanError(
                f"{path} was stored by the sink {other[0]!r}, not {plan.sink.name!r}. Choose another path, or that "
                f"sink."
            )
        return Work(plan, {}, tuple(share or range(plan.blocks)), exists=False, share=share)
    there = Dataset(type(sink).open(path), path)
    attributes, old = there.attributes, there.plan
    check_grows(path, attributes)
    if old.fingerprint != plan.fingerprint:
        raise OtherPlanError(
            f"{path} was made by a different plan (there -> asked for):\n{difference_lines(old, plan)}\n"
            f"{cure_of(old, plan, path)}"
        )
    if plan.patches < old.patches:
        raise OtherPlanError(
            f"{path} has {counted(old.patches, 'patch', 'patches')}, and {plan.patches:,} are asked for. "
            "A dataset cannot shrink."
        )
    plan = replace(plan, rounds=old.rounds).extended_to(plan.patches)
    done = {index: rows for index, rows in there.committed.items() if index < plan.blocks}
    todo = tuple(index for index in share or range(plan.blocks) if done.get(index) != plan.rows_of(index))
    return Work(plan, done, todo, exists=True, attributes=attributes, share=share)


def check_grows(path: Path, attributes: Mapping[str, Any]) -> None:
    """Raise :class:`OtherPlanError` for a dataset that no run can go on with: its rows are not those of its plan."""
    if "merged" in attributes:
        raise OtherPlanError(f"{path} was merged from other datasets. Extend those, then merge them again.")
    if through := attributes.get("stored_through"):
        names = ", ".join(one_line(sink["name"]) for sink in through)
        raise OtherPlanError(
            f"{path} was converted from a dataset whose audio was stored with loss ({names}), so new rows would "
            "not match. Extend the original, then convert it again."
        )


def run(
    resolved: Resolved,
    path: Path,
    *,
    workers: int = 0,
    host: Host | None = None,
    watcher: Watcher | None = None,
    executor: Executor[Any] | None = None,
    share: Share | None = None,
) -> Summary:
    """Make what is left of a dataset, or of a share of it, and return a summary.

    Runs of shares may make one dataset at the same time. Whichever finds it whole at its end completes it.

    The first Ctrl-C lets the blocks in flight finish; the second, SIGTERM or SIGHUP drops them. Either way the
    summary says that it was interrupted, and the same call goes on.

    A new dataset of a third party's synth begins with a check that its default patch sounds the same twice.

    Args:
        resolved: the plan and its assets.
        path: of the dataset.
        workers: processes; 0 for one a core, or as many as the executor has places.
        host: finds the plugins.
        watcher: hears what happens.
        executor: starts the workers; None for those of this machine. Nothing of the dataset depends on it.
        share: the blocks to make; None for all.

    Raises :class:`DatasetError` as :func:`survey` does, :class:`EngineError` if the synth breaks its promise at once,
    and :class:`RunError` if the run cannot go on.
    """
    host, watcher = host or Host.load(), watcher or Watcher()
    work = survey(resolved.plan, path, host, share)
    with staffed(executor or executor_of(None, host), workers, len(work.todo)) as staff:
        return _begun(resolved, work, path, host, watcher, staff)


def _begun(resolved: Resolved, work: Work, path: Path, host: Host, watcher: Watcher, staff: Staff) -> Summary:
    """Create or extend the dataset, make what is left of it, and return a summary."""
    if not work.exists:
        check_first_sound(resolved, host)
    plan = work.plan
    sink = host.sink_at(plan.sink.name, plan.sink.options, path)
    needed = needed_by(plan, sink, work.rows_todo)
    warn_of_room(path, needed.nbytes, needed.files or 0)
    started = time.monotonic()
    checkup = weaker([resolved.checkup, work.attributes.get("checkup") if work.done else None])
    attributes = {**work.attributes, **_attributes(plan, checkup, host)}
    sink.create(attributes, plan.schema, plan.rows, plan.block_rows)
    check_same_plan(path, type(sink).open(path).attributes, attributes)  # should a sink not have said so
    with joining(path) as presence, journal(path, plan, presence, Outlook(watcher, sink)) as watching:
        return _made(resolved, work, sink, host, watching, staff, started, presence)


def _made(
    resolved: Resolved,
    work: Work,
    sink: Sink[Any],
    host: Host,
    watcher: Watcher,
    staff: Staff,
    started: float,
    presence: Presence,
) -> Summary:
    """Make what is left of a dataset that has been created, and return a summary."""
    plan, path = work.plan, sink.path
    for content in resolved.contents.values():
        sink.add_asset(content)
    rows = plan.rows if work.share is None else sum(map(plan.rows_of, work.share))
    if work.share is not None:
        watcher.sharing(len(work.share), rows)
    watcher.started(plan, path, len(work.todo), rows - work.rows_todo)
    host.call("tonesmith_run_started", plan=plan, path=path, blocks=len(work.todo))
    going = _Run(work, sink, host, watcher, resolved.load_seconds)
    try:
        if work.todo:
            going.make(presence, staff)
    finally:
        with presence.turn():
            summary = _summary(going, work, time.monotonic() - started)
            if summary.complete or work.share is None:
                stored = seal(sink, whole=summary.complete)
                summary = replace(summary, nbytes=stored.nbytes, digest=stored.digest)  # with the card
        watcher.finished(summary)
        host.call("tonesmith_run_finished", plan=plan, path=path, summary=summary)
    return summary


class _Run:
    """A run while it goes: what it has counted, and whom it tells."""

    def __init__(self, work: Work, sink: Sink[Any], host: Host, watcher: Watcher, load_seconds: float) -> None:
        self.plan = work.plan
        self.load_seconds = load_seconds
        self.sink = sink
        self.candidates = 0
        self.rejections: Counter[str] = Counter()
        self.interrupts = 0
        self.rows_added = 0
        self._work = work
        self._host = host
        self._watcher = watcher

    def make(self, presence: Presence, staff: Staff) -> None:
        """Have workers make the blocks, until all are made or the run is interrupted."""
        claims = Claims(self.plan, self._work.todo, self.sink.committed, presence)
        crew = Crews(self.plan, claims, self._work.done, lambda: self._hired(claims, staff))
        stopping = False
        try:
            with heard_signals(self._interrupt):
                for event in crew.events():
                    self._watcher.tick()
                    if self.interrupts > 1:
                        self._watcher.dropping()
                        break
                    if self.interrupts and not stopping:
                        stopping = True
                        crew.stop()
                        self._watcher.stopping()
                    if event is not None:
                        self._hear(event)
        finally:
            crew.dismiss()

    def _hired(self, claims: Claims, staff: Staff) -> Crew:
        return Crew(self.plan, self.sink.path, staff, claims, heard=is_heard(), load_seconds=self.load_seconds)

    def _interrupt(self, drop: bool) -> None:
        self.interrupts += 2 if drop else 1

    def _hear(self, event: Event | Joined | Elsewhere | Waiting) -> None:
        match event:
            case Accepted(rows):
                self.candidates += 1
                self._watcher.accepted(rows)
            case Rejected(rejection):
                self.candidates += 1
                self.rejections[rejection.cause] += 1
                self._watcher.rejected(rejection)
                self._call("tonesmith_candidate_rejected", rejection=rejection)
            case Again(candidate, why):
                self._watcher.again(candidate.patch, candidate.attempt, why)
            case Fatal(rejection):
                self.sink.record_fault(rejection)
            case Dropped(rows, rejections):
                self.candidates -= rows // self.plan.per_patch + len(rejections)
                self.rejections -= Counter(rejection.cause for rejection in rejections)
                self._watcher.dropped(rows, rejections)
            case Committed(block, rows):
                self.rows_added += rows - self._work.done.get(block, 0)
                self._watcher.committed(block, rows)
                self._call("tonesmith_block_committed", block=block, rows=rows)
            case Joined() if self._work.share is None:  # who makes a share expects others
                self._watcher.joined()
            case Elsewhere(block, rows):
                self._watcher.elsewhere(block, rows)
            case Waiting(blocks):
                self._watcher.waiting(blocks)

    def _call(self, hook: str, **told: Any) -> None:
        self._host.call(hook, plan=self.plan, path=self.sink.path, **told)


def _summary(going: _Run, work: Work, seconds: float) -> Summary:
    """Return how a run ended, from a listing of the blocks. It has no digest and no size yet."""
    plan, sink = going.plan, going.sink
    stored = {index: rows for index, rows in type(sink).open(sink.path).committed().items() if index < plan.blocks}
    rows = sum(stored.values())
    return Summary(
        path=sink.path,
        rows=rows,
        rows_planned=plan.rows,
        rows_added=going.rows_added,
        patches=plan.patches,
        seconds=seconds,
        nbytes=0,
        rejections=dict(going.rejections),
        candidates=going.candidates,
        digest="",
        complete=rows == plan.rows,
        interrupted=going.interrupts > 0,
        share=_shared(plan, work.share, stored),
    )


def _shared(plan: Plan, share: Share | None, stored: Mapping[int, int]) -> Shared | None:
    if share is None:
        return None
    return Shared(
        blocks=str(share),
        rows=sum(stored.get(index, 0) for index in share),
        rows_planned=sum(map(plan.rows_of, share)),
        blocks_planned=plan.blocks,
        missing=plan.blocks - sum(rows == plan.rows_of(index) for index, rows in stored.items()),
    )


def _attributes(plan: Plan, checkup: Mapping[str, Any] | None, host: Host) -> dict[str, Any]:
    third = {f"{role} {name}": told for role, name in used_by(plan) if (told := host.third_party(role, name))}
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
        **({PLUGINS: third} if third else {}),
        **({"checkup": dict(checkup)} if checkup is not None else {}),
    }
