"""The tab that holds two sounds against each other, at the same loudness."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from tonesmith.explorer.app.telling import errors_shown
from tonesmith.explorer.frames import RATE
from tonesmith.explorer.kept_lines import compared_lines

if TYPE_CHECKING:
    from tonesmith.explorer.app.workshop import Workshop


def compare_tab(shop: Workshop, made: Any) -> None:
    """Build the tab.

    Args:
        shop: where sounds are kept.
        made: a state that is counted up when there is another sound.
    """
    import gradio as gr

    with gr.Row():
        first = gr.Dropdown(shop.made(), value=None, label="A", allow_custom_value=True, elem_id="first")
        second = gr.Dropdown(shop.made(), value=None, label="B", allow_custom_value=True, elem_id="second")
    button = gr.Button("Compare", variant="primary", elem_id="compare")
    gr.Markdown("The louder one is turned down, so that both sound equally loud.")
    with gr.Row():
        players = [
            gr.Audio(label=name, type="numpy", interactive=False, buttons=["download"], elem_id=f"player-{name}")
            for name in "AB"
        ]
    shown = gr.Code(label="What sets them apart", language=None, interactive=False, elem_id="compared")

    def compare(one: str | None, other: str | None) -> tuple[Any, Any, str]:
        with errors_shown():
            pair = shop.compare(one or "", other or "")
            left, right = pair.matched()
        return _sound(left), _sound(right), "\n".join(compared_lines(pair.compared(), None))

    button.click(compare, [first, second], [*players, shown], api_name="compare")
    made.change(lambda: [gr.update(choices=shop.made())] * 2, None, [first, second], api_visibility="private")


def _sound(samples: NDArray[np.float32]) -> tuple[int, NDArray[np.int16]]:
    return RATE, np.rint(32_767.0 * np.clip(samples.T, -1.0, 1.0)).astype(np.int16)
