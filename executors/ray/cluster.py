"""A Ray cluster that is joined or started, and its CPUs. Used in a process of its own, by ``driver``."""

from __future__ import annotations

import importlib
import os
import socket
from contextlib import suppress
from pathlib import Path
from typing import Any

from tonesmith.engine.machine import cores
from tonesmith.errors import RunError
from tonesmith.executors.ray.actor import Actor, version
from tonesmith.terminal.text import one_line

_REACHED_IN = 5.0
_SMALLEST_STORE = 78_643_200
"""Bytes of Ray's object store, of which it takes no less. Our messages are small and never get there."""
_SETTINGS = {
    "RAY_USAGE_STATS_ENABLED": "0",  # else it reports to its makers
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",  # else it warns of what it will do one day
    "RAY_raylet_start_wait_time_s": "600",  # else a busy machine fails after 30 s; there is a limit of our own
}
"""Variables that Ray reads; those of the user's environment are left as they are."""


def ray() -> Any:
    """Return Ray, which takes a second to import."""
    return importlib.import_module("ray")


class Place:
    """An actor that has a CPU, or waits for one.

    Attributes:
        actor: the handle of an :class:`Actor`.
        taken: whether a worker has it.
        found: whether it has a CPU, as far as anybody waited for it.
        lost: whether it is gone.
    """

    def __init__(self) -> None:
        settings = {"num_cpus": 1, "max_restarts": 0, "max_task_retries": 0, "concurrency_groups": {"listen": 1}}
        self.actor: Any = ray().remote(**settings)(Actor).remote()
        self.taken = False
        self.found = False
        self.lost = False
        self._hello = self.actor.hello.remote()

    def wait(self) -> str:
        """Wait until it has a CPU, and return the name of the machine.

        Raises :class:`RunError` if tonesmith is another there, and an error of Ray if the actor died.
        """
        there, node = ray().get(self._hello)
        self.found = True
        if there != version():
            raise RunError(f"{node} has {there}, and this machine has {version()}. Install the same version on both.")
        return str(node)

    def give_up(self) -> None:
        """Kill the actor; its worker dies with it."""
        self.lost = True
        with suppress(ray().exceptions.RayError):
            ray().kill(self.actor)


class Cluster:
    """A Ray cluster while a run uses it.

    Args:
        address: of the cluster; "" for what the environment names, else for one of its own.
    """

    def __init__(self, address: str) -> None:
        self._address = address or os.environ.get("RAY_ADDRESS", "")
        self._places: list[Place] = []

    def join(self) -> int:
        """Join the cluster, or start it, and return the number of its CPUs. Raises :class:`RunError` if that fails."""
        self._check_reached()
        for name, value in _SETTINGS.items():
            os.environ.setdefault(name, value)
        own: dict[str, Any] = {"num_cpus": cores(), "object_store_memory": _SMALLEST_STORE, "include_dashboard": False}
        try:
            ray().init(
                self._address or "local", logging_level="ERROR", log_to_driver=False, **({} if self._address else own)
            )
        except Exception as error:  # Ray raises whatever it meets
            raise RunError(self._told(error)) from error
        cpus = int(ray().cluster_resources().get("CPU", 0))
        if not cpus:
            raise RunError(f"the Ray cluster at {self._address} has no CPU for work.")
        return cpus

    def place(self) -> Place:
        """Return a place that is free, or a new one, which may have to wait for a CPU."""
        self._places = [place for place in self._places if not place.lost]
        for place in self._places:
            if not place.taken:
                return place
        self._places.append(Place())
        return self._places[-1]

    def leave(self) -> None:
        """Kill the actors, and leave the cluster; one that was started here ends."""
        for place in self._places:
            place.give_up()
        ray().shutdown()

    def _check_reached(self) -> None:
        """Raise :class:`RunError` at once where nobody listens, for which Ray waits a minute."""
        if self._address.startswith("ray://"):
            raise RunError(f"{self._address} is an address of Ray Client, which cannot be used. Give HOST:PORT.")
        host, colon, port = self._address.rpartition(":")
        if not colon or not port.isdecimal() or "/" in host:
            return
        try:
            socket.create_connection((host.strip("[]"), int(port)), _REACHED_IN).close()
        except OSError as error:
            raise RunError(
                f"no Ray cluster answers at {self._address}: {error.strerror or error}. `ray status` on its head tells "
                "whether it runs."
            ) from None

    def _told(self, error: Exception) -> str:
        what = f"join the Ray cluster at {self._address}" if self._address else "start Ray on this machine"
        told = f"{type(error).__name__}: {error}".replace(str(Path.home()), "HOME")
        hint = next((hint for word, hint in _HINTS.items() if word in told), "")
        return f"could not {what}: {one_line(error, 300).rstrip('.')}. {hint}".rstrip()


_HINTS = {
    "AF_UNIX": "Set RAY_TMPDIR to a folder with a short path.",
    "'HOME": "Ray keeps a token in HOME: make that a folder that can be written to, or set RAY_AUTH_TOKEN_PATH.",
    "uthentication": "Use the token of the cluster: copy ~/.ray/auth_token from its head, or set RAY_AUTH_TOKEN.",
    "timed out": "Try again when the machine is less busy.",
}
"""Part of an error of Ray -> what to do about it."""
