"""The predictions to hear: the best, those in the middle and the worst."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

BY = "mss"
"""The metric that they are chosen by: the best known one that compares whole sounds."""
_MOST = 3


def examples_of(
    rows: Sequence[int],
    targets: NDArray[np.int64],
    values: Sequence[Mapping[str, float]],
    failures: Mapping[int, str],
) -> dict[str, Any]:
    """Return the best, the middle and the worst predictions, each three or less, the most telling one first.

    Args:
        rows: the number in the plan of the row that each prediction is of.
        targets: the index of that row in the dataset.
        values: metric -> value of each.
        failures: index of a prediction that could not be rendered -> why; its sound is silence.
    """
    order = np.lexsort([np.asarray(rows), np.array([one[BY] for one in values])])
    count = max(min(_MOST, len(order) // 3), 1)
    middle = len(order) // 2
    around = sorted(range(len(order)), key=lambda place: abs(place - middle))[:count]
    chosen = {"best": order[:count], "median": order[around], "worst": order[::-1][:count]}

    def told(i: int) -> dict[str, Any]:
        failure = {"failure": failures[i]} if i in failures else {}
        return {"row": rows[i], "target": int(targets[i]), "sound": i, "values": dict(values[i]), **failure}

    return {"by": BY, **{name: [told(int(i)) for i in some] for name, some in chosen.items()}}


def line_of(examples: Mapping[str, Any]) -> Iterator[str]:
    """Yield a line that names the first of each."""
    by = examples["by"]
    firsts = ((name, examples[name][0]) for name in ("best", "median", "worst"))
    told = ", ".join(f"{name} {one['row']} ({one['values'][by]:.3g})" for name, one in firsts)
    yield f"  rows by {by}: {told}"
