"""``tonesmith importance``: measure how much the sound changes when one parameter moves."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tonesmith.cli.options import Engines, Trust
from tonesmith.errors import ConfigError
from tonesmith.host.registry import Host
from tonesmith.terminal.messages import echo
from tonesmith.terminal.text import json_text

if TYPE_CHECKING:
    from tonesmith.analysis.importance import Estimate, Parts
    from tonesmith.analysis.sensitivity import Settings, Study
    from tonesmith.dataset.importance import Change, Importance

_SHOWN = 20


def importance(  # noqa: PLR0913, PLR0917 - Typer makes a flag of each
    target: Annotated[Path, typer.Argument(metavar="TARGET", help="A dataset, or a composition (.toml).")],
    bases: Annotated[
        int, typer.Option("--bases", min=1, help="Number of patches around which parameters are moved.")
    ] = 32,
    step: Annotated[
        float, typer.Option("--step", min=0.0, max=1.0, help="Size of a move, in units of the label (0 to 1).")
    ] = 0.1,
    pitch: Annotated[
        int | None,
        typer.Option("--pitch", min=0, max=127, help="MIDI pitch.", show_default="the plan's first"),
    ] = None,
    workers: Engines = 0,
    seed: Annotated[
        int | None,
        typer.Option("--seed", min=0, help="Random seed of the base patches.", show_default="the plan's"),
    ] = None,
    gated: Annotated[bool, typer.Option("--all", help="Also move parameters that the gates leave inaudible.")] = False,
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", metavar="FILE", help="File of the result.", show_default="TARGET.importance.json"),
    ] = None,
    trust: Trust = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print only the result, as JSON.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Hide the estimate and the progress.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print how long it would take, then stop.")] = False,
) -> None:
    """Measure how much the sound changes when one continuous parameter moves alone.

    Prints an estimate of the time before it starts. Run the same command again to resume.
    """
    from tonesmith.analysis.importance import Parts, estimate
    from tonesmith.analysis.sensitivity import Settings
    from tonesmith.dataset.importance import importance_path

    host = Host.load()
    study = _study(target, Settings(bases, step, pitch, seed, gated), host, trust=trust)
    path = out or importance_path(target)
    if path.is_dir() or not path.absolute().parent.is_dir():
        raise ConfigError(f"--out: cannot write {path}: it is a folder, or its folder does not exist")
    parts = Parts(study, path)
    if dry_run or not (quiet or as_json):
        ahead = estimate(study, parts, workers, host)
        if dry_run and as_json:
            told = {"path": str(target), "bases": len(study.bases), "parameters": len(study.plan.space.continuous)}
            echo(json_text({**told, **asdict(ahead)}))
        else:
            echo(_announced(study, parts, ahead), err=not dry_run)
    if not dry_run:
        found = _measured(study, parts, workers, host, hidden=quiet)
        if path == importance_path(target):
            _tell_sink(target, host)
        told = {"path": str(target), "out": str(path)}
        echo(json_text(told | found.model_dump(mode="json")) if as_json else "\n".join(_lines(found, path)))


def _tell_sink(target: Path, host: Host) -> None:
    """Let the sink of a dataset show the result beside its rows, if its format has a place for it."""
    from tonesmith.dataset.opening import open_dataset

    if target.suffix == ".toml" and not target.is_dir():
        return
    opened = open_dataset(target)
    if opened.complete:
        host.sink_at(opened.plan.sink.name, opened.plan.sink.options, target).finish()


def _study(target: Path, settings: Settings, host: Host, *, trust: bool) -> Study:
    """Return the measurement for a target. Raises :class:`ConfigError` if it is no dataset and no composition."""
    from tonesmith.analysis.sensitivity import study_of_dataset, study_of_plan
    from tonesmith.dataset.installed import installed
    from tonesmith.dataset.opening import open_dataset
    from tonesmith.host.composition import load_config
    from tonesmith.run.resolve import resolve_plan

    if target.suffix == ".toml" and not target.is_dir():
        return study_of_plan(resolve_plan(load_config(target, host=host), host), settings, host)
    if target.exists() and not any(sink.recognises(target) for sink in host.sinks().values()):
        raise ConfigError(f"{target} is neither a tonesmith dataset nor a composition (a .toml file)")
    dataset = installed(open_dataset(target), target, host, ("backend", "validator"))
    return study_of_dataset(dataset, settings, host, trust=trust)


def _measured(study: Study, parts: Parts, workers: int, host: Host, *, hidden: bool) -> Importance:
    from tonesmith.analysis.importance import measure_importance
    from tonesmith.terminal.progress import progress

    left = parts.left()
    try:
        with progress(f"measuring {parts.path.name}", "renders", hidden=hidden) as counter:
            counter.begin(study.renders(left))
            return measure_importance(study, parts.path, workers=workers, host=host, heard=counter.advance)
    except KeyboardInterrupt:
        kept = len(parts.records())
        echo(
            f"stopped: {kept} of {len(study.bases)} bases are kept. Run the same command to resume.",
            err=True,
        )
        raise typer.Exit(130) from None


def _announced(study: Study, parts: Parts, ahead: Estimate) -> str:
    from tonesmith.terminal.text import counted, rough

    if ahead.seconds is None:
        return f"all {counted(len(study.bases), 'base')} are already measured; there is nothing to render"
    done = len(parts.records())
    whole = f"{counted(len(study.bases), 'base')} x {counted(len(study.plan.space.continuous), 'parameter')}"
    known = f" ({done} done)" if done else ""
    return (
        f"{whole}{known}: about {ahead.renders:,} renders, {rough(ahead.seconds)} "
        f"with {counted(ahead.workers, 'worker')}"
    )


def _lines(found: Importance, path: Path) -> Iterable[str]:
    from tonesmith.terminal.table import table
    from tonesmith.terminal.text import counted

    ranked = sorted((p for p in found.parameters if p.changed), key=lambda p: -(p.log_mel.mean or 0.0))
    rows = [(p.name, *_cells(p.log_mel, 2), *_cells(p.stft, 3), f"{p.audible:.0%}") for p in ranked[:_SHOWN]]
    if rows:
        yield from table(("parameter", "log-mel dB", "+-", "MR-STFT", "+-", "audible"), rows)
    if len(ranked) > _SHOWN:
        yield f"and {len(ranked) - _SHOWN} more that change the sound less"
    yield from _listed("never audible, by the gates of these bases", found.never_audible)
    yield from _listed("audible, but never changed a sample", found.never_changed)
    yield from _listed("not measured", tuple(p.name for p in found.parameters if not p.bases))
    skipped = f"; {sum(found.skipped.values())} could not be used ({_counts(found.skipped)})" if found.skipped else ""
    yield f"measured around {counted(found.bases, 'base')}{skipped}"
    if found.failures:
        yield f"moves left out because they could not be rendered: {_counts(found.failures)}"
    yield f"written to {path}"


def _cells(change: Change, digits: int) -> tuple[str, str]:
    mean, error = ("--" if x is None else f"{x:.{digits}f}" for x in (change.mean, change.error))
    return mean, error


def _counts(reasons: Mapping[str, int]) -> str:
    return ", ".join(f"{reason} {count}" for reason, count in reasons.items())


def _listed(heading: str, names: tuple[str, ...]) -> Iterable[str]:
    if names:
        yield f"{heading} ({len(names)}):"
        yield from textwrap.wrap(", ".join(names), 80, initial_indent="  ", subsequent_indent="  ")
