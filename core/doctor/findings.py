"""What an examination says of a file, of an engine's own words, of what is pinned, and of rows that do not repeat."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from tonesmith.doctor.checkup import Finding
from tonesmith.errors import TonesmithError
from tonesmith.host.binary import file_fault
from tonesmith.host.roles import Backend, Options
from tonesmith.pinning.start import HOLDABLE, Held
from tonesmith.terminal.text import joined

_HASH = re.compile(r"\b[0-9a-f]{40,}\b")

UNREPEATED = (
    "A row may sound different when another process renders it again, as verify --render and a resumed run do: hold "
    "what draws random numbers in the synth, or take the stored audio for the truth."
)


def shortened(text: str) -> str:
    """Return a text with the first 12 digits alone of each hash in it."""
    return _HASH.sub(lambda digest: f"{digest[0][:12]}...", text)


def file_finding(backend: type[Backend[Any]], options: Options) -> tuple[Finding, ...]:
    """Return what is wrong with the file of an engine, if the backend names one."""
    try:
        path = backend.binary(options)
    except TonesmithError:
        return ()  # loading it will tell
    fault = file_fault(path) if path is not None else None
    return (Finding("file", "fail", fault.text, fault.cure),) if fault else ()


def pinned_finding(held: Sequence[Held]) -> Finding:
    """Return what is said of processes that were to be pinned."""
    if set(held) == set(HOLDABLE):
        return Finding("pinned", "ok", f"{joined(held)} are held still")
    missing = [thing for thing in HOLDABLE if thing not in held]
    still = f"{joined(held)} are held still, but {joined(missing)} are not" if held else "nothing is held still"
    if "clocks" in held:
        return Finding(
            "pinned", "warn", f"{still}: this system does not let a process have fixed addresses", _CONTAINER
        )
    return Finding(
        "pinned", "warn", f"{still}: that takes Linux on x86-64 with glibc, and leave to run code from memory"
    )


_CONTAINER = "Containers refuse the system call personality unless they are told to allow it."
