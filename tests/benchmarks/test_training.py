"""The benchmark of training runs, and its readers give the same rows."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from support import ROOT

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the benchmarks read /proc")
SHORT = ("--patches", "12", "--rounds", "1", "--passes", "1", "--hold", "0.1", "--tail", "0.1", "--renders", "20")


@pytest.mark.long
@pytest.mark.timeout(900)
def test_every_part_is_measured_of_the_same_rows(tmp_path: Path) -> None:
    command = [sys.executable, str(ROOT / "benchmarks" / "training.py"), *SHORT, "--json", str(tmp_path / "told.json")]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=850, check=False)

    assert done.returncode == 0, done.stderr
    told = json.loads((tmp_path / "told.json").read_text())
    assert set(told["loading"]) == {"zarr", "lmdb", "h5py gzip-4", "webdataset npy", "datasets parquet"}
    assert all(row["audio"] > 0.0 and row["mel"] > 0.0 for row in told["loading"].values())
    assert {"mel", "stats", "f0"} < set(told["features"])
    assert told["stream"]["ratio"] > 0.0
    assert {"wmfcc", "f0", "all"} < set(told["score"])
    assert all(value > 0.0 for value in told["match"].values())
    assert max(map(len, done.stdout.splitlines())) <= 80


def test_readers_that_give_other_rows_end_the_benchmark(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("torch")
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))
    from training import _same

    same = {"zarr": [{"rows": 3.0, "sum": 1.0}], "lmdb": [{"rows": 3.0, "sum": 1.0}]}
    assert _same(same) is same
    for other in ({"rows": 2.0, "sum": 1.0}, {"rows": 3.0, "sum": 1.1}):
        with pytest.raises(SystemExit, match="lmdb gives other rows"):
            _same({**same, "lmdb": [other]})
