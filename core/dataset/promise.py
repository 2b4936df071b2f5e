"""What a plan promises of rows that are rendered again, and what was measured of its synth."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, get_args

from tonesmith.dataset.reader import Dataset
from tonesmith.pinning.start import HOLDABLE
from tonesmith.plan.promises import Determinism

MEANING: Mapping[str, str] = {
    "exact": "the same bits in any process",
    "exact-in-run": "the same bits within one process",
    "floor": "the same down to a noise floor",
    "none": "nothing",
}
"""What each level of determinism promises of a row that is rendered again."""

_LEVELS: tuple[Determinism, ...] = get_args(Determinism)


@dataclass(frozen=True, slots=True)
class Promise:
    """What a plan promises, and what the check on the first use of its synth measured.

    Attributes:
        promised: by the plan.
        measured: on first use; "" if the synth was not checked then.
        held: what was held still as that was measured; nothing if the synth does not ask for it.
    """

    promised: Determinism
    measured: str
    held: tuple[str, ...] = ()

    @property
    def level(self) -> Determinism:
        """What is known of rows that are rendered again: what was measured of this synth, else what is promised."""
        return level_of(self.measured, self.promised)

    def repeats(self, *, differing: bool) -> bool | None:
        """Return whether rows sound the same in any process, as far as is known; None if nobody promised or measured.

        Args:
            differing: whether a row has sounded different.
        """
        if differing or self.measured not in {"", "exact"}:
            return False
        return True if "exact" in {self.measured, self.promised} else None


def promise_of(dataset: Dataset) -> Promise:
    """Return the promise of a dataset's plan, and the weakest level that was measured of any synth in it."""
    checkups = [dataset.attributes.get("checkup"), *map(_checkup, _merged(dataset))]
    known = [checkup for checkup in checkups if isinstance(checkup, Mapping)]
    found = [str(checkup.get("determinism")) for checkup in known]
    return Promise(dataset.plan.determinism, max(found, key=_weakness, default=""), _held(known))


def weaker(checkups: Iterable[Any]) -> Mapping[str, Any] | None:
    """Return the checkup that found least, of those of machines that made rows of one dataset; None of none."""
    known = [checkup for checkup in checkups if isinstance(checkup, Mapping)]
    return max(known, key=lambda one: (_weakness(str(one.get("determinism"))), -len(_held([one]))), default=None)


def level_of(measured: object, promised: Determinism) -> Determinism:
    """Return what was measured, if it is a level, else what is promised."""
    return next((level for level in _LEVELS if level == measured), promised)


def _held(checkups: Sequence[Mapping[str, Any]]) -> tuple[str, ...]:
    """Return what was held still in all checkups."""
    told = [held if isinstance(held := checkup.get("held"), list | tuple) else () for checkup in checkups]
    return tuple(thing for thing in HOLDABLE if told and all(thing in one for one in told))


def _merged(dataset: Dataset) -> list[Any]:
    merged = dataset.attributes.get("merged", ())
    return list(merged) if isinstance(merged, list | tuple) else []


def _checkup(source: Any) -> Any:
    return source.get("checkup") if isinstance(source, Mapping) else None


def _weakness(level: str) -> int:
    return next((place for place, known in enumerate(_LEVELS) if known == level), len(_LEVELS))
