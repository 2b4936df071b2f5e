"""All that can be typed."""

from __future__ import annotations

from typing import Any

import typer

from tonesmith.cli.app import build_app
from tonesmith.host.registry import Host


def command_trees() -> list[Any]:
    """Return the app of Click once for each command, whole there and only listed in the others, with every plugin."""
    host = Host.load()
    names = typer.main.get_command(build_app([], host)).commands  # type: ignore[attr-defined]
    lines = [[name] for name in names]
    lines += [["generate", "--sampler", name] for name in host.samplers()]
    lines += [["generate", "--backend", name] for name in host.backends()]
    lines += [["compose", name] for name in host.composers()]
    return [typer.main.get_command(build_app(line, host)) for line in lines]
