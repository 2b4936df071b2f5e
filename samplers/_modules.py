"""A patch as a set of modules, which a child takes whole from one parent or the other."""

from __future__ import annotations

from collections.abc import Sequence

from tonesmith.space.parameter import Parameter
from tonesmith.space.patch import Patch
from tonesmith.space.space import ParameterSpace

_Home = tuple[str, str]
_ROUTING: _Home = ("routing", "")


class Modules:
    """The modules of a synth: what of a patch belongs together.

    A module is a group of parameters with the assets that belong to it; a parameter without a group is a module of
    its own. The routing is one module: all modulations, the groups of their sources, and the assets
    that belong to no group. A routing means nothing without the shapes and rates of its sources.
    """

    def __init__(self, space: ParameterSpace) -> None:
        sources = {_home(p) for p in space.parameters if p.source}
        parameters = {p.name: _ROUTING if _home(p) in sources else _home(p) for p in space.parameters}
        slots = {slot: ("group", space.modules[slot]) if slot in space.modules else _ROUTING for slot in space.assets}
        slots = {slot: _ROUTING if home in sources else home for slot, home in slots.items()}
        routing = [_ROUTING] if space.modulation_slots else []
        numbers = {
            home: number for number, home in enumerate(dict.fromkeys([*parameters.values(), *slots.values(), *routing]))
        }
        self.count = len(numbers)
        self._of_parameter = {name: numbers[home] for name, home in parameters.items()}
        self._of_slot = {slot: numbers[home] for slot, home in slots.items()}
        self._routing = numbers.get(_ROUTING, 0)

    def joined(self, parents: Sequence[Patch], chosen: Sequence[int]) -> Patch:
        """Return a patch whose module k is that of ``parents[chosen[k]]``."""
        origins = {name: parents[chosen[module]] for name, module in self._of_parameter.items()}
        values = {name: patch.values[name] for name, patch in origins.items() if name in patch.values}
        holders = {slot: parents[chosen[module]] for slot, module in self._of_slot.items()}
        assets = {slot: patch.assets[slot] for slot, patch in holders.items() if slot in patch.assets}
        return Patch(values, parents[chosen[self._routing]].modulations, assets)


def _home(parameter: Parameter) -> _Home:
    """Return what a parameter belongs to: its group, or itself."""
    return ("group", parameter.group) if parameter.group else ("parameter", parameter.name)
