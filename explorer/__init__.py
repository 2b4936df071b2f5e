"""A model of one's own sounds, with sliders that mean what they say: ``tonesmith explore``."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from tonesmith.host.hookspecs import hookimpl

if TYPE_CHECKING:
    import typer

    from tonesmith.explorer.calls import Made, Model, again, fit, make, open_model

__all__ = ["Made", "Model", "again", "fit", "make", "open_model"]


@hookimpl
def tonesmith_commands(app: typer.Typer) -> None:
    """Add ``tonesmith explore``."""
    from tonesmith.explorer.commands import explore_app

    app.add_typer(explore_app(), name="explore")


def __getattr__(name: str) -> Any:
    # NumPy is imported with the first use of a name, not with the plugin
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module("tonesmith.explorer.calls"), name)
    globals()[name] = value
    return value
