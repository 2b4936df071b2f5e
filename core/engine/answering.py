"""The life of a worker process that answers its parent: what ends it is told, and nothing of it goes on."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from tonesmith.engine.channel import Channel, channel_to_parent
from tonesmith.errors import TonesmithError, unforeseen


@contextmanager
def answering() -> Iterator[Channel]:
    """Give the channel to the parent, and end this process after the ``with`` block.

    The block ends when the parent closes the channel. Any other error of it is told as ``failed``, a sentence.
    """
    channel = channel_to_parent()
    try:
        yield channel
    except EOFError:
        pass
    except (TonesmithError, OSError) as error:
        channel.send({"failed": str(error)})
    except Exception as error:  # noqa: BLE001 - the parent decides, and says it
        channel.send({"failed": f"a worker failed: {unforeseen(error)}"})
    finally:
        os._exit(0)


def answer_blocks(channel: Channel, done: Callable[[int, int], str]) -> None:
    """Do what the parent asks for, a block at a time, until it closes the channel: :exc:`EOFError` then ends this.

    Args:
        channel: to it.
        done: does the work of a block, given its index and rows, and returns what is damaged there, or "".
    """
    channel.send({"ready": True})
    while True:
        request, _ = channel.receive()
        channel.send({"block": request["block"], "damage": done(request["block"], request["rows"])})
