"""Sliders as the page has them: those of the model, with their confidence, and those of time and space."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from tonesmith.explorer.given import GIVEN

if TYPE_CHECKING:
    from tonesmith.explorer.calls import Made
    from tonesmith.explorer.given import Given

MOST_SLIDERS = 32
"""Sliders of a model that the page has; a model with more has the others at the command line."""
STEPS = 3.0
"""How far a slider goes either way."""
AS_SOUNDS = "as the sounds have"
WANDER = "wander through all sounds"
_ENDS: Mapping[str, tuple[float, float]] = {
    "attack": (0.25, 16.0),
    "stretch": (0.1, 10.0),
    "loop": (0.0, 60.0),
    "drift": (0.0, 5.0),
    "width": (0.0, 2.0),
    "distance": (0.25, 100.0),
    "azimuth": (-180.0, 180.0),
    "elevation": (-90.0, 90.0),
}


def shown(slider: Mapping[str, Any]) -> Any:
    """Return what shows a slider of a model, at rest."""
    import gradio as gr

    label = f"{slider['name']} · confidence {slider['confidence']:.2f}"
    low, high = f"{slider['low']:+.1f}", f"{slider['high']:+.1f}"
    hint = f", near {slider['hint']}" if slider["hint"] else ""
    unit = f" {slider['unit']}" if slider["unit"] else ""
    info = f"{slider['effect']:+.2f}{unit} a step{hint}; your sounds are at {low} to {high}, beyond is new"
    return gr.update(visible=True, value=0.0, label=label, info=info)


def hidden(known: int) -> list[Any]:
    """Return what hides the sliders that a model with so many does not have."""
    import gradio as gr

    return [gr.update(visible=False, value=0.0)] * (MOST_SLIDERS - known)


def given_of(name: str, slider: Given) -> Any:
    """Return a slider of time or space, at rest."""
    import gradio as gr

    low, high = _ENDS[name]
    info = f"{slider.does}, in {slider.unit}" + ("; 0 for no loop" if slider.rest is None else "")
    return gr.Slider(low, high, slider.rest or 0.0, step=0.05, label=name, info=info, elem_id=f"given-{name}")


def set_to(names: Sequence[str], values: Sequence[float]) -> dict[str, float]:
    """Return the sliders that are not at rest: values are those of time and space, and then those of the model."""
    given = zip(GIVEN, values[: len(GIVEN)], strict=True)
    told = {name: float(value) for name, value in given if value != (GIVEN[name].rest or 0.0)}
    moved = zip(names, values[len(GIVEN) :], strict=False)
    return {**told, **{name: float(value) for name, value in moved if value}}


def told_of(done: Made) -> str:
    """Return what is said of a sound that was made."""
    beyond = "; ".join(f"{slider} ends at {steps:+.1f}: new territory" for slider, steps in done.beyond.items())
    head = f"{done.written.path.name}, {done.written.seconds:.1f} s, seed {done.recipe.seed}"
    return f"{head}\n{beyond}" if beyond else head
