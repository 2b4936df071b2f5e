"""A worker process of a conversion or a merge: it carries the blocks over that its parent names.

Started by :mod:`tonesmith.transfer.blocks` as ``python -m tonesmith.transfer.worker``.
"""

from __future__ import annotations

import os

from tonesmith.buckets.address import place_of
from tonesmith.engine.channel import channel_to_parent
from tonesmith.errors import TonesmithError, unforeseen
from tonesmith.host.registry import Host
from tonesmith.plan.plan import Plan
from tonesmith.transfer.blocks import Feed, carry


def main() -> None:
    """Carry over what the parent asks for, until it closes the channel."""
    channel = channel_to_parent()
    try:
        setup, _ = channel.receive()
        plan = Plan.from_json(setup["plan"])
        sink = Host.load().sink_at(plan.sink.name, plan.sink.options, place_of(setup["path"]))
        feed = Feed([place_of(path) for path in setup["paths"]], plan, sink.stored if sink.lossy else None)
        channel.send({"ready": True})
        while True:
            request, _ = channel.receive()
            damaged = carry(feed, sink, request["block"], request["rows"])
            channel.send({"block": request["block"], "damage": damaged.what if damaged else ""})
    except EOFError:
        pass
    except (TonesmithError, OSError) as error:
        channel.send({"failed": str(error)})
    except Exception as error:  # noqa: BLE001 - the parent decides, and says it
        channel.send({"failed": f"a worker failed: {unforeseen(error)}"})
    finally:
        os._exit(0)


if __name__ == "__main__":
    main()
