"""What is played of a patch whose values the engine holds otherwise."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from tonesmith.engine.outcome import Outcome
from tonesmith.space.patch import Patch

Relabelled = Callable[[Mapping[str, float]], Patch]
"""Returns the patch with the values that the engine holds, as it is to be played."""


def settled(
    play: Callable[[Patch], list[Outcome]], patch: Patch, relabelled: Relabelled | None = None
) -> list[Outcome]:
    """Return what became of a patch, or of the one that the engine makes of it: the first outcome tells its values.

    Args:
        play: plays a patch from the pristine state; "held" if the engine holds other values.
        patch: to play.
        relabelled: returns the patch to play instead; None for these values, and nothing else.
    """
    outcomes = play(patch)
    if not (held := outcomes[0].held):
        return outcomes
    patch = relabelled(held) if relabelled else replace(patch, values={**patch.values, **held})
    first, *others = play(patch)
    return [_unheld(first, patch)] if first.held else [replace(first, held=held), *others]


def _unheld(outcome: Outcome, patch: Patch) -> Outcome:
    """Return the failure of a patch whose values are those that the engine held, and that it does not hold again."""
    held = outcome.held
    lost = [f"{name} (set to {patch.values[name]:.4g}, the synth has {value:.4g})" for name, value in held.items()]
    more = f" and {len(lost) - 3} more" if len(lost) > 3 else ""
    return Outcome(outcome.pitch, "error", f"did not arrive: {', '.join(lost[:3])}{more}")
