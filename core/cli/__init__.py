"""The command line: the entry point of ``tonesmith``, and its exit status."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
from collections.abc import Sequence
from typing import TextIO

from tonesmith.cli.kept_page import keeping_page, kept_page
from tonesmith.errors import TRACEBACK, TonesmithError, unforeseen
from tonesmith.terminal.messages import echo, say


def main() -> None:
    """Run the command line with the arguments of this process, and exit."""
    _heed_ends()
    sys.exit(run(sys.argv[1:], keeping=True))


def _heed_ends() -> None:
    """Let SIGTERM and SIGHUP end a command as Ctrl-C does: with a word, and without leaving processes or files behind.

    One that is ignored stays so: that is what nohup asks for.
    """
    for name in ("SIGTERM", "SIGHUP"):
        number = getattr(signal, name, None)
        if number is not None and signal.getsignal(number) == signal.SIG_DFL:
            signal.signal(number, signal.default_int_handler)


def run(arguments: Sequence[str], *, keeping: bool = False) -> int:
    """Run the command line, and return the exit status.

    0 if all went well, 1 if the work failed, 2 if what was asked for is wrong, 130 after Ctrl-C. Where nobody wants to
    hear of it (``>&-``), it is as if somebody had; where the output does not fit (a full disk), the work has failed.
    Nothing depends on the error stream.

    Args:
        arguments: words after the name of the program.
        keeping: whether the first page of the help may come from the user's cache, and be kept there.
    """
    _open_streams()
    status = _status(list(arguments), keeping)
    status = _flushed(status)
    try:
        sys.stderr.flush()
    except OSError:
        _silence(sys.stderr)
    return status


def _flushed(status: int) -> int:
    """Return the exit status once all that was printed has arrived, or has not."""
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        _silence(sys.stdout)
        return 1
    except OSError as error:
        _silence(sys.stdout)
        _say_error(f"standard output: {error.strerror}.")
        return status or 1
    return status


def _open_streams() -> None:
    """Give streams that are closed a place to write to: Python has None there, which few who print ask for."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115, PTH123 - as long as the process


def _silence(stream: TextIO) -> None:
    """Let Python not try to write once more at its exit what could not be written."""
    with contextlib.suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def _say_error(text: str) -> None:
    say(f"error: {text}")


def _status(arguments: list[str], keeping: bool) -> int:
    try:
        return _done(arguments, keeping)
    except SystemExit as stop:
        return stop.code if isinstance(stop.code, int) else int(stop.code is not None)
    except KeyboardInterrupt:
        say("stopped.")
        return 130
    except BrokenPipeError:
        return 1
    except TonesmithError as error:
        if os.environ.get(TRACEBACK) == "1":
            import traceback

            echo("".join(traceback.format_exception(error)), err=True)
        _say_error(str(error))
        return error.exit_code
    except Exception as error:  # noqa: BLE001 - whatever was not foreseen is told in one line
        return _failed(error)


def _done(arguments: list[str], keeping: bool) -> int:
    """Do what was asked for, and return the exit status."""
    kept = keeping and arguments in (["--help"], ["-h"])
    if kept and (page := kept_page()):
        sys.stdout.write(page)
        return 0
    from tonesmith.cli.app import build_app

    with keeping_page() if kept else contextlib.nullcontext():
        status = build_app(arguments)(args=arguments, prog_name="tonesmith", standalone_mode=False)
    return status if isinstance(status, int) else 0


def _failed(error: Exception) -> int:
    """Say what went wrong, and return the exit status."""
    from tonesmith.cli.usage import help_alone, is_usage_error, usage_text

    if not is_usage_error(error):
        _say_error(_told(error))
        return 1
    if page := help_alone(error):
        sys.stderr.write(f"{page}\n")
    else:
        _say_error(usage_text(error))
    return 2


def _told(error: Exception) -> str:
    """Return what to say of an error that is none of ours. What the system does not let us do is nobody's fault."""
    if not isinstance(error, OSError) or os.environ.get(TRACEBACK) == "1":
        return unforeseen(error)
    where = f"{error.filename}: " if error.filename else ""
    return f"{where}{error.strerror or error}."
