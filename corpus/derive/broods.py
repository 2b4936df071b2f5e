"""The children of many items: made in processes, or in this one where they are few, and told in the items' order."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from tonesmith.corpus.crew import Crew
from tonesmith.corpus.derive.brood import Breeding, Brood, Job
from tonesmith.corpus.derive.chain import Chain
from tonesmith.corpus.media import Kind
from tonesmith.engine.machine import cores
from tonesmith.host.registry import Host

_MODULE: Final = "tonesmith.corpus.derive.augment_worker"
_FEW: Final[Mapping[Kind, int]] = {"score": 250, "audio": 4}
"""Children for which a process more is worth its start."""


def processes(children: Mapping[Kind, int], jobs: int, chains: Iterable[Chain], workers: int) -> int:
    """Return in how many processes children are best made; 0 for in this one.

    Args:
        children: score and audio -> how many are to be made.
        jobs: that ask for some.
        chains: of augmenters. One that is no built-in may end its process.
        workers: that are asked for; 0 for one a core, or none for a few children of built-in augmenters.
    """
    worth = 1 + int(sum(count / _FEW[kind] for kind, count in children.items()))
    count = min(workers or min(cores(), worth), jobs)
    foreign = any(Host.load().third_party("augmenter", a.name) for chain in chains for a in chain.augmenters)
    return count if count > 1 or workers > 1 or foreign else 0


def broods(
    folder: Path, chains: Mapping[Kind, Chain], jobs: Iterable[Job], count: int, *, dry_run: bool
) -> Generator[tuple[Job, Brood], None, None]:
    """Yield jobs with what becomes of each, in their order.

    Args:
        folder: of the corpus.
        chains: score and audio -> the augmenters, all of one seed.
        jobs: to do; they are asked for as they are begun.
        count: of processes; 0 to do them in this one.
        dry_run: whether to draw only.

    Raises :class:`RunError` if no process can be set up.
    """
    if not count:
        breeding = Breeding(folder, chains, dry_run=dry_run)
        yield from ((job, breeding.brood(job)) for job in jobs)
        return
    early: dict[int, tuple[Job, Brood]] = {}

    def asking() -> Iterator[tuple[tuple[int, Job], dict[str, Any]]]:
        for number, job in enumerate(jobs):
            if job.numbers:
                yield (number, job), asdict(job)
            else:
                early[number] = (job, Brood())

    told = {kind: [[name, options] for name, _, options in chain.told] for kind, chain in chains.items()}
    seed = next(iter(chains.values())).seed
    setup = {"path": str(folder.absolute()), "chains": told, "seed": seed, "dry_run": dry_run}
    place = 0
    with Crew(_MODULE, setup, asking(), count) as crew:
        for (number, job), made, why in crew.results():
            early[number] = job, Brood(refused=why) if made is None else Brood.from_json(made, chains[job.kind])
            while place in early:
                yield early.pop(place)
                place += 1
    yield from (early[number] for number in sorted(early))
