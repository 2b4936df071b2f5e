"""The signals that ask a run to stop."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def heard_signals(interrupt: Callable[[bool], None]) -> Iterator[None]:
    """Turn Ctrl-C, SIGTERM and SIGHUP into calls of ``interrupt``, where this is the main thread.

    A SIGHUP that is ignored stays so: that is what nohup asks for.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    handlers: dict[int, Any] = {
        signal.SIGINT: lambda *_: interrupt(False),
        signal.SIGTERM: lambda *_: interrupt(True),
    }
    if hasattr(signal, "SIGHUP") and signal.getsignal(signal.SIGHUP) != signal.SIG_IGN:
        handlers[signal.SIGHUP] = handlers[signal.SIGTERM]
    before = {number: signal.signal(number, handler) for number, handler in handlers.items()}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
