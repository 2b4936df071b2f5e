"""A bucket on this machine, and a way to it that loses things."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

FAULTS = ("503", "reset", "half", "lost")
"""What becomes of a request: refused for now; cut off at once; answered by half; done, but without an answer."""

_BUSY = b"HTTP/1.1 503 Slow Down\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
_DENIED = b"<Error><Code>AccessDenied</Code></Error>"
_FORBIDDEN = b"HTTP/1.1 403 Forbidden\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s" % (len(_DENIED), _DENIED)


@dataclass
class Bucket:
    """A server of S3 with one bucket.

    Attributes:
        endpoint: where it is.
        name: of the bucket.
    """

    endpoint: str
    name: str
    client: Any = field(repr=False)

    def keys(self, prefix: str = "") -> list[str]:
        """Return the keys of all objects."""
        pages = self.client.get_paginator("list_objects_v2").paginate(Bucket=self.name, Prefix=prefix)
        return [found["Key"] for page in pages for found in page.get("Contents", ())]

    def content(self, key: str) -> bytes:
        """Return what an object holds."""
        body: bytes = self.client.get_object(Bucket=self.name, Key=key)["Body"].read()
        return body


@contextlib.contextmanager
def served(name: str = "bucket") -> Iterator[Bucket]:
    """Give a server of S3 in this process, with an empty bucket."""
    import boto3
    from moto.server import ThreadedMotoServer

    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    keys = {"aws_access_key_id": "key", "aws_secret_access_key": "secret", "region_name": "us-east-1"}
    client = boto3.client("s3", endpoint_url=f"http://{host}:{port}", **keys)
    client.create_bucket(Bucket=name)
    try:
        yield Bucket(f"http://{host}:{port}", name, client)
    finally:
        client.close()
        server.stop()


class Proxy:
    """Hands requests on to a server, and lets some of them fail.

    Args:
        endpoint: of the server.
        seed: decides which requests fail, and how.
        rate: the share of them that do.
        denying: methods that are answered with 403.
    """

    def __init__(self, endpoint: str, seed: int = 0, rate: float = 0.1, denying: tuple[str, ...] = ()) -> None:
        host, _, port = endpoint.removeprefix("http://").partition(":")
        self._server = host, int(port)
        self._random, self._rate, self._denying = random.Random(seed), rate, denying
        self.requests: list[tuple[str, str]] = []
        self.faults: list[str] = []
        self.coming: list[str] = []
        self.endpoint = ""

    def __enter__(self) -> Self:
        started = threading.Event()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._serve, args=[started], daemon=True)
        self._thread.start()
        assert started.wait(10)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)

    def _serve(self, started: threading.Event) -> None:
        asyncio.set_event_loop(self._loop)
        server = self._loop.run_until_complete(asyncio.start_server(self._answer, "127.0.0.1", 0, limit=2**26))
        self.endpoint = "http://{}:{}".format(*server.sockets[0].getsockname())
        started.set()
        self._loop.run_forever()
        server.close()
        for task in asyncio.all_tasks(self._loop):
            task.cancel()
        self._loop.run_until_complete(asyncio.sleep(0))
        self._loop.close()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            head = await reader.readuntil(b"\r\n\r\n")
            method, path = head.split(b" ", 2)[:2]
            length = next(
                (int(line[15:]) for line in head.lower().split(b"\r\n") if line[:15] == b"content-length:"), 0
            )
            body = await reader.readexactly(length)
            self.requests.append((method.decode(), path.decode()))
            fault = self._fault()
            self.faults += [fault] * bool(fault)
            if method.decode() in self._denying:
                writer.write(_FORBIDDEN)
            elif fault == "503":
                writer.write(_BUSY)
            elif fault != "reset":
                answer = await self._asked(head, body)
                writer.write({"half": answer[: len(answer) // 2], "lost": b""}.get(fault, answer))
            if fault in {"reset", "lost"}:
                writer.transport.abort()
            else:
                await writer.drain()
        writer.close()

    def _fault(self) -> str:
        """Return what becomes of a request, "" for nothing."""
        if self.coming:
            return self.coming.pop(0)
        return self._random.choice(FAULTS) if self._random.random() < self._rate else ""

    async def _asked(self, head: bytes, body: bytes) -> bytes:
        """Return the server's whole answer."""
        reader, writer = await asyncio.open_connection(*self._server)
        first, _, rest = head.partition(b"\r\n")
        writer.write(first + b"\r\nConnection: close\r\n" + rest + body)
        answer = await reader.read()
        writer.close()
        return answer
