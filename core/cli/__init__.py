"""The command line: the entry point of ``tonesmith``, and its exit status."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from tonesmith.errors import TRACEBACK, TonesmithError, unforeseen
from tonesmith.terminal.messages import echo, say


def main() -> None:
    """Run the command line with the arguments of this process, and exit."""
    sys.exit(run(sys.argv[1:]))


def run(arguments: Sequence[str]) -> int:
    """Run the command line, and return the exit status.

    0 if all went well, 1 if the work failed, 2 if what was asked for is wrong, 130 after Ctrl-C.
    """
    try:
        status = _status(arguments)
        sys.stdout.flush()
    except BrokenPipeError:
        # Whoever read our output is gone: Python must not try to flush it once more at exit
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    return status


def _status(arguments: Sequence[str]) -> int:
    try:
        from tonesmith.cli.app import build_app

        build_app(arguments)(args=list(arguments), prog_name="tonesmith")
    except SystemExit as stop:
        return stop.code if isinstance(stop.code, int) else int(stop.code is not None)
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        raise
    except TonesmithError as error:
        if os.environ.get(TRACEBACK) == "1":
            import traceback

            echo("".join(traceback.format_exception(error)), err=True)
        say(f"error: {error}")
        return error.exit_code
    except Exception as error:  # noqa: BLE001 - whatever was not foreseen is told in one line
        say(f"error: {unforeseen(error)}")
        return 1
    return 0
