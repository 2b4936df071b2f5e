"""What the command line does where its output has no place, or its path can hold no dataset."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from tonesmith.api import generate, merge
from tonesmith.errors import ConfigError, PathTakenError

_FULL = "tonesmith: error: standard output: No space left on device.\n"
_RUN = "from tonesmith.cli import main; main()"


def shell(redirected: str, *arguments: str, cwd: str = ".") -> subprocess.CompletedProcess[str]:
    line = ["sh", "-c", f'exec "$@" {redirected}', "sh", sys.executable, "-c", _RUN, *arguments]
    return subprocess.run(line, cwd=cwd, capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.parametrize(
    ("redirected", "status", "told"),
    [
        (">&-", 0, ""),
        (">&- 2>&-", 0, ""),
        ("> /dev/full", 1, _FULL),
    ],
)
def test_an_output_that_is_closed_or_full_is_no_fault_of_tonesmith(redirected, status, told):
    done = shell(redirected, "plugins", "list")
    assert (done.returncode, done.stderr) == (status, told)


def test_what_the_system_refuses_is_told_in_a_sentence(tmp_path):
    done = shell("", "inspect", "n" * 300, cwd=str(tmp_path))
    assert done.returncode == 1
    assert "File name too long" in done.stderr
    assert "fault in tonesmith" not in done.stderr
    (tmp_path / "file").touch()
    done = shell("", "plugins", "new", "sink", "foo", "--out", "file/foo", cwd=str(tmp_path))
    assert done.returncode == 2
    assert "file/foo" in done.stderr


def test_no_engine_is_loaded_for_a_path_that_can_hold_no_dataset(tmp_path, monkeypatch):
    monkeypatch.setattr("tonesmith.run.resolve.resolve_plan", lambda *_: pytest.fail("an engine would be loaded"))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").touch()
    for path, told in (
        ("file", "file exists and is not a tonesmith dataset"),
        ("file/x.zarr", "no dataset can be made at file/x.zarr: file is no folder"),
        ("n" * 300, "File name too long"),
    ):
        with pytest.raises(PathTakenError, match=told):
            generate(path, patches=1)
    if os.geteuid() != 0:
        (tmp_path / "closed").mkdir(mode=0o500)
        with pytest.raises(PathTakenError, match="may not be written to"):
            generate("closed/d", patches=1)


def test_one_path_in_place_of_a_list_of_datasets_is_told_of():
    with pytest.raises(ConfigError, match=r"sources is a list of paths, such as \['a.zarr', \.\.\.\]"):
        merge("a.zarr", "b.zarr")
