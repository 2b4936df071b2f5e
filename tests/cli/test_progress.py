"""Progress is honest: what is shown is what was counted, and what is not known is not guessed."""

from __future__ import annotations

import contextlib
import itertools
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tonesmith import Rejection
from tonesmith.api import generate
from tonesmith.cli import run
from tonesmith.cli.summary import next_lines
from tonesmith.errors import ConfigError
from tonesmith.run.progress import progress as run_progress
from tonesmith.run.watch import Watcher
from tonesmith.terminal import progress as terminal_progress
from tonesmith.terminal.progress import Meter, Pace, progress
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
    monkeypatch.setattr(terminal_progress, "_EVERY", 0.0)
    with run_progress() as watcher:
        watcher.started(plan, Path("data/demo.zarr"), 2, 48)
        watcher.rejected(Rejection(0, 0, "level", "silent"))
        watcher.accepted(3)
        watcher.stopping()
        watcher.dropping()
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "data/demo.zarr: 144 rows in 3 blocks; 48 done, 2 blocks to go" in captured.err
    assert ("51/144" if terminal else " demo.zarr: 51 of 144 rows; ") in captured.err
    assert "rejected 1 (level: silent 1)" in captured.err
    assert "press Ctrl-C again to drop them" in captured.err
    assert "the blocks in progress are dropped; finished blocks are kept" in " ".join(captured.err.split())
    assert ("\x1b[2K" in captured.err) == terminal


def test_a_weaker_promise_is_said_once(capsys: pytest.CaptureFixture[str]) -> None:
    plan: Any = SimpleNamespace(rows=144, blocks=3, determinism="exact-in-run", isolation="fresh")
    with run_progress() as watcher:
        watcher.started(plan, Path("demo.zarr"), 3, 0)
    assert capsys.readouterr().err.count("exact-in-run") == 1


def test_quiet_is_silent(capsys: pytest.CaptureFixture[str]) -> None:
    with run_progress(quiet=True) as watcher:
        assert type(watcher) is Watcher
    assert capsys.readouterr().err == ""


def test_lines_of_a_log_become_rarer_but_never_rarer_than_ten_minutes() -> None:
    pace = Pace(0.0)
    due = [second for second in range(100_000) if pace.is_due(float(second))]
    gaps = [after - before for before, after in itertools.pairwise(due)]
    assert due[:3] == [10, 20, 30]
    assert len([second for second in due if second < 3300]) < 60
    assert gaps == sorted(gaps)
    assert gaps[-1] == 600


