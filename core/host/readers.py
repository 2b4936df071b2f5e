"""What opens as a dataset what is none: the readers of all plugins."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any

from tonesmith.buckets.address import is_remote
from tonesmith.host.registry import Host
from tonesmith.host.roles import Reader


@lru_cache(maxsize=8)
def readers(host: Host) -> tuple[type[Reader[Any]], ...]:
    """Return the readers that plugins hand over."""
    given = host.given("tonesmith_readers")
    return tuple(one for one in given if isinstance(one, type) and issubclass(one, Reader))


def reader_at(path: Path, host: Host | None = None) -> type[Reader[Any]] | None:
    """Return what opens a path as a dataset that is none; None if nothing does."""
    if is_remote(path):
        return None
    return next((one for one in readers(host or Host.load()) if one.recognises(path)), None)
