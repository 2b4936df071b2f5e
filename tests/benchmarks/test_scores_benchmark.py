"""The benchmark of scores measures every part, of scores of 16 bars."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from support import ROOT

from tonesmith.score.score import Score
from tonesmith.score.writer import midi_of


@pytest.mark.skipif(sys.platform != "linux", reason="the benchmarks read /proc")
def test_every_part_is_measured(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))
    told = tmp_path / "told.json"
    words = ["scores.py", "--scores", "1", "--rounds", "1", "--folder", str(tmp_path), "--json", str(told)]
    monkeypatch.setattr(sys, "argv", words)
    from scores import main

    main()
    composing = json.loads(told.read_text())["composing"]
    assert {"dynamics", "groove", "melody"} <= composing.keys()
    assert all(found["composed"] > found["written"] > 0.0 for found in composing.values())
    assert max(map(len, capsys.readouterr().out.splitlines())) <= 80


def test_a_score_of_other_than_sixteen_bars_ends_the_benchmark(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))
    from scores import _check, _composer

    _check(_composer("groove", {"bars": 16}))
    with pytest.raises(SystemExit, match="groove composes 8 bars, not 16"):
        _check(_composer("groove", {"bars": 8}))


def test_files_are_read_by_all_and_their_notes_compared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("mido", reason="pip install 'tonesmith[bench]'")
    pytest.importorskip("pretty_midi", reason="pip install 'tonesmith[bench]'")
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))
    from scores_reading import reading, table

    for number in range(3):
        (tmp_path / f"{number}.mid").write_bytes(midi_of(Score.of([(beat, 1, 60 + beat, 90) for beat in range(8)])))
    found = reading(tmp_path, 1)

    assert (found["files"], found["as mido"], found["as pretty_midi"]) == (3, 3, 3)
    assert max(map(len, table(found))) <= 80
