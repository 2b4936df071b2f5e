"""Banks of preset files, with a synth whose banks list the presets in them, one a line."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from support import plugged

from tonesmith.engine.client import Engine
from tonesmith.errors import EngineError
from tonesmith.host.registry import Host
from tonesmith.plan.plan import Audio, PluginRef
from tonesmith.presets.ingest import Found, Refused, ingest

BANKED = """
import os
import time
from tonesmith import EngineError, Patch, Preset, hookimpl
from tonesmith.space.patch import sha256_hex
from tonesmith.testing.chaos import Chaos


class Banked(Chaos):
    name = "banked"
    preset_suffixes = (".bank",)
    preset_banks = (".bank",)

    def members(self, path):
        if not (names := path.read_text().split()) or names[0] == "abort":
            os.abort()
        return [] if names[0] == "none" else names

    def load_member(self, path, name):
        if name.startswith("bad"):
            raise EngineError(f"{name} is bad")
        if name.startswith("abort"):
            os.abort()
        patch = Patch({"freq": 440.0, "level": 0.5, "fault": 0.0}, preset=sha256_hex(name.encode()))
        return Preset(patch, name=name)


class Unread(Chaos):
    name = "unread"
    preset_suffixes = preset_banks = (".bank",)


@hookimpl
def tonesmith_backends():
    return [Banked, Unread]
"""


@pytest.fixture
def banks(project):
    made = project({"banks.py": BANKED}, plugins=["banks"])
    with plugged(made, "banks"):
        yield made.folder


def read(folder: Path, backend: str = "banked", *, workers: int = 2, **banks: str) -> tuple[list[Found], list[Refused]]:
    paths = []
    for name, text in banks.items():
        paths.append(folder / f"{name}.bank")
        paths[-1].write_text(text)
    return ingest(paths, Host.load().find("backend", backend), {}, sample_rate=8000, workers=workers)


def test_a_member_that_kills_its_reader_costs_itself_alone(banks):
    found, refused = read(banks, a="one abort two bad three")

    assert {item.member: item.number for item in found} == {"one": 1, "two": 3, "three": 5}
    assert [(item.place, item.number) for item in refused] == [
        (f"{banks}/a.bank: abort", 2),
        (f"{banks}/a.bank: bad", 4),
    ]
    assert [item.reason for item in refused] == ["the engine crashed on it (SIGABRT)", "bad is bad"]


def test_a_bank_whose_members_cannot_be_told_is_refused_and_others_are_read(banks):
    found, refused = read(banks, a="abort", b="none", c="one")

    assert [(item.path.stem, item.member) for item in found] == [("c", "one")]
    assert [(item.path.stem, item.member, item.reason) for item in refused] == [
        ("a", "", "the engine crashed on it (SIGABRT)"),
        ("b", "", "it holds no preset"),
    ]


def test_members_are_read_by_all_workers_and_give_the_same_whoever_reads_them(banks):
    text = " ".join(f"voice{i}" for i in range(7))

    alone, several = (read(banks, workers=workers, a=text)[0] for workers in (1, 3))

    assert len(alone) == 7
    assert alone == several


def test_a_synth_that_promises_banks_and_reads_none_says_so(banks):
    _, (refused,) = read(banks, "unread", a="one")

    assert "unread cannot read banks of preset files" in refused.reason


@pytest.mark.parametrize("isolation", ["fresh", "reuse"])
def test_an_engine_that_forks_nothing_reads_members_too(banks, isolation: Any):
    (banks / "a.bank").write_text("one bad")
    with Engine(PluginRef("banked", {}), Audio(8000, 0, 0), 1, isolation, asset={}.__getitem__) as engine:
        assert engine.members(banks / "a.bank") == ("one", "bad")
        assert engine.load_presets(banks / "a.bank", member="one")[0].name == "one"
        with pytest.raises(EngineError, match="bad is bad"):
            engine.load_presets(banks / "a.bank", member="bad")
