"""Memory that renders hardly write is held in large pages."""

from __future__ import annotations

import subprocess
import sys

import pytest

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="large pages of Linux")

SETTLED = """
import ctypes, os, re
from pathlib import Path
import numpy as np
from tonesmith.engine.forks import fork, signal_of
from tonesmith.engine.pages import _LIBC, _MADV_COLLAPSE, LargeCopies, small_pages

LARGE = 2 << 20


def large_kilobytes():
    return int(re.search(r"AnonHugePages: +([0-9]+)", Path("/proc/self/smaps_rollup").read_text())[1])


probe = np.ones(2 * LARGE, np.uint8)
start = -(-probe.ctypes.data // LARGE) * LARGE
if _LIBC.madvise(ctypes.c_void_p(start), ctypes.c_size_t(LARGE), _MADV_COLLAPSE):
    print("unsupported")
    os._exit(0)
del probe
small_pages(True)
kept, written = np.ones(8 * LARGE, np.uint8), np.ones(8 * LARGE, np.uint8)
copies = LargeCopies()


def render(fill):
    copies.take()
    written[:] = fill
    kept[::LARGE] = fill
    copies.learn()


before = large_kilobytes()
for fill in range(3, 7):
    copies.settle()
    assert not signal_of(fork(lambda: render(fill), print))
grown = large_kilobytes() - before
print(grown >= 6 * 2048, grown <= 9 * 2048, kept.min(), kept.max(), written.min(), written.max(), flush=True)
os._exit(0)
"""


def test_what_forks_hardly_write_is_in_large_pages_and_stays_as_it_was() -> None:
    run = subprocess.run([sys.executable, "-c", SETTLED], capture_output=True, text=True, timeout=60, check=False)
    if run.stdout == "unsupported\n":
        pytest.skip("this kernel makes no large pages on request")
    assert run.stdout == "True True 1 1 1 1\n", run.stderr
