"""A disk that is too small for what is asked for is told of, and nothing is refused."""

from __future__ import annotations

from types import SimpleNamespace

from tonesmith.plan.plan import PluginRef
from tonesmith.run import room
from tonesmith.transfer.convert import convert


def test_a_run_and_a_conversion_warn_of_a_disk_that_is_too_small(chaos, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(room.shutil, "disk_usage", lambda _: SimpleNamespace(free=2048))
    chaos.make(tmp_path / "d", patches=1)
    warning = f"tonesmith: warning: {tmp_path / 'd'} needs about 25.0 KiB; its disk has 2.0 KiB free.\n"
    assert capsys.readouterr().err == warning
    convert(tmp_path / "d", tmp_path / "c", PluginRef("zarr"), workers=1)
    assert f"{tmp_path / 'c'} needs about " in capsys.readouterr().err


def test_a_disk_with_room_is_not_spoken_of(chaos, tmp_path, capsys):
    chaos.make(tmp_path / "d", patches=1)
    chaos.make(tmp_path / "d", patches=1)
    assert capsys.readouterr().err == ""
