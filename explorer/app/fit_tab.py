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
            place = gr.Textbox(
                label="Folder of sounds, or dataset",
                info="a path on this machine, beside files or in place of them; of a dataset, its rows are the sounds",
                placeholder="data/d.zarr",
                max_lines=1,
                elem_id="place",
            )
            rows = gr.Number(0, label="Most rows of a dataset, 0 for all", precision=0, minimum=0, elem_id="rows")
            name = gr.Textbox(label="Name of the model", placeholder="rain", max_lines=1, elem_id="model-name")
            force = gr.Checkbox(label="Replace the model of that name")
            button = gr.Button("Fit", variant="primary", elem_id="fit")
        with gr.Column():
            said = gr.Textbox(label="Left out, and doubts", lines=2, interactive=False, elem_id="doubts")
            shown = gr.Code(label="The model", language=None, interactive=False, elem_id="fitted")

    def fit(
        paths: list[str] | None,
        where: str,
        most: int,
        named: str,
        replace: bool,
        count: int,
        progress: Any = gr.Progress(),  # noqa: B008
    ) -> tuple[str, str, int]:
        doubts: list[str] = []
        with errors_shown():
            name = (named or "").strip()
            bar = Bar(progress, f"fitting {name}")
            sounds = [*(paths or []), *([where.strip()] if where.strip() else [])]
            lines = shop.fit(name, sounds, rows=int(most or 0), force=replace, told=doubts.append, progress=bar)
        return "\n".join(doubts), lines, count + 1

    button.click(fit, [files, place, rows, name, force, changed], [said, shown, changed], api_name="fit")
