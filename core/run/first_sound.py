"""Whether a third party's synth keeps its promise on the first patch, before a dataset is made of it."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import astuple

from tonesmith.doctor.repeatability import Play, Subject, apart, default_patch, session
from tonesmith.engine.determinism import decibels, determinism_of, is_kept, shown
from tonesmith.errors import EngineError
from tonesmith.host.registry import Host
from tonesmith.plan.plan import Plan
from tonesmith.run.resolve import Resolved

_CHECKED = {"exact", "exact-in-run"}
_KEPT: set[str] = set()
"""What was found to keep its promise."""


def check_first_sound(resolved: Resolved, host: Host) -> None:
    """Play the default patch twice in one engine and once in another, and compare.

    Built-in backends are spared it, and those whose binary was examined when it was met first, and what kept its
    promise in this process before. What does not play says nothing here: the run tells of it.

    Raises :class:`EngineError` if bits differ where the backend promises that they do not.
    """
    plan = resolved.plan
    if (
        plan.determinism not in _CHECKED
        or resolved.checkup is not None
        or host.is_builtin("backend", plan.backend.name)
    ):
        return
    note = plan.notes.of_patch(plan.seed, 0)[0]
    known = json.dumps([plan.backend.to_json(), plan.isolation, plan.determinism, astuple(plan.audio), astuple(note)])
    if known in _KEPT:
        return
    subject = Subject(plan.backend, plan.audio, note, resolved.contents, resolved.load_seconds, plan.timeout)
    patch = default_patch(plan.space)
    with ThreadPoolExecutor(2) as pool:
        (first, again), (elsewhere,) = pool.map(lambda n: session(subject, plan.isolation, [patch] * n), (2, 1))
    _compare(plan, first, again, elsewhere)
    _KEPT.add(known)


def _compare(plan: Plan, first: Play, again: Play, elsewhere: Play) -> None:
    within, between = apart(first, again), apart(first, elsewhere)
    if within is None or between is None:
        return
    found = determinism_of([within], between, between)
    if is_kept(plan.determinism, found, None):
        return
    where = "a second time" if within else "in another process"
    promised = "in any process" if plan.determinism == "exact" else "in one run"
    raise EngineError(
        f"the backend {plan.backend.name!r} promises determinism {plan.determinism!r}, equal bits {promised}; but its "
        f"default patch sounds different {where}, by up to {shown(decibels(max(within, between)))}. Its rows would not "
        "render again. Have it draw nothing at random, or only from a seed that is the same each time; or promise less "
        f'in the class: determinism = "{found}".'
    )
