"""The benchmark of corpora measures every step, of a large corpus and of files, and says what is not installed."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from support import ROOT


@pytest.mark.skipif(sys.platform == "win32", reason="a corpus needs a lock of POSIX")
def test_every_step_is_measured_and_a_python_without_the_other_libraries_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))
    other = tmp_path / "python"
    other.write_text("#!/bin/sh\necho \"No module named 'muspy'\" >&2\nexit 1\n")
    other.chmod(0o755)
    words = ["--items", "20", "--files", "3", "--sounds", "0", "--python", str(other)]
    monkeypatch.setattr(sys, "argv", ["corpora.py", *words])
    from corpora import main

    main()
    said = capsys.readouterr().out
    told = {line.split()[0]: line.split()[1:] for line in said.splitlines() if line.startswith("  ")}
    assert all(float(n) > 0.0 for step in ("import", "annotate", "features", "augment") for n in told[step][:2])
    assert "No module named 'muspy'" in said
    assert "20 items, " in said


def test_steps_of_both_are_told_with_their_ratio(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))
    from corpora import compared

    ours = {"import": (2.0, 1.0), "check": (1.0, 1.0), "more": (1.0, 1.0)}
    compared(ours, {"import": (8.0, 4.0), "check": (3.0, 2.0)}, 10)
    rows = [line.split() for line in capsys.readouterr().out.splitlines()[1:]]
    assert rows == [
        ["import", "200.00", "100.00", "800.00", "400.00", "4.0x"],
        ["check", "100.00", "100.00", "300.00", "200.00", "2.0x"],
        ["more", "100.00", "100.00", "-"],
        ["all", "300.00", "200.00", "1100.00", "600.00", "3.0x"],
    ]
