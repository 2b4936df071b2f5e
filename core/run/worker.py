"""A worker process: it makes blocks and stores them, and tells its parent of every candidate.

Started by :mod:`tonesmith.run.workers` as ``python -m tonesmith.run.worker``.
"""

from __future__ import annotations

import errno
import os
import platform
import traceback
from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any

from tonesmith.buckets.address import place_of
from tonesmith.engine.channel import Channel, channel_to_parent
from tonesmith.engine.client import LOAD_SECONDS
from tonesmith.engine.outcome import Outcome
from tonesmith.engine.overheard import aloud, is_traced, overhearing
from tonesmith.engine.refusal import advice, refusal
from tonesmith.errors import DatasetNotFoundError, ResourceError, RunError, TonesmithError, unforeseen
from tonesmith.host.registry import Host
from tonesmith.host.roles import Sink, Storage
from tonesmith.plan.plan import Plan
from tonesmith.plan.rejection import Rejection, is_fault
from tonesmith.run.produce import Watch, Workbench, produce_block
from tonesmith.run.retried import tried
from tonesmith.space.patch import Candidate


class _Reporter(Watch):
    """Tells the parent of each candidate, and keeps faults safe before anything else happens."""

    def __init__(self, channel: Channel, sink: Sink[Any], recorded: Sequence[Rejection]) -> None:
        self._channel = channel
        self._sink = sink
        self._recorded = {(fault.patch, fault.attempt) for fault in recorded}

    def trying(self, candidate: Candidate) -> None:
        self._channel.send({"trying": [candidate.patch, candidate.attempt]})

    def again(self, candidate: Candidate, outcome: Outcome) -> None:
        told = f"{outcome.failure}: {outcome.detail}"
        self._channel.send({"again": [candidate.patch, candidate.attempt], "why": told})

    def accepted(self, candidate: Candidate, rows: int) -> None:
        self._channel.send({"accepted": rows})

    def rejected(self, rejection: Rejection) -> None:
        key = (rejection.patch, rejection.attempt)
        if is_fault(rejection) and key not in self._recorded:
            self._sink.record_fault(rejection)
            self._recorded.add(key)
        self._channel.send({"rejected": rejection.to_json()})


def main() -> None:
    """Make the blocks that the parent asks for, until it closes the channel."""
    channel = channel_to_parent()
    try:
        setup, _ = channel.receive()
        with overhearing(aloud) if setup.get("heard") and not is_traced() else nullcontext():
            patience = setup.get("load_seconds", LOAD_SECONDS)
            _work(channel, Plan.from_json(setup["plan"]), place_of(setup["path"]), patience)
    except EOFError:
        pass
    except Exception as error:  # noqa: BLE001 - the parent decides, and says it
        channel.send(
            {
                "failed": _described(error),
                "expected": isinstance(error, TonesmithError | OSError | MemoryError),
                "refused": isinstance(error, ResourceError) or bool(_lacking(error)),
                "trace": "".join(traceback.format_exception(error)).rstrip(),
            }
        )
    finally:
        os._exit(0)


def _work(channel: Channel, plan: Plan, path: Path, load_seconds: float) -> None:
    host = Host.load()
    sink = host.sink_at(plan.sink.name, plan.sink.options, path)
    storage = _opened(sink, plan)
    with Workbench(plan, host, storage.asset, sink.stored, load_seconds) as bench:
        channel.send({"ready": True})
        while True:
            request, _ = channel.receive()
            if "try" in request:
                channel.send(*tried(bench, request, _Reporter(channel, sink, ())))
                continue
            faults = sink.faults()
            block = produce_block(bench, request["block"], faults, _Reporter(channel, sink, faults))
            for content in block.assets.values():
                sink.add_asset(content)
            sink.write_block(block)
            channel.send({"committed": block.index, "rows": block.rows})


def _opened(sink: Sink[Any], plan: Plan) -> Storage:
    """Return the dataset of the run. On another machine, its path may lead nowhere, or to another dataset."""
    try:
        storage = type(sink).open(sink.path)
    except DatasetNotFoundError:
        fault = f"is not there on {platform.node()}, where a worker was started"
    else:
        if storage.attributes.get("fingerprint") == plan.fingerprint:
            return storage
        fault = f"is a dataset of another plan on {platform.node()}, where a worker was started"
    raise RunError(
        f"{sink.path} {fault}. Every machine that makes blocks must see the dataset at the same path: put it on a disk "
        "that they share."
    )


def _described(error: Exception) -> str:
    if isinstance(error, TonesmithError):
        return str(error)
    if what := _lacking(error):
        return advice(what)
    if isinstance(error, OSError):
        cause = "the disk is full" if error.errno == errno.ENOSPC else str(error)
        return f"the dataset could not be written: {cause}. Finished blocks are kept. Run the same command to resume."
    return unforeseen(error)


def _lacking(error: Exception) -> str:
    """Return what the machine ran out of; a full disk has words of its own."""
    return "" if isinstance(error, OSError) and error.errno == errno.ENOSPC else refusal(error)


if __name__ == "__main__":
    main()
