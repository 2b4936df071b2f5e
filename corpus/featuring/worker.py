"""A worker process that computes features of the items that its parent names.

Started by :mod:`tonesmith.corpus.featuring.crew` as ``python -m tonesmith.corpus.featuring.worker``.
"""

from __future__ import annotations

from pathlib import Path

from tonesmith.corpus.featuring.asked import Asked
from tonesmith.corpus.featuring.computed import Computing, Subject
from tonesmith.engine.answering import answering


def main() -> None:
    """Compute what the parent asks for, until it closes the channel."""
    with answering() as channel:
        setup, _ = channel.receive()
        computing = Computing(Path(setup["path"]), [Asked(**told) for told in setup["asked"]])
        channel.send({"ready": True})
        while True:
            request, _ = channel.receive()
            channel.send({"made": computing.of(Subject(**request["subject"]), request["names"])})


if __name__ == "__main__":
    main()
