"""The heart: ``produce_block`` makes the rows of a block from the plan and the block's index, and nothing else."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from tonesmith.engine.client import LOAD_SECONDS, Engine
from tonesmith.engine.fault import caused
from tonesmith.engine.outcome import Outcome
from tonesmith.engine.summing import slots_for
from tonesmith.errors import RunError, SpaceError
from tonesmith.host.computing import Computer
from tonesmith.host.registry import Host
from tonesmith.host.roles import Sampler, Validator
from tonesmith.plan.block import Block, row_digests
from tonesmith.plan.plan import Plan
from tonesmith.plan.rejected_label import label_json
from tonesmith.plan.rejection import Rejection
from tonesmith.plan.render import Render
from tonesmith.plan.rows import RowContent, pack_rows
from tonesmith.run.exhausted import exhausted
from tonesmith.run.phrasebook import Phrasebook
from tonesmith.run.verdicts import check_verdict
from tonesmith.score.phrase import Phrase
from tonesmith.space.patch import Candidate, Note, Patch
from tonesmith.space.preset import PresetPatches, told_presets
from tonesmith.space.space import Label


class Watch:
    """Hears of each candidate of a block, in the process that produces it. This one does nothing with it."""

    def trying(self, candidate: Candidate) -> None:
        """A candidate is about to be rendered."""

    def again(self, candidate: Candidate, outcome: Outcome) -> None:
        """A candidate failed in a way that may not be its own doing, and is rendered once more."""

    def accepted(self, candidate: Candidate, rows: int) -> None:
        """A candidate's rows were accepted."""

    def rejected(self, rejection: Rejection) -> None:
        """A candidate was rejected."""


class Workbench:
    """The plugins of a plan, rebuilt from their names and options, and an engine to play on.

    Args:
        plan: what to produce.
        host: finds the plugins.
        asset: returns the content of an asset by its SHA-256.
        stored: returns audio as the sink will read it back.
        load_seconds: how long the engine may take to load.
    """

    def __init__(
        self,
        plan: Plan,
        host: Host,
        asset: Callable[[str], bytes],
        stored: Callable[[NDArray[Any]], NDArray[Any]] = lambda audio: audio,
        load_seconds: float = LOAD_SECONDS,
    ) -> None:
        self.plan = plan
        self.stored = stored
        self._host = host
        self._asset = asset
        self.engine = Engine(
            plan.backend,
            plan.audio,
            slots_for(plan.backend, plan.audio, plan.per_patch) if plan.phrases else plan.per_patch,
            plan.isolation,
            asset,
            load_seconds,
            memory=plan.memory,
        )

    @cached_property
    def sampler(self) -> Sampler[Any]:
        """The sampler. A merged dataset has none: what draws is wanted only where something is drawn."""
        return sampler_of(self.plan, self._host, self._asset)

    @cached_property
    def phrasebook(self) -> Phrasebook:
        """What plays the patches of a plan of scores."""
        return Phrasebook(self.plan, self._host, self._asset)

    def plays(self, patch: int) -> tuple[Note | Phrase, ...]:
        """Return what plays a patch: a note or a phrase for each of its rows."""
        if self.plan.phrases:
            return tuple(one.phrase for one in self.phrasebook.of_patch(patch))
        return self.plan.notes.of_patch(self.plan.seed, patch)

    @cached_property
    def validators(self) -> list[Validator[Any]]:
        """The validators."""
        found = [(self._host.find("validator", ref.name), ref.options) for ref in self.plan.validators]
        return [cls(cls.Options.model_validate(options)) for cls, options in found]

    @cached_property
    def features(self) -> Computer:
        """The features."""
        return Computer(self.plan.features, self.plan.audio, self._host)

    def reseed(self, seed: int) -> None:
        """Go on with the same plan under another seed, on the same engine."""
        if seed != self.plan.seed:
            self.plan = replace(self.plan, seed=seed)
            self.__dict__.pop("sampler", None)
            self.__dict__.pop("phrasebook", None)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.engine.close()


def sampler_of(plan: Plan, host: Host, asset: Callable[[str], bytes]) -> Sampler[Any]:
    """Return the sampler of a plan. It draws from what the plan varies of itself, and from its presets.

    Args:
        plan: whose sampler it is.
        host: finds it.
        asset: returns the content of an asset by its SHA-256.
    """
    cls = host.find("sampler", plan.sampler.name)
    options = cls.Options.model_validate(plan.sampler.options)
    return cls(options, plan.space.drawn, plan.seed, plan.rounds, PresetPatches(plan.presets, asset))


