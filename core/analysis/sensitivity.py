"""Base patches, each played again with one parameter moved, and what that changes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tonesmith.analysis.spectra import Spectra, log_mel_distance, multi_resolution_stft_distance, spectra_of
from tonesmith.dataset.importance import BaseRecord, Moved
from tonesmith.dataset.reader import Dataset
from tonesmith.errors import ConfigError
from tonesmith.host.registry import Host
from tonesmith.host.trust import check_trusted
from tonesmith.plan.plan import Plan
from tonesmith.run.produce import Workbench, drawn_label, sampler_of
from tonesmith.run.resolve import Resolved
from tonesmith.space.patch import Candidate, Note, Patch
from tonesmith.space.sampling import uniform
from tonesmith.space.space import Label, ParameterSpace

_SILENT = 1e-3
"""Peak below which a base is silent (-60 dBFS): moving a parameter of it tells nothing."""


@dataclass(frozen=True, slots=True)
class Settings:
    """How to measure.

    Attributes:
        bases: how many base patches.
        step: size of a move, in units of the label, whose range is 0..1.
        pitch: of the note that is played; None for that of the patch's first note in the plan.
        seed: chooses the bases; None for the plan's.
        gated: whether to move the parameters too that a base's gates leave inaudible.
    """

    bases: int = 32
    step: float = 0.1
    pitch: int | None = None
    seed: int | None = None
    gated: bool = False

    def __post_init__(self) -> None:
        if self.bases < 1:
            raise ConfigError(f"importance needs at least one base patch, not {self.bases}")
        if not 0.0 < self.step <= 1.0:
            raise ConfigError(f"a step of {self.step:g} is not between 0 and 1, the range of a label")
        if self.pitch is not None and not 0 <= self.pitch <= 127:
            raise ConfigError(f"pitch {self.pitch} is not between 0 and 127")


@dataclass(frozen=True, slots=True)
class Base:
    """A patch around which parameters are moved, and the note that plays it. ``patch_id`` is its index in the plan."""

    number: int
    patch_id: int
    note: Note
    patch: Patch


@dataclass(frozen=True, slots=True)
class Study:
    """A measurement that can be made.

    Attributes:
        plan: whose space and engine are used.
        asset: returns the content of an asset by its SHA-256.
        bases: in order.
        attempts: draws of a base, until one of them sounds.
        settings: how to measure.
    """

    plan: Plan
    asset: Callable[[str], bytes]
    bases: tuple[Base, ...]
    attempts: int
    settings: Settings

    def described(self) -> dict[str, Any]:
        """Return all that decides the result, as JSON."""
        return {
            "bases": len(self.bases),
            "step": self.settings.step,
            "pitch": self.settings.pitch,
            "gated": self.settings.gated,
            "seed": self.plan.seed if self.settings.seed is None else self.settings.seed,
            "plan": self.plan.fingerprint,
            "notes": self.plan.notes.to_json(),
            "patches": [base.patch_id for base in self.bases],
        }

    def renders(self, bases: Sequence[Base]) -> int:
        """Return how many renders the bases take, themselves included."""
        return sum(1 + sum(len(moves) for moves in self._moves(base.patch).values()) for base in bases)

    def _moves(self, patch: Patch) -> dict[str, list[tuple[Label, float]]]:
        return dict(moves_of(self.plan.space, patch, self.settings.step, gated=self.settings.gated))


def study_of_dataset(dataset: Dataset, settings: Settings, host: Host | None = None, *, trust: bool = False) -> Study:
    """Return a measurement around patches of a dataset, chosen at random and without replacement.

    Args:
        dataset: whose patches to measure.
        settings: how.
        host: finds the backend.
        trust: whether to load what the dataset's plan names though this user has not used it.

    Raises :class:`ConfigError` if the dataset has no rows, or varies no continuous parameter, and :class:`TrustError`
    if its plan names a plugin that this user does not know.
    """
    plan = _checked(dataset.plan)
    check_trusted(plan, host or Host.load(), trust=trust)
    if not len(dataset):
        raise ConfigError("the dataset has no rows yet, so there is no patch to start from")
    patches, first_rows = np.unique(dataset.column("patch"), return_index=True)
    seed = plan.seed if settings.seed is None else settings.seed
    bases = tuple(
        Base(number, int(patches[i]), _note(plan, int(patches[i]), settings), dataset.patch_of(int(first_rows[i])))
        for number, i in enumerate(_chosen(seed, len(patches), settings.bases))
    )
    return Study(plan, dataset.storage.asset, bases, 1, settings)


def study_of_plan(resolved: Resolved, settings: Settings, host: Host) -> Study:
    """Return a measurement around patches that the plan's sampler draws, chosen at random among those of the plan.

    A plan of fewer patches than there are to be bases is taken to have as many, if its sampler can draw them.
    Raises :class:`ConfigError` if the plan varies no continuous parameter.
    """
    seed = resolved.plan.seed if settings.seed is None else settings.seed
    plan, asset = replace(_checked(resolved.plan), seed=seed), resolved.contents.__getitem__
    limit = sampler_of(plan, host, asset).limit()
    count = settings.bases if limit is None else min(settings.bases, limit)
    plan = replace(plan, rounds=(max(plan.patches, count),))
    with Workbench(plan, host, asset) as bench:
        bases = tuple(
            Base(number, i, _note(plan, i, settings), drawn_label(bench, Candidate(i, 0))[1])
            for number, i in enumerate(_chosen(seed, plan.patches, count))
        )
    return Study(plan, asset, bases, plan.max_attempts, settings)


def _chosen(seed: int, among: int, count: int) -> list[int]:
    """Return ``count`` of the numbers below ``among``, or all if they are fewer: at random, ascending."""
    order = np.argsort(uniform(seed, "importance", 0, 0, among), kind="stable")
    return sorted(order[:count].tolist())


def _checked(plan: Plan) -> Plan:
    if not plan.space.continuous:
        raise ConfigError("the plan varies no continuous parameter, so there is nothing to move")
    return plan


def _note(plan: Plan, patch_id: int, settings: Settings) -> Note:
    note = plan.notes.of_patch(plan.seed, patch_id)[0]
    return note if settings.pitch is None else replace(note, pitch=settings.pitch)


def moves_of(
    space: ParameterSpace, patch: Patch, step: float, *, gated: bool
) -> Iterator[tuple[str, list[tuple[Label, float]]]]:
    """Yield each parameter that is moved, with the labels that it alone is moved to, and how far that is.

    Args:
        space: of the patch.
        patch: to move parameters of.
        step: in units of the label.
        gated: whether to move those too that the patch's gates leave inaudible.
    """
    label, audible = space.encode(patch), space.audible(patch)
    for i, parameter in enumerate(space.continuous):
        if not (gated or audible[i]):
            continue
        width = parameter.high - parameter.low
        low, high = ((end - parameter.low) / width for end in parameter.drawn)
        at = float(label.continuous[i])
        labels = [_with(label, i, target) for target in targets(at, step, low, high)]
        yield parameter.name, [(moved, abs(float(moved.continuous[i]) - at)) for moved in labels]


def targets(at: float, step: float, low: float, high: float) -> list[float]:
    """Return where a label is moved to: a step up and a step down, where that is in ``low..high``.

    At an end of the range one of the two is left: a move is never shortened, for a shorter one would change the
    sound less. Only a range with no room for a step either way is moved to its farther end.
    """
    low, high = min(low, at), max(high, at)  # a preset may lie outside of what samplers draw from
    inside = [target for target in (at + step, at - step) if low <= target <= high]
    return inside or [max((low, high), key=lambda end: abs(end - at))]


def _with(label: Label, index: int, target: float) -> Label:
    continuous = label.continuous.copy()
    continuous[index] = target
    return replace(label, continuous=continuous)


def record_of(bench: Workbench, study: Study, base: Base, played: Callable[[], object] = int) -> BaseRecord:
    """Return what is measured around a base: around its first draw that sounds.

    Args:
        bench: the plan's engine.
        study: the settings.
        base: to measure around.
        played: called before each render but those of draws that do not sound.
    """
    failure = ""
    for attempt in range(study.attempts):
        patch = drawn_label(bench, Candidate(base.patch_id, attempt))[1] if attempt else base.patch
        try:
            listener = Listener(bench, study, replace(base, patch=patch))
        except UnheardError as error:
            failure = failure or str(error)
            continue
        played()
        return _moved_record(listener, study, replace(base, patch=patch), attempt, played)
    return BaseRecord(number=base.number, patch=base.patch_id, failure=failure)


def _moved_record(
    listener: Listener, study: Study, base: Base, attempt: int, played: Callable[[], object]
) -> BaseRecord:
    space, settings = study.plan.space, study.settings
    audible = space.audible(base.patch)
    moved: dict[str, Moved] = {}
    skipped: dict[str, str] = {}
    for name, moves in moves_of(space, base.patch, settings.step, gated=settings.gated):
        try:
            found = [listener.moved(replace(base.patch, values=space.decode(to).values), played) for to, _ in moves]
        except UnheardError as error:
            skipped[name] = str(error)
            continue
        log_mel, stft, peak = np.array(found, np.float64).T
        moved[name] = Moved(
            log_mel=float(log_mel.mean()),
            stft=float(stft.mean()),
            peak=float(peak.max()),
            step=float(np.mean([step for _, step in moves])),
            moves=len(moves),
        )
    gated = tuple(p.name for p, is_audible in zip(space.continuous, audible, strict=False) if not is_audible)
    return BaseRecord(
        number=base.number, patch=base.patch_id, attempt=attempt, gated=gated, moved=moved, skipped=skipped
    )


class UnheardError(Exception):
    """A patch could not be rendered, or is silent; says why in a word."""


class Listener:
    """Hears how far moved patches are from a base. Raises :class:`UnheardError` for a base that does not sound."""

    def __init__(self, bench: Workbench, study: Study, base: Base) -> None:
        self._bench = bench
        self._plan = study.plan
        self._note = base.note
        self._audio = self._played(base.patch).copy()
        if np.max(np.abs(self._audio), initial=0.0) < _SILENT:
            raise UnheardError("silent")
        self._spectra = self._spectra_of(self._audio)

    def moved(self, patch: Patch, played: Callable[[], object]) -> tuple[float, float, float]:
        """Return the distance of a patch from the base: log-mel in dB, multi-resolution, and of any sample."""
        played()
        audio = self._played(patch)
        peak = float(np.max(np.abs(audio.astype(np.float64) - self._audio), initial=0.0))
        if not peak:
            return 0.0, 0.0, 0.0
        spectra = self._spectra_of(audio)
        return log_mel_distance(self._spectra, spectra), multi_resolution_stft_distance(self._spectra, spectra), peak

    def _played(self, patch: Patch) -> NDArray[np.float32]:
        """Return the audio of a patch, valid until the next is played."""
        outcome = self._bench.engine.play(patch, [self._note], self._plan.timeout)[0]
        if outcome.failure:
            raise UnheardError(outcome.failure)
        if outcome.shape != (self._plan.audio.channels, self._plan.audio.frames):
            raise UnheardError("shape")
        audio: NDArray[np.float32] = self._bench.engine.audio[0]
        if not np.isfinite(audio).all():
            raise UnheardError("not finite")
        return audio

    def _spectra_of(self, audio: NDArray[np.float32]) -> Spectra:
        with np.errstate(over="ignore", invalid="ignore"):
            spectra = spectra_of(audio, self._plan.audio.sample_rate)
        if not np.isfinite([*spectra.norms, spectra.log_mel.max()]).all():
            raise UnheardError("not finite")  # a synth far above full scale, whose square is beyond float32
        return spectra
