"""What to say when a patch found no candidate that is accepted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from tonesmith.errors import TRACEBACK
from tonesmith.plan.plan import Plan
from tonesmith.plan.rejection import Rejection
from tonesmith.terminal.memory import memory_text

_OF_THE_ENGINE = {"engine", "worker"}
_SHOWN = 300
"""Characters of what the engine said that are repeated."""


def exhausted(plan: Plan, patch: int, rejections: Sequence[Rejection], presets: str = "") -> str:
    """Return the message that ends a run over a patch.

    Args:
        plan: of the dataset.
        patch: its index.
        rejections: of its candidates, in order.
        presets: that the last of them was made of, in words, or "".
    """
    counts = ", ".join(f"{cause} {count}" for cause, count in Counter(r.cause for r in rejections).most_common())
    parts = [
        f"patch {patch} was rejected {plan.max_attempts} times ({counts}).",
        _said(rejections),
        f"The last candidate was made of {presets}." if presets else "",
        advice(plan, rejections),
        "Finished blocks are kept.",
    ]
    return " ".join(filter(None, parts))


def _said(rejections: Sequence[Rejection]) -> str:
    """Return the last that the engine said, and how often it said that."""
    words = [r.detail for r in rejections if r.by == "engine" and r.detail]
    if not words:
        return ""
    last = words[-1] if len(words[-1]) <= _SHOWN else f"{words[-1][:_SHOWN]}..."
    times = words.count(words[-1])
    return f'The engine said "{last}", {times} {"time" if times == 1 else "times"}.'


def advice(plan: Plan, rejections: Sequence[Rejection]) -> str:
    """Return what to do about what rejected most candidates."""
    by, reason = Counter((r.by, r.reason) for r in rejections).most_common(1)[0][0]
    if by not in _OF_THE_ENGINE:
        return "Narrow the ranges under [space], loosen the validator that rejects, or raise plan.max_attempts."
    if by == "worker":
        return "A validator or the sampler takes the worker down: try them one by one."
    if reason == "timeout":
        return f"Raise plan.timeout, which is {plan.timeout:g} s, or leave out with [space] what makes the synth slow."
    if reason == "memory":
        return f"Raise plan.memory, which is {memory_text(plan.memory)}, or leave out with [space] what takes so much."
    cure = {
        "error": f"Set {TRACEBACK}=1 to see where in its code",
        "crash": "See what it prints with TONESMITH_TRACE=1",
        "shape": "See its render()",
    }[reason]
    return f"This is a fault of the backend {plan.backend.name!r}, or of values that its synth cannot take. {cure}."
