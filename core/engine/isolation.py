"""Which isolation a backend gets here, what it promises with that, and whether its process is pinned."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from tonesmith.engine.machine import can_fork
from tonesmith.errors import PluginError, TonesmithError
from tonesmith.host.conformance import promise_fault
from tonesmith.host.registry import Host
from tonesmith.host.roles import Backend, Options
from tonesmith.plan.plan import PluginRef
from tonesmith.plan.promises import Determinism, Isolation, Promises


def isolation_of(backend: type[Backend[Any]], options: Options | None = None) -> Isolation:
    """Return the isolation that a backend gets on this platform: with these options, or with any."""
    promised = _promises(backend, options)
    return promised.isolation if promised.isolation != "snapshot" or can_fork() else promised.fallback


def promise_of(backend: type[Backend[Any]], isolation: Isolation, options: Options | None = None) -> Determinism:
    """Return what a backend promises of its rows with an isolation; "none" where it needs a stricter one."""
    promised = _promises(backend, options)
    strictness = ("reuse", "fresh", "snapshot").index
    if strictness(isolation) >= strictness(promised.isolation):
        return promised.determinism
    return promised.fallback_determinism if isolation == promised.fallback else "none"


def is_pinned(backend: PluginRef) -> bool:
    """Return whether a backend asks for pinned processes. One that cannot be used asks for nothing."""
    try:
        found = Host.load().find("backend", backend.name)
        return found.pinned(found.Options.model_validate(found.from_plan(backend.options)))
    except (TonesmithError, ValueError):
        return False  # its process tells what is wrong


def _promises(backend: type[Backend[Any]], options: Options | None) -> Promises:
    if options is not None:
        promised = backend.promises(options)
        if fault := promise_fault(asdict(promised)):
            raise PluginError(f"the backend {backend.name!r} {fault}")
        return promised
    return Promises(backend.isolation, backend.fallback, backend.determinism, backend.fallback_determinism)
