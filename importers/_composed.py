"""What a composer says of a score, under the names of a corpus's labels."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any, Final

from tonesmith.host.roles.annotation import Said

_NAMES: Final = {"mood": "emotion", "progression": "chord_progression"}
"""Names of composers -> the labels that say the same. All others keep theirs."""
_OTHERS: Final = frozenset({"articulation"})
"""What a composer measures and a label names."""


def labels_of(annotations: Mapping[str, Any]) -> Iterator[tuple[str, Said]]:
    """Yield label and value of everything that a composer said. What it left open, NaN or "", is left out."""
    for name, value in annotations.items():
        if name in _OTHERS or value == "" or (isinstance(value, float) and not math.isfinite(value)):
            continue
        label = _NAMES.get(name, name)
        if label == "chord_progression":
            yield label, tuple(word for word in str(value).split() if word != "|")
        elif label == "key":
            yield label, str(value).partition(" ")[0]
        else:
            yield label, value
