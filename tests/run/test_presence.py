from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tonesmith.run.presence import lock_file, present

_HELD = (
    "import sys, time; from pathlib import Path; from tonesmith.run.presence import present\n"
    "with present(Path(sys.argv[1])):\n    print('in', flush=True); time.sleep(60)"
)


@pytest.mark.parametrize("folder", [True, False])
def test_a_second_writer_is_warned_and_one_that_was_killed_is_forgotten(tmp_path, capsys, folder):
    path = tmp_path / "d"
    if folder:
        path.mkdir()
    with subprocess.Popen([sys.executable, "-c", _HELD, str(path)], stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "in\n"
        with present(path):
            assert "another process is writing to it" in capsys.readouterr().err
        assert lock_file(path).exists(), "the lock of the other is gone"
        other.send_signal(signal.SIGKILL)
    with present(path):
        assert capsys.readouterr().err == ""
    assert not lock_file(path).exists()


def test_where_no_lock_can_be_made_nobody_is_known(tmp_path, capsys):
    with present(tmp_path / "no" / "folder"):
        pass
    lock_file(tmp_path).symlink_to(tmp_path / "elsewhere")
    with present(tmp_path):
        pass
    assert capsys.readouterr().err == ""
    assert not Path(tmp_path / "elsewhere").exists()
