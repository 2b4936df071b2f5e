"""An audition as a whole: candidates heard one after the other, and what they came to."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tonesmith.analysis.audition.findings import Rate, Trouble, rate_of, troubles
from tonesmith.analysis.audition.listening import Entry, listened
from tonesmith.analysis.candidates import candidates_of_labels
from tonesmith.analysis.holes import Hole, holes_among
from tonesmith.host.registry import Host
from tonesmith.plan.plan import Plan
from tonesmith.run.ahead import Ahead, ahead_of
from tonesmith.run.audition import Audition, Tried, spread
from tonesmith.run.pipeline import Work
from tonesmith.run.resolve import Resolved
from tonesmith.space.label import Label

LEAST = 0.2
"""Share of a range's candidates that are rejected at least, for it to be named as a cause."""


@dataclass(frozen=True, eq=False)
class Auditioned:
    """What a few patches of a plan showed.

    Attributes:
        name: of the composition or the dataset.
        plan: of it.
        patches: that were tried.
        entries: their candidates, in order.
        rate: of rejection that a run is to expect.
        causes: by whom and why -> how many candidates were rejected.
        holes: ranges of parameters that are rejected more often than others.
        ahead: what the whole run takes.
        troubles: what is wrong, each with a suggestion.
        stops: patches whose every candidate was rejected: a run ends there.
    """

    name: str
    plan: Plan
    patches: tuple[int, ...]
    entries: tuple[Entry, ...]
    rate: Rate
    causes: dict[str, int]
    holes: tuple[Hole, ...]
    ahead: Ahead
    troubles: tuple[Trouble, ...]
    stops: tuple[int, ...] = ()

    @property
    def accepted(self) -> int:
        """Patches of which a candidate was accepted."""
        return sum(entry.rejection is None for entry in self.entries)

    def to_json(self) -> dict[str, Any]:
        """Return a JSON-serialisable form."""
        return {
            "path": self.name,
            "fingerprint": self.plan.fingerprint,
            "rows_planned": self.plan.rows,
            "patches": list(self.patches),
            "patches_accepted": self.accepted,
            "candidates": [entry.to_json() for entry in self.entries],
            "rejected": self.rate.to_json(),
            "rejections": self.causes,
            "holes": [hole.to_json() for hole in self.holes],
            "estimate": self.ahead.to_json(),
            "stops": list(self.stops),
            "troubles": [{"what": one.what, "suggestion": one.suggestion} for one in self.troubles],
        }


def auditioned(
    name: str,
    resolved: Resolved,
    host: Host,
    count: int,
    *,
    workers: int = 0,
    here: bool = True,
    kept: bool = False,
    heard: Callable[[Tried, Entry], object] | None = None,
) -> Auditioned:
    """Return what a few patches of a plan show. Nothing is stored.

    Args:
        name: of the composition or the dataset, for people.
        resolved: the plan and its assets.
        host: finds the plugins.
        count: patches to try.
        workers: processes that the run will have; 0 for one a core.
        here: whether the run makes its blocks on this machine.
        kept: whether to keep clips and pictures for a page.
        heard: told of each candidate as it is heard, or None.

    Raises :class:`EngineError` and :class:`RunError` as a run does.
    """
    plan, patches = resolved.plan, spread(resolved.plan, count)
    audition = Audition(resolved, host, patches)
    entries: list[Entry] = []
    labels: list[Label] = []
    for tried in audition:
        entries.append(listened(tried, plan.space, plan.audio.sample_rate, kept=kept))
        labels.append(tried.label)
        if heard is not None:
            heard(tried, entries[-1])
    torn = _torn(plan, labels, entries)
    work = Work(plan, {}, tuple(range(plan.blocks)), exists=False)
    ahead = ahead_of(work, Path("dataset"), host, workers, audition.trial, here=here)
    causes = Counter(entry.rejection.cause for entry in entries if entry.rejection)
    rate = rate_of(sum(causes.values()), len(entries))
    wrong = troubles(plan, entries, torn, audition.exhausted, ahead)
    counts, stops = dict(causes.most_common()), tuple(audition.exhausted)
    return Auditioned(name, plan, patches, tuple(entries), rate, counts, torn, ahead, wrong, stops)


def _torn(plan: Plan, labels: Sequence[Label], entries: Sequence[Entry]) -> tuple[Hole, ...]:
    causes = [entry.rejection.cause if entry.rejection else "" for entry in entries]
    return holes_among(candidates_of_labels(plan.space, labels, causes), least=LEAST)
