"""The assets that an engine's process holds: what was sent to it, up to a size."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable

from tonesmith.engine.channel import Child
from tonesmith.space.patch import Patch

_HELD_BYTES = 128 << 20
"""Of assets that an engine process holds; each of its forks shares them."""


class SentAssets:
    """What one process holds.

    Args:
        content: returns the content of an asset by its SHA-256.
    """

    def __init__(self, content: Callable[[str], bytes]) -> None:
        self._content = content
        self._held: OrderedDict[str, int] = OrderedDict()

    def send(self, child: Child, patch: Patch) -> None:
        """Send what the patch names and the engine does not hold; what was unused for longest goes for it."""
        wanted = sorted({name for name in patch.assets.values() if name})
        for name in wanted:
            if name not in self._held:
                content = self._content(name)
                child.send({"asset": name}, content)
                self._held[name] = len(content)
            self._held.move_to_end(name)
        while sum(self._held.values()) > _HELD_BYTES and len(self._held) > len(wanted):
            child.send({"drop": self._held.popitem(last=False)[0]})
