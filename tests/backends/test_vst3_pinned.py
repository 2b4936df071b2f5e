"""Plugins whose sound depends on the clock, on a random device or on an address: the same in any process, if pinned."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from support import amounts, terminal
from support.vst3.build import built

from tonesmith import open_dataset
from tonesmith.doctor.examine import examine
from tonesmith.doctor.first_use import first_use
from tonesmith.engine.client import Engine
from tonesmith.host.registry import Host
from tonesmith.pinning import start
from tonesmith.pinning.start import HOLDABLE, holdable
from tonesmith.plan.plan import Audio, PluginRef
from tonesmith.space.patch import Note, Patch
from tonesmith.space.sampling import patch_at, uniform
from tonesmith.space.shape import SpaceShape, shaped

NOTE = Note(60, 100, 0.1, 0.1)
FORM = Audio(44100, 2, 8820)
SHORT = ("--notes.pitches", "60,67", "--notes.hold", "0.1", "--notes.tail", "0.1", "-n", "4", "--quiet")
everything = pytest.mark.skipif(set(holdable()) != set(HOLDABLE), reason="this system does not let a process be pinned")
pytestmark = everything
DISEASES = [
    "late",  # what other tests compile too
    *(pytest.param(kind, marks=pytest.mark.long) for kind in ("address", "clock", "device", "early")),
]


@pytest.fixture(scope="module", autouse=True)
def cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """A cache of the tests' own, in every process started from here."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TONESMITH_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(scope="module")
def ill(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Return what compiles an instrument with a disease, once."""
    made: dict[tuple[str, ...], Path] = {}

    def make(*defines: str) -> Path:
        if defines not in made:
            made[defines] = built(tmp_path_factory.mktemp("ill"), "TinySynth", *defines)
        return made[defines]

    return make


@pytest.fixture(scope="module")
def patches(ill: Any) -> list[Patch]:
    """Random patches that sound. The parameters are the same of all instruments."""
    reference = PluginRef("vst3", {"plugin": str(ill("RANDOM=late"))})
    with Engine(reference, FORM, 1, "snapshot", asset=lambda name: b"") as engine:
        space = engine.describe(NOTE.hold, NOTE.tail).space
    drawn = shaped(space, SpaceShape(fix={"sustain": 1.0}), SpaceShape())
    made = [patch_at(drawn, uniform(0, "pinned", n, 0, len(drawn.names)), "uniform") for n in range(12)]
    return [replace(patch, assets=dict(space.assets)) for patch in made]


def rows(plugin: Path, played: list[Patch], *, pin: bool) -> list[bytes]:
    """Return the sound of patches in a new process."""
    reference = PluginRef("vst3", {"plugin": str(plugin), "pin": pin})
    with Engine(reference, FORM, 1, "snapshot", asset=lambda name: b"") as engine:
        sounds = []
        for patch in played:
            assert engine.play(patch, [NOTE], 20.0)[0].failure == ""
            sounds.append(engine.audio.tobytes())
        assert set(engine.held) == (set(HOLDABLE) if pin else set())
    return sounds


@pytest.mark.parametrize("kind", DISEASES)
@pytest.mark.parametrize("processes", amounts(2, 20))
@pytest.mark.first
def test_a_row_sounds_the_same_in_another_process_if_it_is_pinned(ill, patches, kind, processes, monkeypatch):
    plugin, played = ill(f"RANDOM={kind}"), patches[:4]

    first = rows(plugin, played, pin=True)
    assert len(set(first)) == len(first)
    for number in range(1, processes):
        monkeypatch.setenv("ANOTHER", "x" * 333 * number)
        if number % 2:  # which it also does not depend on
            monkeypatch.setenv("ONE_MORE", "")
        assert rows(plugin, played[::-1], pin=True)[::-1] == first
    one, other = rows(plugin, played, pin=False), rows(plugin, played, pin=False)
    assert not set(one) & set(other)


@pytest.mark.long
def test_a_plugin_with_threads_plays_in_another_process_that_is_pinned(ill, patches):
    plugin = ill("RANDOM=late", "THREADED")

    assert rows(plugin, patches, pin=True) == rows(plugin, patches, pin=True)


def generate(plugin: Path, out: Path, *more: object) -> Any:
    return terminal("generate", "--backend", "vst3", "--backend.plugin", plugin, *more, *SHORT, out)


@pytest.mark.long
def test_what_was_measured_of_pinned_rows_is_kept_and_said(ill, tmp_path):
    done = generate(ill("RANDOM=late"), tmp_path / "a.zarr")
    assert (done.returncode, done.stderr.count("does not repeat itself")) == (0, 0), done.stderr

    dataset = open_dataset(tmp_path / "a.zarr")
    checkup = dataset.attributes["checkup"]
    assert (dataset.plan.backend.options["pin"], dataset.plan.determinism) == (True, "exact-in-run")
    assert (checkup["determinism"], checkup["held"]) == ("exact", list(HOLDABLE))
    inspected = terminal("inspect", tmp_path / "a.zarr").stdout
    assert "determinism exact-in-run (measured exact)" in " ".join(inspected.split())
    verified = terminal("verify", "--render", 4, tmp_path / "a.zarr")
    assert verified.returncode == 0, verified.stdout
    held = "with clocks, random devices and addresses held still"
    assert "measured  exact, when the synth was first used\n            Clocks, random devices and" in verified.stdout
    assert "does not repeat its bits" not in verified.stdout
    card = (tmp_path / "a.zarr" / "README.md").read_text()
    assert f"all render again bit for bit in any process, as was measured {held}" in " ".join(card.split())


@pytest.mark.long
def test_rows_that_are_not_pinned_claim_no_more_than_was_measured(ill, tmp_path):
    done = generate(ill("RANDOM=early"), tmp_path / "a.zarr", "--no-backend.pin")
    assert done.returncode == 0, done.stderr
    assert "does not repeat itself" in done.stderr

    dataset = open_dataset(tmp_path / "a.zarr")
    assert "pin" not in dataset.plan.backend.options, "a plan of an older version is one that is not pinned"
    assert dataset.attributes["checkup"]["held"] is None
    verified = terminal("verify", "--render", 4, tmp_path / "a.zarr")
    assert (verified.returncode, "0 of 4 rows sound as they did" in verified.stdout) == (1, True)
    assert "held still" not in verified.stdout
    assert "pin = false" in (tmp_path / "a.zarr" / "README.md").read_text()
    more = terminal("generate", "--config", tmp_path / "a.zarr", "-n", 5, "--quiet", tmp_path / "a.zarr")
    assert (more.returncode, len(open_dataset(tmp_path / "a.zarr"))) == (0, 10), more.stderr


def checked(plugin: Path) -> tuple[Any, list[str]]:
    """Return what the first use finds, and what it says."""
    cls, said = Host.load().find("backend", "vst3"), []
    options = cls.Options(plugin=str(plugin))
    return first_use(cls, options, "snapshot", 44100, timeout=60.0, tell=said.append), said


@pytest.mark.long
def test_what_a_system_refuses_is_said_in_a_line_and_not_claimed_of_another_process(ill, monkeypatch):
    plugin = ill("RANDOM=address")
    free, _ = checked(plugin)
    monkeypatch.setattr(start, "_unrandomised", lambda: contextlib.nullcontext(False))
    refused, said = checked(plugin)

    assert (free["determinism"], free["held"]) == ("exact", HOLDABLE)
    assert (refused["determinism"], refused["held"]) == ("exact-in-run", ("clocks", "random devices"))
    lines = [line for line in said if "addresses are not" in line]
    assert len(lines) == 1
    assert "Containers refuse the system call personality" in lines[0]


@pytest.mark.long
def test_the_doctor_says_what_is_pinned(ill):
    cls = Host.load().find("backend", "vst3")
    plugin = str(ill("RANDOM=clock"))

    def found(**options: Any) -> dict[str, str]:
        checkup = examine(cls, cls.Options(plugin=plugin, **options), 44100, thorough=False, compare=False)
        return {finding.check: f"{finding.state} {finding.measured}" for finding in checkup.findings}

    pinned, free = found(), found(pin=False)
    assert pinned["pinned"] == "ok clocks, random devices and addresses are held still"
    assert pinned["promise"] == "ok exact found, exact-in-run promised"
    assert "pinned" not in free
    assert free["promise"] == "warn exact-in-run found, exact-in-run promised"


def test_a_plan_without_the_option_is_played_as_it_was(ill):
    plugin = ill("RANDOM=late")
    with Engine(PluginRef("vst3", {"plugin": str(plugin)}), FORM, 1, "snapshot", asset=lambda name: b"") as engine:
        engine.start()
        assert engine.held == ()
    assert json.loads(Host.load().find("backend", "vst3").Options().model_dump_json())["pin"] is True
