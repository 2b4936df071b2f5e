"""A line of a panel: a text at the left, and a value at the right."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal["head", "group", "plain", "faint", "warning"]


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a panel.

    Attributes:
        text: at the left.
        kind: "head", "group", "plain", "faint" for what is not heard, or "warning".
        value: at the right, or "".
    """

    text: str
    kind: Kind = "plain"
    value: str = ""
