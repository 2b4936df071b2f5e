"""Presets of a model, within the tab that makes sounds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tonesmith.explorer.app.telling import errors_shown
from tonesmith.explorer.app.values import AS_SOUNDS, MOST_SLIDERS, WANDER
from tonesmith.explorer.given import GIVEN

if TYPE_CHECKING:
    from tonesmith.explorer.app.workshop import Workshop
    from tonesmith.explorer.recipe import Recipe


@dataclass(frozen=True, slots=True)
class Keeping:
    """What recalls and saves presets."""

    preset: Any
    recall: Any
    name: Any
    save: Any


def preset_widgets() -> Keeping:
    """Return what recalls and saves presets, shown here."""
    import gradio as gr

    return Keeping(
        gr.Dropdown([], value=None, label="Preset", allow_custom_value=True, elem_id="preset"),
        gr.Button("Recall", elem_id="recall"),
        gr.Textbox(label="Save what made this sound as", max_lines=1, elem_id="preset-name"),
        gr.Button("Save", elem_id="save"),
    )


def wire_presets(shop: Workshop, keeping: Keeping, of: tuple[Any, Any], settings: Sequence[Any]) -> None:
    """Let the buttons do what they say.

    Args:
        shop: where models and sounds are kept.
        keeping: the buttons.
        of: the model that is chosen, and the name of the sound that was made last.
        settings: what a preset sets, in the order of :func:`_set_by`.
    """
    import gradio as gr

    model, last = of

    def save(one: str | None, name: str | None, sound: str) -> Any:
        with errors_shown():
            shop.save_preset(one or "", name or "", sound)
            return gr.update(choices=shop.presets(one or ""), value=(name or "").strip())

    def recall(one: str | None, wanted: str | None) -> list[Any]:
        doubts: list[str] = []
        with errors_shown():
            recipe = shop.preset(one or "", wanted or "", doubts.append)
            names = [str(slider["name"]) for slider in shop.about(one or "").sliders][:MOST_SLIDERS]
        for doubt in doubts:
            gr.Warning(doubt)
        return _set_by(recipe, names)

    keeping.save.click(save, [model, keeping.name, last], keeping.preset, api_name="save_preset")
    keeping.recall.click(recall, [model, keeping.preset], list(settings), api_name="recall")


def _set_by(recipe: Recipe, names: Sequence[str]) -> list[Any]:
    """Return source, seconds, density, seed and channels, then sliders of time and space, then those of the model."""
    given = {**recipe.time.model_dump(), **recipe.place.model_dump()}
    followed = recipe.sources[0].name if recipe.sources else WANDER
    head = [followed, recipe.seconds, _end(recipe.density), recipe.seed, recipe.channels or AS_SOUNDS]
    steps = [_end(recipe.sliders.get(name)) for name in names]
    return [*head, *(_end(given[name]) for name in GIVEN), *steps, *[0.0] * (MOST_SLIDERS - len(steps))]


def _end(value: Any) -> float:
    """Return a value, or of one that moves where it ends; 0 for none."""
    return float((value[-1] if isinstance(value, list | tuple) else value) or 0.0)
