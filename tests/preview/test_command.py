"""``tonesmith preview`` as it is typed: what is refused with one sentence, and a real process on a terminal."""

from __future__ import annotations

import importlib.util
import os
import pty
import select
import signal
import struct
import sys
import termios
import time
from fcntl import ioctl
from pathlib import Path
from typing import Any

import pytest

from tonesmith.cli import run
from tonesmith.cli.commands import preview


def refused(capsys: pytest.CaptureFixture[str], *arguments: object) -> str:
    assert run(["preview", *map(str, arguments)]) == 2
    told = capsys.readouterr()
    assert told.out == ""
    return told.err


def test_without_a_terminal_it_says_what_to_use_instead(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    told = refused(capsys, path)
    assert told.startswith(
        "tonesmith: error: preview needs a terminal, and stdin is not one. Use `tonesmith inspect d."
    )
    assert told.count("\n") == 1


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(preview, "_check_terminal", lambda dataset: None)


def test_what_is_wrong_is_said_before_the_screen_is_there(
    path: Path, terminal: None, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    told = refused(capsys, path, "--filter", "pitch = 60 and cutof > 3")
    assert told == "tonesmith: error: --filter: column 16: unknown name 'cutof'. Did you mean 'cutoff'?\n"
    assert "--sort: column 1: unknown name 'ptich'" in refused(capsys, path, "--sort", "ptich")
    assert "nothing.zarr does not exist" in refused(capsys, "nothing.zarr")
    found = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "textual" else found(name))
    assert 'Install it: pip install "tonesmith[preview]"' in refused(capsys, path)


@pytest.mark.long
@pytest.mark.parametrize(("key", "status"), [(b"q", 0), (b"\x03", 130), (b"", 143)], ids=["q", "ctrl-c", "sigterm"])
def test_a_real_terminal_is_drawn_on_and_left_as_it_was(path: Path, key: bytes, status: int) -> None:
    child, terminal = pty.fork()
    if not child:
        os.environ.update(TERM="xterm-256color")
        os.execv(sys.executable, [sys.executable, "-m", "tonesmith", "preview", str(path)])  # noqa: S606 - our own
    ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    try:
        seen = read_until(terminal, b"peak_dbfs")
        if key:
            os.write(terminal, key)
        else:
            os.kill(child, signal.SIGTERM)
        seen += read_until(terminal, b"\x1b[?1049l")
        assert b"\x1b[?1049h" in seen
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == status
        child = 0
    finally:
        if child:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
        os.close(terminal)


def read_until(terminal: int, wanted: bytes) -> bytes:
    """Return what a terminal was sent, up to something in it."""
    seen, end = b"", time.monotonic() + 90
    while wanted not in seen:
        assert time.monotonic() < end, seen[-2000:]
        if select.select([terminal], [], [], 1.0)[0]:
            seen += os.read(terminal, 65536)
    return seen


@pytest.mark.long
@pytest.mark.parametrize(
    "keys",
    [["down", "down"], ["t", "down"], ["r", "down"], ["question_mark"]],
    ids=["dark", "light", "rejects", "help"],
)
def test_the_screen_looks_as_it_did(path: Path, snap_compare: Any, keys: list[str]) -> None:
    """Renew the pictures with ``--snapshot-update``, and look at them."""
    from support.previews import FakeOutput, Screen

    from tonesmith.preview.session import Session
    from tonesmith.preview.widgets.app import Preview

    app = Preview(Session.open(path), opened=FakeOutput)

    async def settled(pilot: Any) -> None:
        screen = Screen(app, pilot)
        await screen.settle()
        await screen.press(*keys)

    assert snap_compare(app, terminal_size=(80, 24), run_before=settled)
