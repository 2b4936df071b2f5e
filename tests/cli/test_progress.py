"""Progress is honest: what is shown is what was counted, and what is not known is not guessed."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tonesmith import Rejection
from tonesmith.cli.progress import Meter, progress
from tonesmith.run.watch import Watcher
from tonesmith.terminal.text import clock, size


def test_the_time_left_is_unknown_until_the_rate_is() -> None:
    meter = Meter(100, 10)
    assert (meter.rate(0.0), meter.left(0.0)) == (None, "--:--")
    meter.add(10, 1.0)
    assert (meter.rate(5.0), meter.left(5.0)) == (None, "--:--")
    meter.add(10, 6.0)
    assert meter.rate(6.0) == 2.0
    assert meter.left(6.0) == "0:00:35"


def test_rows_of_an_earlier_run_and_of_long_ago_do_not_count_in_the_rate() -> None:
    meter = Meter(100_000, 50_000)
    for second in range(100):
        meter.add(100, float(second))
    for second in range(100, 200):
        meter.add(1, float(second))
    assert meter.rate(199.0) == pytest.approx(1.0)


def test_the_rate_falls_while_nothing_arrives() -> None:
    meter = Meter(100, 0)
    meter.add(10, 0.0)
    meter.add(10, 1.0)
    assert meter.rate(1.0) == 10.0
    assert meter.rate(10.0) == 1.0


@pytest.mark.parametrize(
    ("nbytes", "text"),
    [(0, "0 B"), (1023, "1023 B"), (1536, "1.5 KiB"), (3 * 2**40, "3.0 TiB"), (2**60, "1048576.0 TiB")],
)
def test_sizes(nbytes: int, text: str) -> None:
    assert size(nbytes) == text


def test_clock() -> None:
    assert [clock(s) for s in (0.4, 59.6, 3661)] == ["0:00:00", "0:01:00", "1:01:01"]


@pytest.mark.parametrize("terminal", [False, True])
def test_a_run_is_shown_on_the_error_stream(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, terminal: bool
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm")
    if terminal:
        monkeypatch.setenv("FORCE_COLOR", "1")
    else:
        monkeypatch.delenv("FORCE_COLOR", raising=False)
    plan: Any = SimpleNamespace(rows=144, blocks=3, determinism="exact", isolation="snapshot")
    with progress() as watcher:
        watcher.started(plan, Path("data/demo.zarr"), 2, 48)
        watcher.rejected(Rejection(0, 0, "level", "silent"))
        watcher.accepted(3)
        watcher.stopping()
        watcher.dropping()
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "data/demo.zarr: 144 rows in 3 blocks; 48 done, 2 blocks to go" in captured.err
    assert "51/144" in captured.err
    assert "rejected 1 (level: silent 1)" in captured.err
    assert "press Ctrl-C again to drop them" in captured.err
    assert "the blocks in progress are dropped; finished blocks are kept" in " ".join(captured.err.split())
    assert ("\x1b[2K" in captured.err) == terminal


def test_a_weaker_promise_is_said_once(capsys: pytest.CaptureFixture[str]) -> None:
    plan: Any = SimpleNamespace(rows=144, blocks=3, determinism="exact-in-run", isolation="fresh")
    with progress() as watcher:
        watcher.started(plan, Path("demo.zarr"), 3, 0)
    assert capsys.readouterr().err.count("exact-in-run") == 1


def test_quiet_is_silent(capsys: pytest.CaptureFixture[str]) -> None:
    with progress(quiet=True) as watcher:
        assert type(watcher) is Watcher
    assert capsys.readouterr().err == ""
