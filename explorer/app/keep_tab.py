"""The tab that keeps models: a list, a search, tags, names, and a bin."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tonesmith.explorer.app.telling import errors_shown

if TYPE_CHECKING:
    from tonesmith.explorer.app.workshop import Workshop

_HEAD = ["Model", "Tags", "Sounds", "Seconds", "Sliders"]


def keep_tab(shop: Workshop, changed: Any) -> None:
    """Build the tab.

    Args:
        shop: where models are kept.
        changed: a state that is counted up when there is another model.
    """
    import gradio as gr

    words = gr.Textbox(label="Search", placeholder="part of a name, a tag or a sound", elem_id="search")
    shown = gr.Dataframe(_rows(shop, ""), headers=_HEAD, interactive=False, elem_id="models")
    with gr.Row():
        model = gr.Dropdown(shop.models(), value=None, label="Model", allow_custom_value=True, elem_id="kept")
        tags = gr.Textbox(label="Tags, with commas", elem_id="tags")
        name = gr.Textbox(label="Name", elem_id="new-name")
    with gr.Row():
        tag, rename = gr.Button("Set the tags"), gr.Button("Rename")
        delete = gr.Button("Move to the bin", variant="stop", elem_id="delete")
    with gr.Row():
        binned = gr.Dropdown(_bin(shop), value=None, label="In the bin", allow_custom_value=True, elem_id="bin")
        restore = gr.Button("Bring back", elem_id="restore")

    def chosen(one: str | None) -> tuple[str, str]:
        return (", ".join(shop.tags(one)), one) if one in shop.models() else ("", "")

    def set_tags(one: str | None, told: str, count: int) -> int:
        with errors_shown():
            shop.set_tags(one or "", told)
        return count + 1

    def set_name(one: str | None, new: str, count: int) -> int:
        with errors_shown():
            shop.shelf.rename(one or "", new.strip())
        return count + 1

    def into_bin(one: str | None, count: int) -> int:
        with errors_shown():
            shop.shelf.delete(one or "")
        return count + 1

    def out_of_bin(one: str | None, count: int) -> int:
        with errors_shown():
            shop.shelf.restore(one or "")
        return count + 1

    def renewed(told: str) -> list[Any]:
        return [_rows(shop, told), gr.update(choices=shop.models()), gr.update(choices=_bin(shop), value=None)]

    tag.click(set_tags, [model, tags, changed], changed, api_name="tag")
    rename.click(set_name, [model, name, changed], changed, api_name="rename")
    delete.click(into_bin, [model, changed], changed, api_name="delete")
    restore.click(out_of_bin, [binned, changed], changed, api_name="restore")
    model.change(chosen, model, [tags, name], api_visibility="private")
    words.change(lambda told: _rows(shop, told), words, shown, api_name="search")
    changed.change(renewed, words, [shown, model, binned], api_visibility="private")


def _rows(shop: Workshop, words: str) -> list[list[str]]:
    found = shop.shelf.models(words.split())
    return [
        [
            one.name,
            ", ".join(one.tags),
            str(len(one.sounds)),
            f"{one.seconds:.1f}",
            one.damage or ", ".join(one.sliders),
        ]
        for one in found
    ]


def _bin(shop: Workshop) -> list[tuple[str, str]]:
    return [(f"{each.name}, {each.at}", each.id) for each in shop.shelf.binned()]
