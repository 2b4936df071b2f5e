"""A validator measures renders, and accepts or rejects them."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, ClassVar

from tonesmith.host.roles.base import O, Plugin
from tonesmith.plan.schema import Measure

if TYPE_CHECKING:
    from tonesmith.plan.render import Render, Verdict


class Validator(Plugin[O]):
    """Measures a render, and accepts or rejects it. A pure function of the render."""

    role = "validator"
    measures: ClassVar[tuple[Measure, ...]]
    """Each becomes a column of the dataset. Names must be unique among the validators of a plan."""

    def __init__(self, options: O) -> None:
        self.options = options

    @abstractmethod
    def check(self, render: Render) -> Verdict:
        """Return the verdict on a render, with a number for each of :attr:`measures`."""
