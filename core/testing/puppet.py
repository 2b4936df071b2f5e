"""A worker that does as it is told: what the contract of an executor starts in place of one that makes blocks."""

from __future__ import annotations

import os
import platform
import signal
import subprocess
import sys
from typing import Any

from tonesmith.engine.channel import Channel, channel_to_parent


def main() -> None:
    """Obey the parent until it closes the channel."""
    channel = channel_to_parent()
    try:
        while True:
            _obey(channel, channel.receive()[0])
    except EOFError:
        channel.send({"closed": True})
    finally:
        os._exit(0)


def _obey(channel: Channel, told: dict[str, Any]) -> None:
    match told:
        case {"say": words}:
            for word in words:
                channel.send({"said": word})
        case {"who": _}:
            channel.send({"pid": os.getpid(), "node": platform.node(), "plugins": os.environ.get("TONESMITH_PLUGINS")})
        case {"fork": _}:
            channel.send({"pid": subprocess.Popen(["sleep", "300"]).pid})
        case {"print": text}:
            sys.stderr.write(text)
            sys.stderr.flush()
        case {"exit": status}:
            os._exit(status)
        case {"crash": _}:
            os.kill(os.getpid(), signal.SIGSEGV)


if __name__ == "__main__":
    main()
