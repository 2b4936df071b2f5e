"""Renders of one backend in several orders, processes and isolations, and how far they lie apart."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tonesmith.engine.client import Engine
from tonesmith.engine.determinism import same_audio
from tonesmith.errors import TonesmithError
from tonesmith.plan.plan import Audio, PluginRef
from tonesmith.plan.promises import Isolation
from tonesmith.space.patch import Candidate, Note, Patch
from tonesmith.space.sampling import modulations_at, patch_at, uniform
from tonesmith.space.space import ParameterSpace

WATCHED = 200
"""Renders over which memory is watched."""
_WARM_UP = 40


@dataclass(frozen=True, slots=True)
class Subject:
    """A backend under trial: what an engine of it needs, and the note that it is asked to play.

    Attributes:
        contents: SHA-256 -> content of the assets that patches may name.
        load_seconds, render_seconds: how long it may take to load, and to play a patch.
    """

    reference: PluginRef
    audio: Audio
    note: Note
    contents: Mapping[str, bytes]
    load_seconds: float
    render_seconds: float

    def engine(self, isolation: Isolation) -> Engine:
        """Return an engine that is not loaded yet."""
        return Engine(self.reference, self.audio, 1, isolation, self.contents.__getitem__, self.load_seconds)


@dataclass(frozen=True, slots=True)
class Play:
    """A patch that was played: float32 (channels, frames); or None, and why not.

    Attributes:
        seconds: that it took.
        final: whether it is in vain to go on: it did not end in time, or no engine loads.
    """

    audio: NDArray[np.float32] | None
    failure: str = ""
    seconds: float = 0.0
    final: bool = False


def random_patches(space: ParameterSpace, count: int) -> list[Patch]:
    """Return patches drawn uniformly from what a space varies, as their labels decode: the same ones each time."""
    drawn = space.drawn
    made = []
    for index in range(count):
        unit = uniform(0, "doctor", index, 0, len(drawn.names))
        patch = patch_at(drawn, unit, "doctor", modulations_at(drawn, 0, Candidate(index, 0)))
        made.append(space.decode(space.encode(patch)))
    return made


def default_patch(space: ParameterSpace) -> Patch:
    """Return the patch of the default values, as its label decodes."""
    return space.decode(space.encode(Patch()))


def played(engine: Engine, subject: Subject, patch: Patch) -> Play:
    """Play a patch. Whatever goes wrong is told, not raised."""
    started = time.perf_counter()
    try:
        outcome = engine.play(patch, [subject.note], subject.render_seconds)[0]
    except TonesmithError as error:
        return Play(None, str(error), final=True)
    seconds = time.perf_counter() - started
    if outcome.failure:
        told = f"{outcome.failure} ({outcome.detail})" if outcome.detail else outcome.failure
        return Play(None, told, seconds, final=outcome.failure == "timeout")
    if outcome.shape != (subject.audio.channels, subject.audio.frames):
        return Play(None, f"a render of shape {outcome.shape}", seconds)
    return Play(engine.audio[0].copy(), "", seconds)


def session(subject: Subject, isolation: Isolation, patches: Iterable[Patch]) -> list[Play]:
    """Play patches in their order in a new process. After a final failure the others are not tried."""
    plays: list[Play] = []
    with subject.engine(isolation) as engine:
        for patch in patches:
            plays.append(plays[-1] if plays and plays[-1].final else played(engine, subject, patch))
    return plays


def apart(left: Play, right: Play) -> float | None:
    """Return the largest difference of two renders, of full scale; 0.0 only if they are equal, bit for bit.

    None if there is nothing to compare; infinite where one of them is not finite.
    """
    if left.audio is None or right.audio is None:
        return None
    if same_audio(left.audio, right.audio):
        return 0.0
    with np.errstate(invalid="ignore"):
        peak = float(np.max(np.abs(left.audio.astype(np.float64) - right.audio)))
    return max(peak, float(np.finfo(np.float32).tiny)) if np.isfinite(peak) else float("inf")


def worst(pairs: Iterable[tuple[Play, Play]]) -> float | None:
    """Return the largest difference of any pair; None if no pair can be compared."""
    found = [difference for pair in pairs if (difference := apart(*pair)) is not None]
    return max(found, default=None)


@dataclass(frozen=True, slots=True)
class Interleaved:
    """A process that played A, B, A for each pair of patches, and the last A once more.

    Attributes:
        plays: in their order.
    """

    plays: Sequence[Play]

    @classmethod
    def of(cls, subject: Subject, isolation: Isolation, patches: Sequence[Patch]) -> Interleaved:
        """Play it with an even number of patches."""
        order = [patch for a, b in zip(patches[::2], patches[1::2], strict=True) for patch in (a, b, a)]
        return cls(session(subject, isolation, [*order, order[-1]]))

    @property
    def leak(self) -> float | None:
        """How far A lies from itself with B between."""
        return worst(zip(self.plays[:-1:3], self.plays[2:-1:3], strict=True))

    @property
    def unsteadiness(self) -> float | None:
        """How far A lies from itself with nothing between."""
        return worst([(self.plays[-2], self.plays[-1])])

    @property
    def firsts(self) -> list[Play]:
        """The first render of each patch, in the order of the patches."""
        return [play for place, play in enumerate(self.plays[:-1]) if place % 3 < 2]

    def from_same(self, other: Interleaved) -> float | None:
        """How far it lies from another process that played the same."""
        return worst(zip(self.plays, other.plays, strict=True))

    def from_backwards(self, backwards: Sequence[Play]) -> float | None:
        """How far it lies from a process that played each patch once, the last one first."""
        return worst(zip(self.firsts, reversed(backwards), strict=True))


def growth(subject: Subject, patches: Sequence[Patch]) -> float | None:
    """Return the growth of an engine over :data:`WATCHED` renders, by a line through it after the warm-up."""
    sizes: list[float] = []
    with subject.engine("reuse") as engine:
        for number in range(_WARM_UP + WATCHED):
            process = engine.pid
            try:
                engine.play(patches[number % len(patches)], [subject.note], subject.render_seconds)
            except TonesmithError:
                return None
            if number and engine.pid != process:
                return None
            size = resident_size(engine.pid)
            if size is None:
                return None
            sizes.append(size)
    return float(np.polyfit(np.arange(WATCHED), sizes[_WARM_UP:], 1)[0]) * WATCHED


def resident_size(process: int) -> float | None:
    """Return the memory that a process holds, in 10**6 bytes; None where that is not told."""
    try:
        text = Path(f"/proc/{process}/status").read_text(encoding="ascii", errors="replace")
    except OSError:
        return None
    sizes = [line.split()[1] for line in text.splitlines() if line.startswith("VmRSS:")]
    return int(sizes[0]) * 1024 / 1e6 if sizes else None
