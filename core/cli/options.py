"""What many commands share: their common options, and what stands for a command that is only listed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

import typer

Json = Annotated[bool, typer.Option("--json", help="Print JSON, and nothing else.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Show no progress.")]
Processes = Annotated[int, typer.Option("--workers", min=0, metavar="INT", help="Processes; 0 is one a core.")]
Engines = Annotated[int, typer.Option("--workers", min=0, max=1024, help="Engines; 0 is one per CPU core.")]

Trust = Annotated[
    bool, typer.Option("--trust", help="Load the plugin that the dataset names though you have not used it yourself.")
]


def listed(command: Callable[..., Any]) -> Callable[[], None]:
    """Return what stands for a command in the list of commands, where its own flags would take time to make."""

    def stand_in() -> None:
        """Do nothing: it is never called."""

    stand_in.__doc__ = command.__doc__
    return stand_in
