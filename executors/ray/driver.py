"""The process that speaks with Ray for a run: it joins the cluster, and passes messages on in both directions.

Started by :mod:`tonesmith.executors.ray.link` as ``python -m tonesmith.executors.ray.driver``.
"""

from __future__ import annotations

import os
import signal
import threading
import time
from typing import Any

from tonesmith.engine.channel import Channel, channel_to_parent
from tonesmith.errors import TonesmithError
from tonesmith.executors.ray.cluster import Cluster, Place, ray
from tonesmith.terminal.text import one_line

_ENDING_SECONDS = 10.0
"""How long workers may take to end at the end of a run."""


def main() -> None:
    """Do what the parent asks for, until it closes the channel."""
    channel = channel_to_parent()
    try:
        _Driver(channel).serve()
    except EOFError:
        pass
    finally:
        os._exit(0)


class _Driver:
    def __init__(self, channel: Channel) -> None:
        self._channel = channel
        self._lock = threading.Lock()
        self._followers: dict[int, _Follower] = {}

    def serve(self) -> None:
        request, _ = self._channel.receive()
        self._cluster = Cluster(request["address"])
        try:
            self.tell({"cpus": self._cluster.join()})
            self._cluster.place().wait()
        except TonesmithError as error:
            self.tell({"failed": str(error)})
        except Exception as error:  # noqa: BLE001 - whatever Ray raises of its first actor
            self.tell({"failed": f"the first actor in the Ray cluster failed: {one_line(error, 500)}"})
        else:
            self.tell({"open": True})
        try:
            while True:
                self._obey(*self._channel.receive())
        finally:
            self._end()
            self._cluster.leave()

    def tell(self, message: dict[str, Any]) -> None:
        """Tell the parent something. Any thread may."""
        with self._lock:
            self._channel.send(message)

    def _end(self) -> None:
        """Kill the workers that still run; those that were told to end come to that first."""
        deadline = time.monotonic() + _ENDING_SECONDS
        for number, follower in self._followers.items():
            if follower.place.found and follower.thread.is_alive():
                follower.place.actor.kill.remote(number)
        for follower in self._followers.values():
            if follower.place.found:
                follower.thread.join(max(0.0, deadline - time.monotonic()))

    def _obey(self, request: dict[str, Any], _: bytes) -> None:
        number = request["worker"]
        if "start" in request:
            self._followers[number] = _Follower(self, number, self._cluster.place(), request["start"])
        elif "send" in request:
            self._followers[number].place.actor.send.remote(number, request["send"])
        elif "end" in request:
            self._followers[number].place.actor.end.remote(number)
        elif "kill" in request:
            self._followers[number].place.actor.kill.remote(number)
        else:
            self._followers[number].place.give_up()


class _Follower:
    """Passes on what a worker sends, until it has ended."""

    def __init__(self, driver: _Driver, number: int, place: Place, start: dict[str, Any]) -> None:
        place.taken = True
        self.place = place
        self._driver = driver
        self._number = number
        place.actor.begin.remote(number, **start)
        self.thread = threading.Thread(target=self._follow, daemon=True)
        self.thread.start()

    def _follow(self) -> None:
        end: dict[str, Any] = {"end": [int(signal.SIGKILL), "no CPU of the Ray cluster became free"], "words": ""}

        try:
            node = self.place.wait()
            end["end"][1] = f"its Ray actor on {node} was killed or lost"
            self._tell({"placed": True})
            listen = self.place.actor.listen.options(num_returns="streaming", concurrency_group="listen")
            for reference in listen.remote(self._number):
                for told in ray().get(reference):
                    if "end" in told:
                        end = told
                    else:
                        self._tell(told)
        except TonesmithError as error:
            end["end"] = [0, str(error)]
            self.place.give_up()
        except ray().exceptions.RayError as error:
            self.place.lost = True
            end["words"] = one_line(error, 500)
        self.place.taken = False
        self._tell(end)

    def _tell(self, told: dict[str, Any]) -> None:
        self._driver.tell({"worker": self._number, **told})


if __name__ == "__main__":
    main()
