"""The plugins and commands of forks in the tests, found once: importing this loads them.

It is imported by the interpreter that forks alone. To load the plugins takes each fork 0.1 s, and a run has three.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from tonesmith.cli.app import build_app
from tonesmith.host.registry import Host

_PLUGINS = str(Path(__file__).parent / "plugins")
_LIMITS = ("TONESMITH_PLUGINS", "TONESMITH_TRACE")


def _loaded(*paths: str) -> Host:
    before = list(sys.path)
    sys.path[:0] = paths
    try:
        return Host()
    finally:
        sys.path[:] = before


_HOSTS = {(): _loaded(), (_PLUGINS,): _loaded(_PLUGINS)}
"""Of the environment as it is, and of one with the plugins of tests/support."""
build_app(["generate"], _HOSTS[()])  # which imports every command


def let_be_found(paths: tuple[str, ...]) -> None:
    """Let this process have the plugins of what its path begins with, if that is all that chooses them."""
    if paths in _HOSTS and not any(name in os.environ for name in _LIMITS):
        Host.load = classmethod(lambda _: _HOSTS[paths])  # type: ignore[method-assign,assignment]
