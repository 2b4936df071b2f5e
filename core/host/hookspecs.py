"""Every hook of tonesmith. A plugin module implements some of them, marked with ``@hookimpl``.

::

    from tonesmith import hookimpl

    @hookimpl
    def tonesmith_backends():
        return [MySynth]
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import pluggy

if TYPE_CHECKING:
    from pathlib import Path

    import typer

    from tonesmith.host.roles import (
        Annotator,
        Augmenter,
        Backend,
        Composer,
        Executor,
        Feature,
        Importer,
        Model,
        Reader,
        Sampler,
        Sink,
        Validator,
    )
    from tonesmith.plan.plan import Plan
    from tonesmith.plan.rejection import Rejection
    from tonesmith.plan.summary import Summary

hookspec = pluggy.HookspecMarker("tonesmith")
hookimpl = pluggy.HookimplMarker("tonesmith")


@hookspec
def tonesmith_backends() -> Iterable[type[Backend[Any]]]:  # type: ignore[empty-body]
    """Return synth backends: subclasses of :class:`tonesmith.Backend`."""


@hookspec
def tonesmith_samplers() -> Iterable[type[Sampler[Any]]]:  # type: ignore[empty-body]
    """Return samplers: subclasses of :class:`tonesmith.Sampler`."""


@hookspec
def tonesmith_validators() -> Iterable[type[Validator[Any]]]:  # type: ignore[empty-body]
    """Return validators: subclasses of :class:`tonesmith.Validator`."""


@hookspec
def tonesmith_features() -> Iterable[type[Feature[Any]]]:  # type: ignore[empty-body]
    """Return features: subclasses of :class:`tonesmith.Feature`."""


@hookspec
def tonesmith_composers() -> Iterable[type[Composer[Any]]]:  # type: ignore[empty-body]
    """Return composers, which draw scores: subclasses of :class:`tonesmith.Composer`."""


@hookspec
def tonesmith_models() -> Iterable[type[Model[Any]]]:  # type: ignore[empty-body]
    """Return models of sounds for the explorer: subclasses of :class:`tonesmith.Model`."""


@hookspec
def tonesmith_sinks() -> Iterable[type[Sink[Any]]]:  # type: ignore[empty-body]
    """Return storage sinks: subclasses of :class:`tonesmith.Sink`."""


@hookspec
def tonesmith_executors() -> Iterable[type[Executor[Any]]]:  # type: ignore[empty-body]
    """Return executors, which start workers: subclasses of :class:`tonesmith.Executor`."""


@hookspec
def tonesmith_importers() -> Iterable[type[Importer[Any]]]:  # type: ignore[empty-body]
    """Return importers, which find what goes into a corpus: subclasses of :class:`tonesmith.Importer`."""


@hookspec
def tonesmith_annotators() -> Iterable[type[Annotator[Any]]]:  # type: ignore[empty-body]
    """Return annotators, which say things of the items of a corpus: subclasses of :class:`tonesmith.Annotator`."""


@hookspec
def tonesmith_augmenters() -> Iterable[type[Augmenter[Any]]]:  # type: ignore[empty-body]
    """Return augmenters, which make variants of the items of a corpus: subclasses of :class:`tonesmith.Augmenter`."""


@hookspec
def tonesmith_readers() -> Iterable[type[Reader[Any]]]:  # type: ignore[empty-body]
    """Return readers, which open as a dataset what is none: subclasses of :class:`tonesmith.host.roles.Reader`."""


@hookspec
def tonesmith_commands(app: typer.Typer) -> None:
    """Add subcommands of your own to the command line."""


@hookspec
def tonesmith_run_started(plan: Plan, path: Path, blocks: int) -> None:
    """A run begins, with ``blocks`` blocks to make. Called in the parent process, like the hooks below."""


@hookspec
def tonesmith_block_committed(plan: Plan, path: Path, block: int, rows: int) -> None:
    """A block with ``rows`` rows is safely stored."""


@hookspec
def tonesmith_candidate_rejected(plan: Plan, path: Path, rejection: Rejection) -> None:
    """A candidate was rejected and will be drawn again."""


@hookspec
def tonesmith_run_finished(plan: Plan, path: Path, summary: Summary) -> None:
    """The run ended, complete or not."""
