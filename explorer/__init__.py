"""A model of one's own sounds, with sliders that mean what they say: ``tonesmith explore``."""

from __future__ import annotations

import importlib
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from tonesmith.host.hookspecs import hookimpl

if TYPE_CHECKING:
    import typer

    from tonesmith.explorer.blending import blend
    from tonesmith.explorer.calls import Made, Model, again, fit, make, open_model
    from tonesmith.explorer.growth import Grown, add, feed
    from tonesmith.host.roles import Model as ModelPlugin

__all__ = ["Grown", "Made", "Model", "add", "again", "blend", "feed", "fit", "make", "open_model"]
_WHERE = {"Grown": "growth", "add": "growth", "blend": "blending", "feed": "growth"}


@hookimpl
def tonesmith_commands(app: typer.Typer) -> None:
    """Add ``tonesmith explore``."""
    from tonesmith.explorer.commands import explore_app

    app.add_typer(explore_app(), name="explore")


@hookimpl
def tonesmith_models() -> Iterable[type[ModelPlugin[Any]]]:
    """Return the built-in models."""
    from tonesmith.explorer.models.atlas import AtlasModel
    from tonesmith.explorer.models.vae import VaeModel

    return [AtlasModel, VaeModel]


def __getattr__(name: str) -> Any:
    # NumPy is imported with the first use of a name, not with the plugin
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(f"tonesmith.explorer.{_WHERE.get(name, 'calls')}"), name)
    globals()[name] = value
    return value
