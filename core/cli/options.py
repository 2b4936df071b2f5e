"""Options that many commands share, and the stand-in for a command that is only listed."""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, ParamSpec, TypeVar

import typer

from tonesmith.buckets.address import place_of

P = ParamSpec("P")
T = TypeVar("T")

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


def addressed(command: Callable[P, T]) -> Callable[P, T]:
    """Return a command that is given each path in a bucket as what it is; Typer makes a plain path of every word."""

    @functools.wraps(command)
    def given(*args: P.args, **kwargs: P.kwargs) -> T:
        return command(*args, **{name: _placed(value) for name, value in kwargs.items()})  # type: ignore[arg-type]

    return given


def _placed(value: object) -> object:
    if isinstance(value, list):
        return [_placed(item) for item in value]
    return place_of(value) if isinstance(value, Path) else value


def listed(text: str | None) -> Callable[[], None]:
    """Return what stands for a command in the list of commands: to know the options of one takes Typer 10 ms.

    Args:
        text: the help of the command.
    """

    def stand_in() -> None:
        """Do nothing: it is never called."""

    stand_in.__doc__ = text
    return stand_in
