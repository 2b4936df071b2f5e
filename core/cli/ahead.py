"""What ``tonesmith generate`` says and asks before it starts."""

from __future__ import annotations

import json
import sys
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from tonesmith.errors import ConfigError
from tonesmith.terminal.messages import say
from tonesmith.terminal.text import counted, rough, size

if TYPE_CHECKING:
    from tonesmith.host.config import Config
    from tonesmith.host.registry import Host
    from tonesmith.plan.plan import Plan
    from tonesmith.plan.share import Share
    from tonesmith.run.ahead import Ahead
    from tonesmith.run.pipeline import Work
    from tonesmith.run.resolve import Resolved


def plan_lines(work: Work, out: Path | None, workers: int | str, determinism: str) -> list[str]:
    """Return a plan and the work that is left of it, for ``--dry-run``.

    Args:
        work: what is left.
        out: path of the dataset; None if it is not known.
        workers: processes, or a phrase that says how many.
        determinism: what is known of rows that are rendered again.
    """
    from tonesmith.terminal.memory import memory_text

    plan = work.plan
    audio = plan.audio
    frames = audio.channels * audio.frames
    space = plan.space
    varied = f"{len(space.continuous)} continuous, {len(space.categorical)} categorical, {len(space.fixed)} fixed"
    varied += f", {len(space.held)} varied only by presets" if space.held else ""
    state = "continue" if work.exists else "make"
    limits = f"{plan.timeout:g} s" + (f" and {memory_text(plan.memory)}" if plan.memory else "")
    patches, per_block = (counted(number, "patch", "patches") for number in (plan.patches, plan.block))
    channels = counted(audio.channels, "channel")
    played = "phrase" if plan.phrases else "note"
    return [
        f"plan {plan.fingerprint}",
        f"  backend     {_written(plan.backend.name, plan.backend.options)}",
        f"  renders     isolation {plan.isolation}, determinism {determinism}, at most {limits} each",
        f"  space       {varied}",
        f"  sampler     {_written(plan.sampler.name, plan.sampler.options)}, seed {plan.seed}",
        *([f"  presets     {len(plan.presets)}"] if plan.presets else []),
        *_played(plan),
        f"  audio       {audio.sample_rate} Hz, {channels}, {counted(audio.frames, 'frame')} per row",
        *(f"  validator   {_written(v.name, v.options)}" for v in plan.validators),
        *(f"  feature     {_written(f.name, f.options)}" for f in plan.features),
        f"  sink        {_written(plan.sink.name, plan.sink.options)}",
        f"work: {state} {out or 'a dataset'}",
        f"  rows        {work.rows_todo:,} of {plan.rows:,} ({patches} x {counted(plan.per_patch, played)})",
        f"  blocks      {len(work.todo):,} of {plan.blocks:,}, {per_block} each; workers: {workers}",
        f"  audio       {size(4 * frames * work.rows_todo)} as float32, before compression",
    ]


def _played(plan: Plan) -> list[str]:
    """Return the lines that tell what plays each patch."""
    if plan.phrases:
        return textwrap.wrap(f"  phrases     {plan.phrases.told}", 80, subsequent_indent=" " * 14)
    notes = plan.notes
    played = f"{notes.draw} drawn per patch from" if notes.draw else "each of"
    hold = "{}..{}".format(*notes.hold) if isinstance(notes.hold, tuple) else notes.hold
    return [
        f"  notes       {played} pitches {_listed(notes.pitches)}, with velocities {_listed(notes.velocities)}",
        f"              hold {hold} s, tail {notes.tail} s",
    ]


def ahead_lines(ahead: Ahead) -> Iterator[str]:
    """Yield what a run will take, for ``--dry-run``."""
    files = f" in {counted(ahead.needed.files, 'file')}" if ahead.needed.files else ""
    yield f"  size        about {size(ahead.needed.nbytes)}{files}"
    if ahead.free is not None:
        more = f", and room for {counted(ahead.free.files, 'file')}" if ahead.free.files is not None else ""
        yield f"  disk        {size(ahead.free.nbytes)} free{more}"
    if ahead.seconds:
        yield f"  time        about {rough(ahead.seconds)}, by the first patches"


def is_here(config: Config) -> bool:
    """Return whether the run makes its blocks on this machine, whose cores and speed are known."""
    from tonesmith.host.config import DEFAULT_NAMES

    return config.executor.name == DEFAULT_NAMES["executor"]


def check_size(
    resolved: Resolved, path: Path, host: Host, workers: int, share: Share | None, *, here: bool, yes: bool
) -> None:
    """Ask whether to start a run that is larger than its disk, very large or long; refuse it where nobody can be asked.

    Args:
        resolved: the plan and its assets.
        path: of the dataset.
        host: finds the plugins.
        workers: processes; 0 for one a core.
        share: the blocks to make; None for all.
        here: whether it makes its blocks on this machine, whose speed is known.
        yes: whether the answer is known.

    Raises :class:`ConfigError` where nobody can be asked.
    """
    from tonesmith.run.ahead import look_ahead_quickly
    from tonesmith.run.pipeline import survey

    if yes:
        return
    work = survey(resolved.plan, path, host, share)
    why = list(look_ahead_quickly(resolved, work, path, host, workers, here=here).objections())
    if not why:
        return
    told = f"{path}: {'; '.join(why)}."
    if not _can_ask():
        raise ConfigError(f"{told} Nothing was written. Add --yes to start it all the same.")
    if not typer.confirm(f"{told} Start it?", err=True):
        say("nothing was written.")
        raise typer.Exit(130)


def _can_ask() -> bool:
    return sys.stdin is not None and sys.stdin.isatty() and sys.stderr.isatty()


def _written(name: str, options: Mapping[str, Any]) -> str:
    written = ", ".join(f"{key} = {json.dumps(value)}" for key, value in options.items() if value is not None)
    return f"{name} ({written})" if written else name


def _listed(values: Sequence[int]) -> str:
    return ", ".join(map(str, values))
