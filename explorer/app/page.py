"""The page of the app, and the server that shows it to this machine alone."""

from __future__ import annotations

import os
import socket
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tonesmith.errors import ConfigError, check_libraries
from tonesmith.explorer.app.command import HOST, PORT
from tonesmith.explorer.app.compare_tab import compare_tab
from tonesmith.explorer.app.fit_tab import fit_tab
from tonesmith.explorer.app.keep_tab import keep_tab
from tonesmith.explorer.app.play_tab import play_tab
from tonesmith.explorer.app.workshop import Workshop

_LARGEST = "500mb"
_QUIET = {"GRADIO_ANALYTICS_ENABLED": "False", "HF_HUB_OFFLINE": "1", "HF_HUB_DISABLE_TELEMETRY": "1"}
_CACHE = (3600, 86_400)
"""Seconds between two looks at uploaded files, and from which on they are removed."""
_FONTS = ["system-ui", "sans-serif"]
_MONO = ["ui-monospace", "Consolas", "monospace"]


def check_app() -> None:
    """Raise :class:`tonesmith.ConfigError` if a library is missing."""
    check_libraries("tonesmith explore app", ["gradio", "safetensors", "soundfile"], "explore")


def page_of(shop: Workshop) -> Any:
    """Return the page: a tab for each thing that can be done."""
    os.environ.update(_QUIET)
    import gradio as gr

    with gr.Blocks(title="tonesmith explore", analytics_enabled=False, delete_cache=_CACHE) as page:
        gr.Markdown("# tonesmith explore\nA model of your own sounds, with sliders that mean what they say.")
        changed, made = gr.State(0), gr.State(0)
        with gr.Tab("Fit", id="fit"):
            fit_tab(shop, changed)
        with gr.Tab("Play", id="play"):
            play_tab(shop, changed, made)
        with gr.Tab("Compare", id="compare"):
            compare_tab(shop, made)
        with gr.Tab("Library", id="library"):
            keep_tab(shop, changed)
    return page


@dataclass(frozen=True, slots=True)
class Running:
    """An app that is served.

    Attributes:
        address: of its page.
    """

    address: str
    _page: Any

    def __enter__(self) -> Running:
        return self

    def __exit__(self, *_: object) -> None:
        self._page.close(verbose=False)

    def wait(self) -> None:
        """Go on until the program is interrupted."""
        threading.Event().wait()


def serve(root: Path, host: str = HOST, port: int = PORT, *, show: bool = False) -> Running:
    """Serve the page.

    Args:
        root: folder of the models and of the sounds.
        host: address to listen at: that of this machine alone unless told.
        port: to listen at; 0 for any that is free.
        show: whether a browser is opened.

    Raises :class:`tonesmith.ConfigError` if a library is missing, or the port is taken.
    """
    check_app()
    page = page_of(Workshop(root))
    import gradio as gr

    page.queue(default_concurrency_limit=1)
    try:
        _, address, _ = page.launch(
            server_name=host,
            server_port=port or free_port(host),
            inbrowser=show,
            share=False,
            quiet=True,
            prevent_thread_lock=True,
            allowed_paths=[str(root.absolute())],
            max_file_size=_LARGEST,
            enable_monitoring=False,
            footer_links=[],
            theme=gr.themes.Base(font=_FONTS, font_mono=_MONO),
        )
    except OSError:
        raise ConfigError(
            f"--port: {port} at {host} cannot be used. Name another, or 0 for any that is free."
        ) from None
    return Running(address, page)


def free_port(host: str) -> int:
    """Return a port that nobody listens at."""
    with socket.socket() as asked:
        asked.bind((host, 0))
        return int(asked.getsockname()[1])
