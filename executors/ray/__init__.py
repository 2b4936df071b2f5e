"""The executor ray: workers on the CPUs of a Ray cluster."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from pydantic import Field, field_validator

from tonesmith.errors import check_libraries
from tonesmith.host.hookspecs import hookimpl
from tonesmith.host.roles import Executor, Options

if TYPE_CHECKING:
    from tonesmith.executors.ray.link import Link, RayWorker
    from tonesmith.host.roles.executor import Heard


class RayOptions(Options):
    """Options of :class:`RayExecutor`."""

    address: str = Field(
        "", description="HOST:PORT of the cluster, or auto. Empty: RAY_ADDRESS if set, else a Ray on this machine."
    )
    start_seconds: float = Field(
        120.0, gt=0.0, le=86400.0, description="Time limit for reaching the cluster and a free CPU of it, in seconds."
    )

    @field_validator("address")
    @classmethod
    def _direct(cls, address: str) -> str:
        host, colon, port = address.rpartition(":")
        if address in {"", "auto"} or (host and colon and "/" not in host and port.isdecimal() and int(port) < 65536):
            return address
        if address.startswith("ray://"):
            raise ValueError("ray:// is not supported. Start on a machine of the cluster, with HOST:PORT or auto.")
        raise ValueError("expected HOST:PORT, such as 10.0.0.5:6379, or auto.")


class RayExecutor(Executor[RayOptions]):
    """An actor for each CPU of the cluster, or as many as are asked for. Each holds one clean process.

    Ray places the actors and carries messages. It retries nothing: the run does. This process does not import Ray,
    which brings threads, signal handlers and output of its own, and ends a process that loses its cluster: another
    process does.
    """

    name = "ray"
    summary = "workers on the CPUs of a Ray cluster"
    Options = RayOptions

    def __init__(self, options: RayOptions) -> None:
        super().__init__(options)
        self._link: Link | None = None

    def check(self) -> None:
        """Raise :class:`ConfigError` if Ray is not installed."""
        check_libraries("the executor 'ray'", ("ray",), "ray")

    def open(self, wanted: int) -> int:
        """Join the cluster, or start one, and wait for its first free CPU."""
        from tonesmith.executors.ray.link import Link

        self._link = Link()
        cpus = self._link.open(self.options.address, self.options.start_seconds)
        return min(wanted or cpus, cpus)

    def start(self, module: str, heard: Heard) -> RayWorker:
        """Start a process on a free CPU, or once there is one."""
        assert self._link is not None
        return self._link.worker(module, heard)

    def close(self) -> None:
        """Give back the CPUs, and end a Ray that was started here."""
        if self._link is not None:
            self._link.close()
            self._link = None


@hookimpl
def tonesmith_executors() -> Iterable[type[Executor[Any]]]:
    """Return the executor."""
    return [RayExecutor]
