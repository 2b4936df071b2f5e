"""Faust's compiler in a process of its own: what it says of a program, and the program as bitcode.

Run as a script by :mod:`tonesmith.backends.dawdreamer.compiler`, in an empty folder. It reads a request in JSON from
standard input and writes the answer in JSON to standard output. It imports nothing of tonesmith, to start quickly.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import re
import sys
from pathlib import Path
from typing import Any

_NEW_NETWORK, _NEW_USER = 0x40000000, 0x10000000
"""CLONE_NEWNET and CLONE_NEWUSER of linux/sched.h."""
_MOST_MEMORY = 8 << 30
_MOST_WRITTEN = 64 << 20
_CONSTANT = re.compile(r"\s*(?:fSampleRate|[a-z]Const\d+) = ")
_DRAWS = re.compile(r"\b(arc4random\w*|rand|random|drand48|lrand48)\s*\(")


def main() -> None:
    """Answer one request."""
    answer = os.dup(1)
    os.dup2(2, 1)  # Faust prints
    request = json.load(sys.stdin)
    confine()
    try:
        told = compiled(request["source"], request["flags"])
    except RuntimeError as error:
        told = {"failed": str(error)}
    with os.fdopen(answer, "w", encoding="utf-8") as stream:
        json.dump(told, stream)


def confine() -> None:
    """Take the network and large amounts of memory and disk away from this process, where the system lets it.

    The source was checked before. This is for what the check, or Faust's parser, may have missed.
    """
    if sys.platform != "linux":
        return
    import resource

    for limit, most in ((resource.RLIMIT_AS, _MOST_MEMORY), (resource.RLIMIT_FSIZE, _MOST_WRITTEN)):
        with contextlib.suppress(OSError, ValueError):
            resource.setrlimit(limit, (most, most))
    with contextlib.suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    unshare = getattr(ctypes.CDLL(None), "unshare", None)
    if unshare is not None and unshare(_NEW_NETWORK) != 0:
        unshare(_NEW_USER | _NEW_NETWORK)


def compiled(source: str, flags: list[str]) -> dict[str, Any]:
    """Return the bitcode of a program and what Faust says of it. Raises ``RuntimeError`` with Faust's words."""
    import dawdreamer

    Path("out").mkdir(exist_ok=True)
    engine: Any = dawdreamer.RenderEngine(44100, 512)  # it must outlive its processor
    processor = engine.make_faust_processor("instrument")
    processor.num_voices = 0
    processor.auto_import = ""  # it would move the line numbers of Faust's messages
    processor.compile_flags = [*flags, "-json", "-O", "out"]
    processor.set_dsp_string(source)
    processor.compile()
    lines = constants_of(source, flags)
    return {
        "bitcode": processor.__getstate__()["bitcode"],
        "description": next(Path("out").glob("*.json")).read_text(encoding="utf-8", errors="replace"),
        "remembers": not lines or not all(_CONSTANT.match(line) for line in lines[1]),
        "draws": next(iter(_DRAWS.findall(lines[0])), "") if lines else "",
    }


def constants_of(source: str, flags: list[str]) -> tuple[str, list[str]] | None:
    """Return a program in C++, and the lines that set what its ``instanceClear`` leaves alone; None if it has none.

    DawDreamer begins a render with ``instanceClear``. Tables that a program writes to, the place in a waveform and the
    state of ``prefix`` are set once, with the constants, and so would be heard in the next note.
    """
    from dawdreamer.faust import FaustContext, box

    libraries = Path(sys.modules["dawdreamer"].__file__ or "").with_name("faustlibraries")
    arguments = ["-I", str(libraries), "-I", str(libraries / "dx7"), *flags]
    try:
        with FaustContext():
            text = str(box.boxToSource(box.boxFromDSP(source, arguments), "cpp", "mydsp", arguments))
    except (RuntimeError, UnicodeError):
        return None
    _, _, body = text.partition("void instanceConstants(int sample_rate) {")
    lines = body.partition("\n\t}")[0].splitlines()
    return text, [line for line in lines if line.strip()]


if __name__ == "__main__":
    main()
