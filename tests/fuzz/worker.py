"""Reads many damaged files of one kind, in a process of its own with little memory: ``python -m fuzz.worker``.

Arguments: a folder to work in, and KIND:FIRST:COUNT for each kind, with the first seed and the number of mutants. It
prints kind and seed of each mutant before it reads it, so that whoever watches knows which one it died of, and a line
of JSON for each failure.
"""

from __future__ import annotations

import json
import os
import random
import resource
import shutil
import signal
import sys
import traceback
import warnings
from collections.abc import Sequence
from pathlib import Path

from fuzz.kinds import KINDS, Kind
from fuzz.mutations import damaged_bytes, damaged_json, replaced

from tonesmith.errors import TonesmithError

MEMORY = 2**31
"""Bytes that may be taken beside what the process has once all is loaded."""
SECONDS = 20
"""Of the processor, that reading one damaged file may take."""
_ATTEMPTS = 2


class _TooLongError(BaseException):
    """A damaged file keeps its reader busy."""


def main(folder: Path, jobs: Sequence[str]) -> None:
    """Read mutants, and print what fails."""
    warnings.simplefilter("ignore")
    signal.signal(signal.SIGVTALRM, _stop)
    signal.signal(signal.SIGALRM, _stop)
    for job in jobs:
        name, first, count = job.split(":")
        kind, sound = KINDS[name], folder / name
        sound.mkdir()
        path = kind.make(sound)
        for use in kind.uses.values():
            use(path)  # so that all is loaded, and the sample is known to be read
        _limit_memory()
        for seed in range(int(first), int(first) + int(count)):
            print(f"{name}:{seed}", flush=True)
            _try(kind, sound, path.relative_to(sound), seed)
        resource.setrlimit(resource.RLIMIT_AS, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))


def _try(kind: Kind, sound: Path, relative: Path, seed: int) -> None:
    dice = random.Random(f"{kind.name}/{seed}")
    files = sorted(file for file in sound.rglob("*") if file.is_file() and not file.is_symlink())
    file = dice.choice(files)
    content, status = file.read_bytes(), file.stat()
    changed = [file]
    try:
        told = _damage(dice, file, content, changed)
        for use in dice.sample(sorted(kind.uses), min(len(kind.uses), _ATTEMPTS)):
            _read(
                kind,
                use,
                sound / relative,
                {"seed": seed, "kind": kind.name, "file": str(file.relative_to(sound)), "damage": told},
            )
    finally:
        for one in changed:
            _remove(one)
        file.write_bytes(content)
        os.utime(file, ns=(status.st_atime_ns, status.st_mtime_ns))


def _damage(dice: random.Random, file: Path, content: bytes, changed: list[Path]) -> str:
    file.unlink()
    if dice.random() < 0.08:
        return replaced(dice, file)
    is_json = content[:1] in {b"{", b"["}
    told, made = (damaged_json if is_json and dice.random() < 0.8 else damaged_bytes)(dice, content)
    if file.parent.name == "blocks" and dice.random() < 0.8:  # the name of a marker tells its size
        file = file.with_name(f"{file.stem.rpartition('-')[0]}-{len(made)}.json")
        changed.append(file)
    file.write_bytes(made)
    return told


def _read(kind: Kind, use: str, path: Path, told: dict[str, object]) -> None:
    signal.setitimer(signal.ITIMER_VIRTUAL, SECONDS)
    signal.alarm(5 * SECONDS)
    try:
        kind.uses[use](path)
    except TonesmithError as error:
        if kind.named and str(path) not in str(error):
            _tell(told, use, f"names no file: {type(error).__name__}: {error!s:.300}")
    except (Exception, _TooLongError) as error:  # noqa: BLE001 - that is what is looked for
        where = traceback.extract_tb(error.__traceback__)[-3:]
        _tell(
            told, use, f"{type(error).__name__}: {error!s:.200} at {[f'{f.filename[-40:]}:{f.lineno}' for f in where]}"
        )
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.alarm(0)


def _tell(told: dict[str, object], use: str, error: str) -> None:
    print(json.dumps({**told, "use": use, "error": error}), flush=True)


def _stop(*_: object) -> None:
    raise _TooLongError(f"it takes more than {SECONDS} s")


def _limit_memory() -> None:
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    resource.setrlimit(resource.RLIMIT_AS, (pages * resource.getpagesize() + MEMORY, resource.RLIM_INFINITY))


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