class _RejectedError(Exception):
    """A candidate was rejected; carries the ledger's entry."""

    def __init__(self, rejection: Rejection, trace: str = "") -> None:
        super().__init__(rejection.reason)
        self.rejection = rejection
        self.trace = trace


def produce_block(bench: Workbench, index: int, faults: Sequence[Rejection] = (), watch: Watch | None = None) -> Block:
    """Return the rows of block ``index``: a pure function of the bench's plan and the index.

    Args:
        bench: the plan's plugins and engine.
        index: of the block.
        faults: crashes and timeouts on record. Their candidates are not tried again, so that a run which
            was interrupted ends with the rows of one that was not.
        watch: hears of each candidate.

    Raises :class:`RunError` when a patch was rejected ``max_attempts`` times.
    """
    plan, watch = bench.plan, watch or Watch()
    known = {(fault.patch, fault.attempt): fault for fault in faults}
    rows: list[RowContent] = []
    rejections: list[Rejection] = []
    audio = np.empty((plan.rows_of(index), plan.audio.channels, plan.audio.frames), np.float32)
    for patch_id in plan.patches_of(index):
        place = audio[len(rows) : len(rows) + plan.per_patch]
        rows += _rows_of_patch(bench, patch_id, place, known, rejections, watch)
    columns = pack_rows(plan, rows, audio)
    columns |= bench.features.columns(columns)
    first_row = index * plan.block_rows
    digests = row_digests(plan.schema, columns)
    return Block(index, first_row, columns, digests, tuple(rejections), plan.fingerprint, _composed(plan, rows))


def _composed(plan: Plan, rows: Sequence[RowContent]) -> dict[str, bytes]:
    """Return the scores that were composed for rows, by SHA-256: those of a list are kept since the plan was made."""
    if plan.phrases is None or plan.phrases.scores:
        return {}
    scores = [row.played.phrase.score for row in rows if row.played]
    return {score.digest: score.content for score in scores}


def _rows_of_patch(
    bench: Workbench,
    patch_id: int,
    place: NDArray[np.float32],
    known: Mapping[tuple[int, int], Rejection],
    rejections: list[Rejection],
    watch: Watch,
) -> list[RowContent]:
    """Return the rows of the first candidate that is accepted; those before it are added to ``rejections``.

    Their audio lies in ``place``, float32 (notes, channels, frames): copied once, out of the engine's memory.
    """
    trace = ""
    for attempt in range(bench.plan.max_attempts):
        candidate = Candidate(patch_id, attempt)
        try:
            rows = _tried(bench, candidate, place, known.get((patch_id, attempt)), watch)
        except _RejectedError as rejected:
            rejections.append(rejected.rejection)
            trace = rejected.trace or trace
            watch.rejected(rejected.rejection)
        else:
            watch.accepted(candidate, len(rows))
            return rows
    own = [rejection for rejection in rejections if rejection.patch == patch_id]
    raise caused(RunError(exhausted(bench.plan, patch_id, own, _presets_of(bench, own[-1]))), trace)


def _presets_of(bench: Workbench, rejection: Rejection) -> str:
    """Return which presets a rejected candidate was made of, in words, or "". One that ends workers is left alone."""
    if not bench.plan.presets or rejection.by == "worker":
        return ""
    return told_presets(bench.sampler.draw(Candidate(rejection.patch, rejection.attempt)), bench.plan.presets)


def _tried(
    bench: Workbench, candidate: Candidate, place: NDArray[np.float32], known: Rejection | None, watch: Watch
) -> list[RowContent]:
    if known is not None:
        raise _RejectedError(known)
    watch.trying(candidate)
    drawn = drawn_label(bench, candidate)
    try:
        return _accepted_rows(bench, candidate, drawn, place, watch)
    except _RejectedError as rejected:
        if rejected.rejection.by == "engine":
            rejected.rejection = replace(rejected.rejection, label=label_json(*drawn))
        raise


def verdict_of(
    bench: Workbench, candidate: Candidate, drawn: tuple[Label, Patch], watch: Watch
) -> tuple[Rejection | None, NDArray[np.float32]]:
    """Return why a candidate is rejected, or None, and its audio: float32 (notes, channels, frames), NaN if unheard.

    Args:
        bench: the plan's plugins and engine.
        candidate: which one.
        drawn: its label, and the patch that decodes from it.
        watch: hears if it is rendered again.
    """
    tried = heard(bench, candidate, drawn, watch)
    return tried.rejection, tried.audio


