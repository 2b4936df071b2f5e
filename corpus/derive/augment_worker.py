"""A worker process that makes the children that its parent asks for.

Started by :mod:`tonesmith.corpus.derive.broods` as ``python -m tonesmith.corpus.derive.augment_worker``.
"""

from __future__ import annotations

from pathlib import Path

from tonesmith.corpus.derive.brood import Breeding, Job
from tonesmith.corpus.derive.chain import Chain, augmenter_of
from tonesmith.engine.answering import answering


def main() -> None:
    """Make what the parent asks for, until it closes the channel."""
    with answering() as channel:
        setup, _ = channel.receive()
        chains = {
            kind: Chain(kind, tuple(augmenter_of(name, options) for name, options in every), setup["seed"])
            for kind, every in setup["chains"].items()
        }
        breeding = Breeding(Path(setup["path"]), chains, dry_run=setup["dry_run"])
        channel.send({"ready": True})
        while True:
            request, _ = channel.receive()
            channel.send({"made": breeding.brood(Job(**request)).to_json()})


if __name__ == "__main__":
    main()