@pytest.mark.parametrize("environment", [{}, {"TERM": "dumb", "FORCE_COLOR": "1"}])
def test_elsewhere_than_on_a_terminal_that_redraws_there_are_lines_with_time_and_name(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, environment: dict[str, str]
) -> None:
    monkeypatch.delenv("FORCE_COLOR", raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    with progress("reading d.zarr") as counter:
        counter.begin(10)
        counter.advance(1)
    assert capsys.readouterr().err == "", "a short command stays silent"
    monkeypatch.setattr(terminal_progress, "_EVERY", 0.0)
    with progress("reading d.zarr") as counter:
        counter.begin(1000, 500)
        counter.advance(1)
    last = capsys.readouterr().err.splitlines()[-1]
    assert re.fullmatch(r"\d\d:\d\d:\d\d reading d.zarr: 501 of 1,000 rows, [\d.]+ rows/s, 0:\d\d:\d\d left", last)


@pytest.mark.long
def test_every_long_command_prints_lines_in_a_log(
    chaos: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(terminal_progress, "_EVERY", 0.0)
    monkeypatch.setattr(terminal_progress, "_SHARE", 0.0)
    chaos.make(tmp_path / "d", patches=4)
    chaos.make(tmp_path / "e", patches=4, seed=2)
    for said, *command in (
        ("reading d: 8 of 8 rows", "verify", "d", "--json"),
        ("rendering d: 1 of 1 rows", "verify", "d", "--render", "1", "--trust"),
        ("converting d: 8 of 8 rows", "convert", "d", "c", "--json", "--workers", "1"),
        ("merging m: 16 of 16 rows", "merge", "d", "e", "-o", "m", "--workers", "1"),
        ("measuring d.importance.json: ", "importance", "d", "--bases", "1", "--workers", "1", "--trust"),
        ("reading d, e: 16 of 16 sounds", "plot", "pca", "d", "e", "-o", "p.svg", "--by", "pitch"),
        ("e: 12 of 12 rows", "generate", "--config", "e", "-n", "6", "e", "--workers", "1", "--json"),
    ):
        assert run(command) == 0, capsys.readouterr().err
        assert said in capsys.readouterr().err
        assert run([*command, "--quiet"]) == 0
        assert said not in capsys.readouterr().err


_LONG = pytest.mark.long


@pytest.mark.long
@pytest.mark.parametrize(
    "stream",
    [
        "2>/dev/full",
        pytest.param("2>&-", marks=_LONG),
        pytest.param("2> >(exit >&-)", marks=_LONG),  # a pipe that nobody has open
        pytest.param("2> >(exec sleep 60 >&-)", marks=_LONG),  # one that nobody reads
    ],
)
@pytest.mark.usefixtures("chaos")
def test_progress_that_cannot_be_written_ends_nothing(tmp_path: Path, stream: str) -> None:
    made = "generate --backend chaos -n 2 --sample-rate 8000 --notes.hold 0.1 --notes.tail 0.1 d.zarr"
    code = "from tonesmith.terminal import progress; progress._EVERY = progress._SHARE = 0.0\n"
    code += "for _ in range(200): progress.log_line(999 * 'x')\n"
    code += "from tonesmith.cli import main; main()"
    typed = f"exec {shlex.quote(sys.executable)} -c {shlex.quote(code)} {made} {stream}"
    done = subprocess.run(
        ["bash", "-c", typed], cwd=tmp_path, stdout=subprocess.PIPE, text=True, timeout=120, check=False
    )
    assert (done.returncode, "d.zarr: 6 rows of 2 patches" in done.stdout) == (0, True)


def test_a_line_that_nobody_reads_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    reading, writing = os.pipe()
    with os.fdopen(writing, "w") as stream, os.fdopen(reading, "rb") as reader:
        monkeypatch.setattr(sys, "stderr", stream)
        for _ in range(1000):
            terminal_progress.log_line(200 * "x")
        assert 0 < len(reader.read1(1 << 20)) < 200_000


def test_a_bar_goes_on_when_its_terminal_is_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    leader, follower = os.openpty()
    with os.fdopen(follower, "w") as stream:
        monkeypatch.setattr(sys, "stderr", stream)
        monkeypatch.setenv("TERM", "xterm")
        with run_progress() as watcher:
            watcher.started(
                SimpleNamespace(rows=4, blocks=1, determinism="exact", isolation="snapshot"), Path("d"), 1, 0
            )
            os.close(leader)
            watcher.accepted(2)
            watcher.stopping()
        with progress("reading d") as counter:
            counter.begin(2)
            counter.advance(1)
        monkeypatch.undo()
        with contextlib.suppress(OSError):
            stream.close()


@pytest.mark.parametrize(("rows", "added", "offered"), [(6, 6, True), (6, 2, False), (6, 0, False), (0, 0, False)])
def test_commands_to_try_next_are_for_a_new_dataset(rows: int, added: int, offered: bool) -> None:
    summary: Any = SimpleNamespace(path=Path("a b"), rows=rows, rows_added=added, complete=True)
    assert ("  tonesmith inspect 'a b'" in next_lines(summary)) == offered


@pytest.mark.long
def test_commands_to_try_next_are_shown_on_a_terminal_and_not_to_the_quiet(chaos: Any, tmp_path: Path) -> None:
    short = "--backend chaos -n 1 --sample-rate 8000 --notes.hold 0.1 --notes.tail 0.1"
    for out, flags, offered in (("a", "", True), ("b", "-q", False)):
        typed = f"{shlex.quote(sys.executable)} -m tonesmith generate {short} {flags} {tmp_path / out}"
        seen = subprocess.run(["script", "-qec", typed, "/dev/null"], capture_output=True, text=True, check=True).stdout
        assert ("Next:" in seen) == offered


def test_generate_in_python_shows_its_progress_if_asked_to(
    chaos: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = chaos.settings(patches=1)
    generate(tmp_path / "a", **settings, workers=1)
    assert capsys.readouterr().err == ""
    generate(tmp_path / "b", **settings, workers=1, progress=True)
    assert f" {tmp_path / 'b'}: 2 rows in 1 block; 1 block to go\n" in capsys.readouterr().err
    with pytest.raises(ConfigError, match="watcher"):
        generate(tmp_path / "c", progress=True, watcher=Watcher(), **settings)