@dataclass(frozen=True, eq=False)
class Heard:
    """A candidate that was rendered and judged.

    Attributes:
        rejection: why it is rejected, or None.
        rows: its rows, one a note; none if it is rejected.
        audio: float32 (notes, channels, frames), NaN where nothing was heard.
    """

    rejection: Rejection | None
    rows: Sequence[RowContent]
    audio: NDArray[np.float32]


def heard(bench: Workbench, candidate: Candidate, drawn: tuple[Label, Patch], watch: Watch) -> Heard:
    """Return what became of a candidate. Arguments as for :func:`verdict_of`."""
    audio = bench.plan.audio
    place = np.full((bench.plan.per_patch, audio.channels, audio.frames), np.nan, np.float32)
    try:
        return Heard(None, _accepted_rows(bench, candidate, drawn, place, watch), place)
    except _RejectedError as rejected:
        return Heard(rejected.rejection, (), place)


def drawn_label(bench: Workbench, candidate: Candidate) -> tuple[Label, Patch]:
    """Return a candidate's label, and the patch that decodes from it: what is rendered."""
    drawn = bench.sampler.draw(candidate)
    label = bench.plan.space.encode(drawn)
    return label, bench.plan.space.decode(label, drawn.origin, drawn.preset, drawn.mate)


def _accepted_rows(
    bench: Workbench, candidate: Candidate, drawn: tuple[Label, Patch], place: NDArray[np.float32], watch: Watch
) -> list[RowContent]:
    """Return the rows of a candidate, one a note or phrase. Raises :class:`_RejectedError` if any is rejected."""
    plan = bench.plan
    label, patch = drawn
    played = bench.phrasebook.of_patch(candidate.patch) if plan.phrases else ()
    notes = tuple(one.phrase for one in played) or bench.plays(candidate.patch)

    def relabelled(held: Mapping[str, float]) -> Patch:
        nonlocal label, patch
        label, patch = _held_label(bench, candidate, patch, held)
        return patch

    outcomes = bench.engine.play(patch, notes, plan.timeout, partial(watch.again, candidate), relabelled)
    rows: list[RowContent] = []
    for note, outcome, heard, audio in zip(notes, outcomes, bench.engine.audio, place, strict=False):
        if outcome.failure:
            raise _RejectedError(_fault(candidate, outcome), outcome.trace)
        if outcome.shape != (form := (plan.audio.channels, plan.audio.frames)):
            told = f"render returned {outcome.shape}; in this plan it must be {form}"
            raise _RejectedError(Rejection(candidate.patch, candidate.attempt, "engine", "shape", told, note.pitch))
        audio[:] = bench.stored(heard)
        measured = _measured(bench, candidate, Render(audio, plan.audio.sample_rate, patch, note, *outcome.shape))
        of = played[len(rows)] if played else None
        rows.append(RowContent(audio, label, patch, note, candidate.patch, candidate.attempt, measured, of))
    return rows


def _held_label(bench: Workbench, candidate: Candidate, patch: Patch, held: Mapping[str, float]) -> tuple[Label, Patch]:
    """Return the label of what the engine holds, and the patch that decodes from it.

    Raises :class:`_RejectedError` if the space fixes one of these parameters: its rows would not be of this plan.
    """
    try:
        label = bench.plan.space.encode(replace(patch, values={**patch.values, **held}))
    except SpaceError:
        fixed = sorted(bench.plan.space.fixed.keys() & held.keys()) or sorted(held)
        told = ", ".join(f"{name} (set to {patch.values[name]:.4g}, the synth has {held[name]:.4g})" for name in fixed)
        raise _RejectedError(
            Rejection(candidate.patch, candidate.attempt, "engine", "error", f"did not arrive: {told}")
        ) from None
    return label, bench.plan.space.decode(label, patch.origin, patch.preset, patch.mate)


def _measured(bench: Workbench, candidate: Candidate, render: Render) -> Mapping[str, float]:
    """Return what all validators measured. Raises :class:`_RejectedError` with the first reason of any."""
    measured: dict[str, float] = {}
    rejection: Rejection | None = None
    for validator in bench.validators:
        verdict = validator.check(render)
        check_verdict(validator, verdict)
        measured.update(verdict.measured)
        if verdict.reason and rejection is None:
            rejection = Rejection(
                candidate.patch, candidate.attempt, validator.name, verdict.reason, pitch=render.note.pitch
            )
    if rejection is not None:
        finite = {name: float(value) for name, value in measured.items() if math.isfinite(value)}
        raise _RejectedError(replace(rejection, measured=finite))
    return measured


def _fault(candidate: Candidate, outcome: Outcome) -> Rejection:
    return Rejection(candidate.patch, candidate.attempt, "engine", outcome.failure, outcome.detail, outcome.pitch)
