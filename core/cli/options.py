"""Options that many commands share, and the stand-in for a command that is only listed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

import typer

Json = Annotated[bool, typer.Option("--json", help="Print only JSON.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Hide progress.")]
Processes = Annotated[
    int, typer.Option("--workers", min=0, metavar="INT", help="Worker processes. 0 means one per CPU core.")
]
Engines = Annotated[
    int, typer.Option("--workers", min=0, max=1024, metavar="INT", help="Engine processes. 0 means one per CPU core.")
]

Blocks = Annotated[
    str | None,
    typer.Option(
        "--blocks", metavar="LIST", help="Make only these blocks of the plan, such as 0:50 for 0 to 49, or 0:50,70."
    ),
]
ShareOf = Annotated[
    str | None,
    typer.Option(
        "--share",
        metavar="PART/PARTS",
        help="Make only this part of the plan, such as 3/20. Parts count from 1.",
    ),
]
Trust = Annotated[
    bool, typer.Option("--trust", help="Load the plugin that the dataset names though you have not used it yourself.")
]


def listed(text: str | None) -> Callable[[], None]:
    """Return what stands for a command in the list of commands: to know the options of one takes Typer 10 ms.

    Args:
        text: the help of the command.
    """

    def stand_in() -> None:
        """Do nothing: it is never called."""

    stand_in.__doc__ = text
    return stand_in
