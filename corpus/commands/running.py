"""The command that does all steps of a file: ``run``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tonesmith.corpus.commands.options import Json, Quiet
from tonesmith.terminal.messages import echo
from tonesmith.terminal.text import counted, json_text


def run(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="TOML file with a table for each step.")],
    first: Annotated[
        str,
        typer.Option("--from", metavar="STEP", help="Step to begin with.", show_default="where the last run stopped"),
    ] = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say which commands would run, and run none.")] = False,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Do all that a file says: a step for each of its tables, in their order. A table has the options of the command.

    The file is checked as a whole before anything is done. A run that was stopped goes on with the step it stopped at.
    The exit code is 1 if a step found something wrong. After a check that did, no other step is done.
    """
    from tonesmith.corpus.running.doing import do, first_step
    from tonesmith.corpus.running.reading import read_steps

    steps = read_steps(file, context)
    start = first_step(steps, first)
    if dry_run:
        told = [{"step": step.name, "command": str(step), "todo": n >= start} for n, step in enumerate(steps.every)]
        lines = [f"{'would run' if one['todo'] else 'was done '}  {one['command']}" for one in told]
        echo(json_text({"path": str(steps.corpus), "dry_run": True, "steps": told}) if as_json else "\n".join(lines))
        return
    if start and not as_json:
        echo(f"{steps.corpus}: going on with step {start + 1} of {len(steps.every)}, {steps.every[start].name}")
    done = do(steps, start, context, as_json=as_json, quiet=quiet)
    if as_json:
        head = {"path": str(steps.corpus), "dry_run": False}
        echo(json_text({**head, "steps": done.steps, "complete": done.complete}))
    elif done.complete:
        echo(f"{steps.corpus}: {counted(len(steps.every), 'step')} done")
    else:
        stopped = next(one["step"] for one in reversed(done.steps) if one["exit_code"] is not None)
        echo(f"{steps.corpus}: stopped after {stopped}, which found faults. Mend them, and run the same command again.")
    if done.exit_code:
        raise typer.Exit(done.exit_code)
