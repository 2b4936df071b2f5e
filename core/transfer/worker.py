"""A worker process of a conversion or a merge: it carries the blocks over that its parent names.

Started by :mod:`tonesmith.transfer.blocks` as ``python -m tonesmith.transfer.worker``.
"""

from __future__ import annotations

from tonesmith.buckets.address import place_of
from tonesmith.engine.answering import answer_blocks, answering
from tonesmith.host.registry import Host
from tonesmith.plan.plan import Plan
from tonesmith.transfer.blocks import Feed, carry


def main() -> None:
    """Carry over what the parent asks for, until it closes the channel."""
    with answering() as channel:
        setup, _ = channel.receive()
        plan = Plan.from_json(setup["plan"])
        sink = Host.load().sink_at(plan.sink.name, plan.sink.options, place_of(setup["path"]))
        feed = Feed([place_of(path) for path in setup["paths"]], plan, sink.stored if sink.lossy else None)

        def carried(block: int, rows: int) -> str:
            damaged = carry(feed, sink, block, rows)
            return damaged.what if damaged else ""

        answer_blocks(channel, carried)


if __name__ == "__main__":
    main()
