"""The tab that makes sounds: sliders with their confidence, presets, a player and a picture."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tonesmith.explorer.app.picture import picture_of
from tonesmith.explorer.app.preset_part import preset_widgets, wire_presets
from tonesmith.explorer.app.telling import Bar, errors_shown
from tonesmith.explorer.app.values import (
    AS_SOUNDS,
    MOST_SLIDERS,
    STEPS,
    WANDER,
    given_of,
    hidden,
    set_to,
    shown,
    told_of,
)
from tonesmith.explorer.app.workshop import Wanted
from tonesmith.explorer.given import GIVEN

if TYPE_CHECKING:
    from tonesmith.explorer.app.workshop import Workshop

_SUFFIXES = (".flac", ".wav", ".mp3", ".ogg", ".opus")
_CHANNELS = (AS_SOUNDS, "mono", "stereo", "binaural")


def play_tab(shop: Workshop, changed: Any, made: Any) -> None:
    """Build the tab.

    Args:
        shop: where models and sounds are kept.
        changed: a state that is counted up when there is another model.
        made: a state that is counted up when there is another sound.
    """
    import gradio as gr

    last = gr.State("")
    with gr.Row():
        with gr.Column():
            model = gr.Dropdown(shop.models(), label="Model", value=None, allow_custom_value=True, elem_id="play-model")
            source = gr.Dropdown([WANDER], value=WANDER, label="Follow", allow_custom_value=True, elem_id="source")
            with gr.Accordion("or follow a sound of yours", open=False):
                upload = gr.Audio(show_label=False, type="filepath", sources=["upload"], editable=False)
            sliders = [
                gr.Slider(-STEPS, STEPS, 0.0, step=0.05, visible=False, elem_id=f"slider-{number}")
                for number in range(MOST_SLIDERS)
            ]
            with gr.Accordion("Time and space", open=False):
                rest = [given_of(name, slider) for name, slider in GIVEN.items()]
                channels = gr.Dropdown(list(_CHANNELS), value=_CHANNELS[0], label="Channels")
            with gr.Row():
                seconds = gr.Number(10.0, label="Seconds")
                density = gr.Number(0.0, label="Events per second, 0 for one flow")
            with gr.Row():
                seed = gr.Number(0, label="Seed", precision=0)
                suffix = gr.Dropdown(list(_SUFFIXES), value=_SUFFIXES[0], label="Format")
            button = gr.Button("Make", variant="primary", elem_id="make")
        with gr.Column():
            player = gr.Audio(label="Sound", type="filepath", interactive=False, buttons=["download"], elem_id="player")
            picture = gr.Image(label="Mel spectrogram", interactive=False, buttons=[], elem_id="picture")
            told = gr.Textbox(label="Made", interactive=False, lines=2, elem_id="made")
            keeping = preset_widgets()
    settings = [source, seconds, density, seed, channels]

    def choose(one: str | None) -> list[Any]:
        if not one:
            return [gr.update(), gr.update(choices=[], value=None), *hidden(0)]
        with errors_shown():
            about, presets = shop.about(one), shop.presets(one)
        names = [WANDER, *(sound.name for sound in about.sounds)]
        updates = [shown(slider) for slider in about.sliders[:MOST_SLIDERS]]
        follow = gr.update(choices=names, value=WANDER)
        return [follow, gr.update(choices=presets, value=None), *updates, *hidden(len(updates))]

    def make(*values: Any, progress: Any = gr.Progress()) -> tuple[str, Any, str, str, int]:  # noqa: B008
        one, followed, length, events, number, kind, uploaded, form, count, *steps = values
        with errors_shown():
            names = [slider["name"] for slider in shop.about(one or "").sliders]
            moved = set_to(names, steps)
            follows = uploaded or ("" if followed == WANDER else followed)
            wanted = Wanted(
                source=follows,
                sliders=moved,
                seconds=float(length),
                density=float(events),
                seed=int(number),
                channels="" if kind == _CHANNELS[0] else kind,
                suffix=form,
            )
            done = shop.make(one or "", wanted, progress=Bar(progress, "making"))
        path = done.written.path
        return str(path), picture_of(path), told_of(done), path.name, count + 1

    inputs = [model, *settings, upload, suffix, made, *rest, *sliders]
    button.click(make, inputs, [player, picture, told, last, made], api_name="make")
    wire_presets(shop, keeping, (model, last), [*settings, *rest, *sliders])
    model.change(choose, model, [source, keeping.preset, *sliders], api_name="choose")
    changed.change(lambda: gr.update(choices=shop.models()), None, model, api_visibility="private")
