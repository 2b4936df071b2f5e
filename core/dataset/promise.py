"""What a plan promises of rows that are rendered again, and what was measured of its synth."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tonesmith.dataset.reader import Dataset
from tonesmith.plan.promises import Determinism

MEANING: Mapping[str, str] = {
    "exact": "the same bits in any process",
    "exact-in-run": "the same bits within one process",
    "floor": "the same down to a noise floor",
    "none": "nothing",
}
"""What each level of determinism promises of a row that is rendered again."""

_LEVELS = tuple(MEANING)


@dataclass(frozen=True, slots=True)
class Promise:
    """What a plan promises, and what the check on the first use of its synth measured.

    Attributes:
        promised: by the plan.
        measured: on first use; "" if the synth was not checked then.
    """

    promised: Determinism
    measured: str

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
    found = [str(checkup.get("determinism")) for checkup in checkups if isinstance(checkup, Mapping)]
    return Promise(dataset.plan.determinism, max(found, key=_weakness, default=""))


def _merged(dataset: Dataset) -> list[Any]:
    merged = dataset.attributes.get("merged", ())
    return list(merged) if isinstance(merged, list | tuple) else []


def _checkup(source: Any) -> Any:
    return source.get("checkup") if isinstance(source, Mapping) else None


def _weakness(level: str) -> int:
    return _LEVELS.index(level) if level in _LEVELS else len(_LEVELS)
