"""Features computed in processes, or in this one where they are few."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from tonesmith.corpus.crew import Crew
from tonesmith.corpus.featuring.asked import Asked
from tonesmith.corpus.featuring.computed import Computing, Subject
from tonesmith.engine.machine import cores
from tonesmith.host.registry import Host

Task = tuple[Subject, tuple[str, ...]]
"""A medium, and the names of the features that are to be computed of it."""
_FEW: Final = 8
"""Tasks for which a process more is worth its start."""
_MODULE: Final = "tonesmith.corpus.featuring.worker"


def worked(folder: Path, asked: Sequence[Asked], tasks: Sequence[Task], workers: int) -> Iterator[tuple[Task, Any]]:
    """Yield tasks with name -> what was made of them, as they are done.

    Args:
        folder: of the corpus.
        asked: features.
        tasks: to do.
        workers: processes; 0 for one a core, or none for a few tasks of built-in features.

    Raises :class:`RunError` if no process can be set up.
    """
    count = min(workers or cores(), -(-len(tasks) // _FEW))
    foreign = any(Host.load().third_party("feature", one.name) for one in asked)  # which may end their process
    if count < 2 and workers < 2 and not foreign:
        computing = Computing(folder, asked)
        yield from ((task, computing.of(*task)) for task in tasks)
        return
    setup = {"path": str(folder.absolute()), "asked": [asdict(one) for one in asked]}
    asking = ((task, {"subject": asdict(task[0]), "names": list(task[1])}) for task in tasks)
    with Crew(_MODULE, setup, asking, min(max(count, workers, 1), len(tasks))) as crew:
        for task, made, why in crew.results():
            yield task, made if made is not None else {name: {"refused": why} for name in task[1]}
