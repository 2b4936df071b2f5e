"""How the benchmarks let contenders take turns."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from support import ROOT
from support.vst3.build import built

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the benchmarks read /proc")


class Steady:
    """A contender that always answers."""

    def __init__(self) -> None:
        self.rounds = 0

    def round(self) -> dict[str, float]:
        self.rounds += 1
        return {"cpu": 1.0}

    def close(self) -> None:
        pass


@pytest.mark.long
def test_a_contender_that_its_plugin_kills_is_named_and_left_out_and_the_others_go_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))
    monkeypatch.setenv("TINYSYNTH_FAULT", "crash")
    from _turns import Contender, DiedError, turns

    job = tmp_path / "job.json"
    plugin = built(tmp_path, "TinySynth")
    job.write_text(
        json.dumps({"plugin": str(plugin), "sample_rate": 44100, "raws": [{}], "notes": [[60, 100, 0.1, 0.1]]})
    )
    steady = Steady()

    rounds = turns({"vst3 raw": Contender("vst3 raw", job), "steady": steady}, 2, optional=("vst3 raw",))

    assert dict(rounds) == {"steady": [{"cpu": 1.0}] * 2}
    assert steady.rounds == 3
    assert "vst3 raw: died (SIGABRT); it is left out\n" in capfd.readouterr().out
    with pytest.raises(DiedError, match="SIGABRT"):
        turns({"vst3 raw": Contender("vst3 raw", job)}, 1)
