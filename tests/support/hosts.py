"""The plugins and commands of forks in the tests, found once: importing this loads them.

It is imported by the interpreter that forks alone. To load the plugins takes each fork 0.1 s, and a run has three.
"""

from __future__ import annotations

import contextlib
import os
import sys
from pathlib import Path

from tonesmith.cli.app import build_app
from tonesmith.errors import PluginError
from tonesmith.host.registry import Host

_PLUGINS = str(Path(__file__).parent / "plugins")
_OURS = {str(Path(__file__).parents[1]), ""}
_LIMITS = ("TONESMITH_PLUGINS", "TONESMITH_TRACE")


_HOSTS: dict[tuple[str, ...], Host] = {}
"""By the path of Python: as it is, and with the plugins of tests/support."""


def _load(*paths: str) -> None:
    before = list(sys.path)
    sys.path[:] = [*paths, *(path for path in before if path not in {*_OURS, _PLUGINS})]
    with contextlib.suppress(PluginError):  # of what a test has put on the path: it is loaded when it is asked for
        _HOSTS[tuple(sys.path)] = Host()
    sys.path[:] = before


def let_be_found() -> None:
    """Let this process have the plugins that were found on its path, if that is all that chooses them."""
    host = _HOSTS.get(tuple(sys.path))
    if host is not None and not any(name in os.environ for name in _LIMITS):
        Host.load = classmethod(lambda _: host)  # type: ignore[method-assign,assignment]


_load()
_load(_PLUGINS)
for _host in _HOSTS.values():
    build_app(["generate"], _host)  # which imports every command
