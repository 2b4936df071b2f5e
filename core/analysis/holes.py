"""The holes that rejections tear: ranges and choices of parameters whose candidates are mostly rejected."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tonesmith.analysis.candidates import Candidates, candidates_of
from tonesmith.dataset.reader import Dataset
from tonesmith.host.registry import Host
from tonesmith.space.parameter import Parameter
from tonesmith.terminal.text import one_line

CHANCE = 0.05
"""The chance that anything at all is found where rejections have nothing to do with parameters."""
MOSTLY = 0.5
"""The share from which candidates are mostly rejected."""
_FEWEST = 3
"""Rejections that a hole has at least."""
_MOST = 12
"""Holes for one cause."""
_STEPS = 16
"""Steps that a range is cut into at most."""
_FAULTS = {
    "crash": "crashed the engine",
    "timeout": "took too long",
    "memory": "took too much memory",
    "error": "failed in the engine",
    "shape": "were of the wrong shape",
}


@dataclass(frozen=True, slots=True)
class Hole:
    """A range, or a choice, of a parameter whose candidates are rejected more often than others.

    Attributes:
        parameter: its name.
        low, high: raw values of the range's ends, as ``[space.ranges]`` takes them; of a choice, its number twice.
        choice: its text, or "" for a range.
        unit: of what the synth shows.
        where: the range or the choice in words, such as "below 20" or "= off".
        candidates: that were drawn there.
        rejected: how many of them were rejected for this reason.
        base_share: the share of all candidates that was rejected for it.
        by: who rejects: a validator, "engine" or "worker".
        reason: why, as in :class:`tonesmith.Rejection`.
        chance: the probability of so many in that range if the parameter had nothing to do with it, times the number of
            ranges that were looked at.
    """

    parameter: str
    low: float
    high: float
    choice: str
    unit: str
    where: str
    candidates: int
    rejected: int
    base_share: float
    by: str
    reason: str
    chance: float

    @property
    def share(self) -> float:
        """The share of its candidates that was rejected for this reason."""
        return self.rejected / self.candidates

    @property
    def text(self) -> str:
        """The hole in a sentence, such as "filter_1_cutoff below 20: 9 of 11 rejected as silent"."""
        fault = _FAULTS.get(self.reason) if self.by in {"engine", "worker"} else None
        counts = f"{self.rejected:,} of {self.candidates:,}"
        return one_line(f"{self.parameter} {self.where}: {counts} {fault or f'rejected as {self.reason}'}", 200)

    def to_json(self) -> dict[str, Any]:
        """Return a JSON-serialisable form."""
        return {**asdict(self), "share": self.share, "text": self.text}


def holes(dataset: Dataset, host: Host | None = None, *, least: float = MOSTLY) -> tuple[Hole, ...]:
    """Return the holes of a dataset, the surest first. See :func:`holes_among`.

    ::

        for hole in holes(open_dataset("d.zarr")):
            print(hole.text)

    Args:
        dataset: with its reject ledger.
        host: finds the sampler, which draws again what validators rejected.
        least: share of the candidates of a range that is rejected at least.

    Raises :class:`DatasetError` if the ledger has not all labels, and the sampler is not here to draw them.
    """
    if not dataset.rejections or not len(dataset):
        return ()
    return holes_among(candidates_of(dataset, host), least=least)


def holes_among(candidates: Candidates, *, least: float = MOSTLY) -> tuple[Hole, ...]:
    """Return ranges and choices in which more candidates are rejected than chance explains, the surest first.

    Each range between two round numbers, and each choice, is compared with all candidates by Fisher's exact test, one
    for each cause of rejection. The chance is multiplied by the number of looks (Bonferroni), so that of 20 datasets
    whose rejections are blind to the parameters at most one shows a hole. What the surest explains is left aside when
    the next is looked for, so a parameter that only goes with another is not told.

    Args:
        candidates: accepted and rejected.
        least: share of a range's candidates that is rejected at least.
    """
    candidates = candidates.distinct
    counts = Counter(filter(None, candidates.causes))
    causes = [cause for cause, count in counts.items() if count >= _FEWEST]
    cuts = [_cut(p, candidates.values[:, i]) for i, p in enumerate(candidates.parameters) if len(candidates.causes)]
    looks = max(1, len(causes) * sum(len(cut.windows) for cut in cuts))
    found = [hole for cause in causes for hole in _holes_of(cuts, candidates.causes, cause, looks, least)]
    return tuple(sorted(found, key=lambda hole: (hole.chance, -hole.share, hole.parameter, hole.low)))


@dataclass(frozen=True, eq=False)
class _Cut:
    """A parameter cut into pieces.

    Attributes:
        parameter: which.
        edges: float64 (pieces + 1,), raw; of choices, their numbers less one half.
        pieces: int64 (candidates,), the piece that each candidate is in.
        windows: int64 (looks, 2), the first and the last piece of each range that is looked at.
    """

    parameter: Parameter
    edges: NDArray[np.float64]
    pieces: NDArray[np.int64]
    windows: NDArray[np.int64]


def _cut(parameter: Parameter, values: NDArray[np.float64]) -> _Cut:
    if parameter.kind == "categorical":
        edges = np.arange(parameter.count + 1, dtype=np.float64) + (parameter.low - 0.5)
        pieces = np.rint(values - parameter.low).astype(np.int64)
        present = np.unique(pieces)
        windows = np.column_stack([present, present]) if len(present) > 1 else np.zeros((0, 2), np.int64)
        return _Cut(parameter, edges, pieces, windows)
    edges = _round_edges(min(parameter.drawn[0], values.min()), max(parameter.drawn[1], values.max()))
    pieces = np.searchsorted(edges[1:-1], values, side="right")
    count = len(edges) - 1
    windows = np.array([(i, j) for i in range(count) for j in range(i, count) if j - i < count - 1], np.int64)
    return _Cut(parameter, edges, pieces, windows.reshape(-1, 2))


def _round_edges(low: float, high: float) -> NDArray[np.float64]:
    """Return the ends of a range, and the round numbers between them: float64 (at most 17,)."""
    least = (high - low) / _STEPS
    power = 10.0 ** math.floor(math.log10(least))
    step = next(factor * power for factor in (1, 2, 5, 10) if factor * power >= least * (1 - 1e-9))
    inner = np.arange(math.floor(low / step) + 1, math.ceil(high / step)) * step
    inner = inner[(inner > low + 1e-6 * step) & (inner < high - 1e-6 * step)]
    return np.array([low, *(float(f"{edge:.10g}") for edge in inner.tolist()), high])


def _holes_of(cuts: Sequence[_Cut], causes: Sequence[str], cause: str, looks: int, least: float) -> Iterator[Hole]:
    """Yield the ranges that are torn for one cause: the surest, then the surest among candidates outside it, and on."""
    hit = np.array([one == cause for one in causes])
    left = np.ones(len(hit), np.bool_)
    for _ in range(_MOST):
        surest = [(*_surest(cut, hit, left, looks, least), cut) for cut in cuts]
        chance, place, cut = min(surest, key=lambda one: one[0])
        if chance >= CHANCE:
            return
        first, last = cut.windows[place].tolist()
        inside = (cut.pieces >= first) & (cut.pieces <= last)
        yield _hole(cut, first, last, (int(inside.sum()), int(hit[inside].sum())), float(hit.mean()), cause, chance)
        left &= ~inside


def _surest(cut: _Cut, hit: NDArray[np.bool_], left: NDArray[np.bool_], looks: int, least: float) -> tuple[float, int]:
    """Return the chance of the surest range of a parameter among the candidates that are left, and its place."""
    among, hits = cut.pieces[left], hit[left]
    sums = [np.append(0, np.cumsum(np.bincount(of, minlength=len(cut.edges) - 1))) for of in (among, among[hits])]
    drawn, rejected = (counts[cut.windows[:, 1] + 1] - counts[cut.windows[:, 0]] for counts in sums)
    share = rejected / np.maximum(drawn, 1)
    likely = np.flatnonzero((rejected >= _FEWEST) & (share >= least) & (share * len(hits) > hits.sum()))
    if not len(likely):
        return 1.0, 0
    chances = looks * _tails(rejected[likely], drawn[likely], int(hits.sum()), len(hits), CHANCE / looks)
    best = np.lexsort((drawn[likely], chances))[0]
    return float(chances[best]), int(likely[best])


def _tails(
    rejected: NDArray[np.int64], drawn: NDArray[np.int64], hits: int, whole: int, enough: float
) -> NDArray[np.float64]:
    """Return the probability of at least so many hits among those drawn, of so many in the whole: float64 (looks,).

    Fisher's exact test, one-sided. Where the probability of exactly so many is not below ``enough``, it is that alone.
    """
    table = np.append(0.0, np.cumsum(np.log(np.arange(1, whole + 1))))

    def log_chance(k: Any, n: Any) -> Any:
        ways = table[hits] - table[k] - table[hits - k] + table[whole - hits] - table[n - k]
        return ways - table[whole - hits - n + k] - table[whole] + table[n] + table[whole - n]

    exactly = np.exp(log_chance(rejected, drawn))
    for place in np.flatnonzero(exactly < enough).tolist():
        n = int(drawn[place])
        exactly[place] = np.exp(log_chance(np.arange(rejected[place], min(n, hits) + 1), n)).sum()
    return np.asarray(exactly, np.float64)


def _hole(cut: _Cut, first: int, last: int, counts: tuple[int, int], base: float, cause: str, chance: float) -> Hole:
    parameter, choice = cut.parameter, ""
    low, high = float(cut.edges[first]), float(cut.edges[last + 1])
    if parameter.kind == "categorical":
        low = high = parameter.low + first
        choice = parameter.text(low)
        where = f"= {choice}"
    else:
        where = _where(parameter, low, high, starts=first == 0, ends=last == len(cut.edges) - 2)
    by, _, reason = cause.partition(": ")
    return Hole(parameter.name, low, high, choice, parameter.unit, where, *counts, base, by, reason, chance)


def _where(parameter: Parameter, low: float, high: float, *, starts: bool, ends: bool) -> str:
    """Return a range in words: raw, as a composition has it, and as the synth shows it where that differs."""
    if starts:
        return f"below {_told(parameter, high)}"
    return f"above {_told(parameter, low)}" if ends else f"from {_told(parameter, low)} to {_told(parameter, high)}"


def _told(parameter: Parameter, raw: float) -> str:
    shown = parameter.shown(raw)
    if math.isclose(shown, raw, rel_tol=1e-6, abs_tol=1e-12):
        return f"{raw:.4g} {parameter.unit}".rstrip()
    return f"{raw:.4g} ({shown:.4g} {parameter.unit}".rstrip() + ")"
