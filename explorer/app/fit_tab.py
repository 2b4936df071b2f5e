"""The tab that fits a model to sounds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tonesmith.explorer.app.telling import Bar, errors_shown
from tonesmith.explorer.sounds import SUFFIXES

if TYPE_CHECKING:
    from tonesmith.explorer.app.workshop import Workshop

INTRODUCTION = """Five sounds are enough to start with: the model learns what lies between them. \
They stay on this machine."""


def fit_tab(shop: Workshop, changed: Any) -> None:
    """Build the tab.

    Args:
        shop: where models are kept.
        changed: a state that is counted up when there is another model.
    """
    import gradio as gr

    gr.Markdown(INTRODUCTION)
    with gr.Row():
        with gr.Column():
            files = gr.File(label="Sounds", file_count="multiple", file_types=list(SUFFIXES), elem_id="sounds")
            name = gr.Textbox(label="Name of the model", placeholder="rain", max_lines=1, elem_id="model-name")
            force = gr.Checkbox(label="Replace the model of that name")
            button = gr.Button("Fit", variant="primary", elem_id="fit")
        with gr.Column():
            said = gr.Textbox(label="Left out, and doubts", lines=2, interactive=False, elem_id="doubts")
            shown = gr.Code(label="The model", language=None, interactive=False, elem_id="fitted")

    def fit(
        paths: list[str] | None,
        named: str,
        replace: bool,
        count: int,
        progress: Any = gr.Progress(),  # noqa: B008
    ) -> tuple[str, str, int]:
        doubts: list[str] = []
        with errors_shown():
            name = (named or "").strip()
            bar = Bar(progress, f"fitting {name}")
            lines = shop.fit(name, paths or [], force=replace, told=doubts.append, progress=bar)
        return "\n".join(doubts), lines, count + 1

    button.click(fit, [files, name, force, changed], [said, shown, changed], api_name="fit")
