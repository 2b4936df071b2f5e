"""``tonesmith.testing``: the fixture ``project``, the synth that misbehaves, contracts that catch what they should."""

from __future__ import annotations

import os
import re
import subprocess
import sys

import pytest
from support import plugged, sampled

import tonesmith.testing
from tonesmith.host.registry import Host
from tonesmith.presets.ingest import Found, Refused, ingest
from tonesmith.testing import Project
from tonesmith.testing.chaos import FAULTS

CHAOS = "tonesmith.testing.chaos"
SHORT = ("--notes.hold", 0.05, "--notes.tail", 0.05, "--notes.pitches", 60, "--sample-rate", 8000, "--workers", 1)

CONTRACTS = """
from tonesmith import Note
from tonesmith.testing import BackendContract


class TestChaos(BackendContract):
    name = "chaos"
    sample_rate = 8000
    note = Note(60, 100, 0.05, 0.05)


class TestForgetful(TestChaos):
    name = "forgetful"


class TestRandom(TestChaos):
    name = "random"


class TestDrifting(TestChaos):
    name = "drifting"


class TestDeaf(TestChaos):
    name = "deaf"


class TestCareless(TestChaos):
    name = "careless"
"""

LIARS = """
import json, os
from pathlib import Path
import numpy as np
from tonesmith import Parameter, ParameterSpace, Patch, Preset, hookimpl
from tonesmith.testing.chaos import Chaos


class Forgetful(Chaos):  # it says that no note hears the one before; its tail is heard
    name = "forgetful"
    isolation = fallback = "reuse"


class Random(Chaos):  # it says that any process gives the same; each has a noise of its own
    name = "random"

    def __init__(self, options, sample_rate):
        super().__init__(options, sample_rate)
        self._tail = int.from_bytes(os.urandom(2)) / 65536


class Drifting(Random):  # it promises a floor, which is far below what it does
    name = "drifting"
    determinism = "floor"


class Deaf(Chaos):  # patches do not arrive
    name = "deaf"

    def prepare(self, patch):
        self._patch = Patch({"freq": 440.0, "level": 0.5, "fault": 0.0})


class Careless(Chaos):  # it reads what it is given without a look, and not what it wrote
    name = "careless"
    preset_suffix = ".json"
    preset_suffixes = (".json",)

    def load_presets(self, path):
        told = json.loads(path.read_text())
        return [Preset(Patch(values, preset=f"{i:064x}"), name="written") for i, values in enumerate(told)]

    @classmethod
    def preset(cls, patch, assets, name):
        return json.dumps([{**patch.values, "level": 0.25}]).encode()


@hookimpl
def tonesmith_backends():
    return [Forgetful, Random, Drifting, Deaf, Careless]
"""


def pytest_in(project: Project, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run pytest in a project, with what is registered there."""
    paths = [str(project.folder), str(project.folder / ".site"), os.environ.get("PYTHONPATH", "")]
    return subprocess.run(
        [sys.executable, "-P", "-m", "pytest", "-q", "-p", "no:cacheprovider", "-W", "error", *arguments],
        cwd=project.folder,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, paths))},
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )


CAUGHT = {
    "TestForgetful": (
        "test_a_patch_sounds_the_same_whatever_was_played_before",
        "test_the_notes_of_a_patch_do_not_hear_each_other",
    ),
    "TestRandom": ("test_the_promised_determinism_holds_in_another_process",),
    "TestDrifting": ("test_the_promised_determinism_holds_in_another_process",),
    "TestDeaf": ("test_patches_reach_the_synth",),
    "TestCareless": (
        "test_a_preset_file_that_it_writes_is_read_as_the_same_patch",
        "test_what_is_no_preset_is_refused_with_a_reason",
    ),
}


@pytest.mark.long
def test_the_contract_of_a_backend_passes_the_honest_and_catches_the_liars(project):
    files = {"test_contracts.py": CONTRACTS, "liars.py": LIARS}
    wanted = " or ".join(["TestChaos", *(f"({liar} and ({' or '.join(tests)}))" for liar, tests in CAUGHT.items())])
    done = pytest_in(project(files, plugins=[CHAOS, "liars"]), "test_contracts.py", "-k", wanted)
    failed = re.findall(r"^FAILED test_contracts.py::(Test\w+::\w+)", done.stdout, re.MULTILINE)
    assert set(failed) == {f"{liar}::{test}" for liar, tests in CAUGHT.items() for test in tests}, done.stdout[-2000:]
    assert int(re.search(r"(\d+) passed", done.stdout)[1]) >= 14


@pytest.mark.long
def test_a_project_is_run_as_at_a_terminal(project):
    toml = '[backend]\nname = "chaos"\n[plan]\npatches = 4\nsample_rate = 8000\n'
    made = project({"plugins.toml": toml, "deep/notes.txt": b"\xff"}, plugins=[CHAOS])
    assert (made.folder / "deep" / "notes.txt").read_bytes() == b"\xff"
    done = made.run("generate", *SHORT, "out.zarr")
    assert (done.status, done.stdout.split(":")[0]) == (0, "out.zarr")
    assert len(done.dataset("out.zarr")) == 4

    wrong = made.run("generate", "--backend", "caos", "x.zarr")
    assert (wrong.status, wrong.stdout) == (2, "")
    assert "Did you mean 'chaos'?" in wrong.stderr
    assert not (made.folder / "x.zarr").exists()


def test_a_project_is_not_touched_by_the_environment_of_the_tests(project, monkeypatch):
    monkeypatch.setenv("TONESMITH_PLUGINS", "")
    monkeypatch.setenv("COLUMNS", "30")
    listed = project({}, plugins=[CHAOS]).run("plugins")
    assert "chaos" in listed.stdout
    assert max(map(len, listed.stdout.splitlines())) > 60
    assert "chaos" not in project().run("plugins", TONESMITH_PLUGINS="").stdout


@pytest.mark.parametrize(
    ("fault", "cause"),
    sampled(
        [
            ("nan", "level: not finite"),
            ("exit", "engine: crash"),
            ("hang", "engine: timeout"),
            ("silent", "level: silent"),
            ("crash", "engine: crash"),
            ("shape", "engine: shape"),
            ("error", "engine: error"),
            ("raise", "engine: error"),
        ],
        8,
    ),
)
@pytest.mark.first
def test_each_fault_of_chaos_is_a_rejection_that_a_run_survives(project, fault, cause):
    options = ("--backend", "chaos", "--backend.faults", f"none,{fault}", "--timeout", 1, "-n", 4)
    done = project({}, plugins=[CHAOS]).run("generate", *options, *SHORT, "out.zarr")
    assert done.status == 0, done.stderr
    data = done.dataset("out.zarr")
    assert len(data) == 4
    causes = {rejection.cause for rejection in data.rejections}
    assert causes, "no patch misbehaved"
    assert causes == {cause}


def test_chaos_leaks_in_one_object_and_not_from_snapshots():
    from tonesmith.space.patch import Note, Patch
    from tonesmith.testing import Chaos
    from tonesmith.testing.chaos import _LEAKED

    synth = Chaos(Chaos.Options(), 8000)
    synth.prepare(Patch({"freq": 440.0, "level": 0.5, "fault": float(list(FAULTS).index("leak"))}))
    try:
        for _ in range(2):
            assert synth.render(Note(60, 100, 0.05, 0.05)).shape == (2, 800)
        assert sum(map(len, _LEAKED)) == 16 << 20
    finally:
        _LEAKED.clear()


def test_an_unknown_fault_is_an_error_before_anything_is_made(project):
    done = project({}, plugins=[CHAOS]).run("generate", "--backend", "chaos", "--backend.faults", "crsh", "out.zarr")
    assert done.status == 2
    assert "Did you mean 'crash'?" in done.stderr


BANKS = """
import json
from tonesmith import EngineError, Patch, Preset, hookimpl
from tonesmith.space.patch import sha256_hex
from tonesmith.testing.chaos import Chaos


class Banked(Chaos):
    name = "banked"
    preset_suffixes = (".bank",)

    def load_presets(self, path):
        try:
            told = json.loads(path.read_text())
        except ValueError:
            raise EngineError("it is no JSON") from None
        values = {"freq": 440.0, "fault": 0.0}
        sha = lambda level: sha256_hex(json.dumps(level).encode())
        return [
            Preset(
                Patch({**values, "level": level}, preset=sha(level)),
                name=name,
                remarks=(f"the level of {name} is odd",) if name.startswith("odd") else (),
            )
            for name, level in told.items()
        ]


@hookimpl
def tonesmith_backends():
    return [Banked]
"""


@pytest.fixture
def banked(project):
    """A synth whose files hold several presets, found in this process too."""
    made = project({"banks.py": BANKS}, plugins=["banks"])
    with plugged(made, "banks"):
        yield made


def read(project: Project, **banks: str) -> tuple[list[Found], list[Refused]]:
    paths = []
    for name, text in banks.items():
        paths.append(project.folder / f"{name}.bank")
        paths[-1].write_text(text)
    return ingest(paths, Host.load().find("backend", "banked"), {}, sample_rate=8000, workers=2)


def test_remarks_come_with_their_preset_and_those_of_equal_presets_come_together(banked):
    found, refused = read(
        banked, a='{"one": 0.1, "odd": 0.2}', b='{"odder": 0.1, "oddest": 0.2, "two": 0.3}', c='{"odd1": 0.3}'
    )

    assert refused == []
    assert {item.preset.name: item.preset.remarks for item in found} == {
        "one": ("the same in b.bank, number 1: the level of odder is odd",),
        "odd": ("the level of odd is odd", "the same in b.bank, number 2: the level of oddest is odd"),
        "two": ("the same in c.bank: the level of odd1 is odd",),
    }


def test_a_file_may_hold_several_presets(banked):
    found, refused = read(banked, a='{"one": 0.1, "two": 0.2, "three": 0.3}', b='{"alone": 0.4}', c="{", d="{}")
    assert [item.preset.patch.preset for item in found] == sorted(item.preset.patch.preset for item in found)
    places = {item.preset.name: (item.path.stem, item.number) for item in found}
    assert places == {"one": ("a", 1), "two": ("a", 2), "three": ("a", 3), "alone": ("b", 0)}
    assert [(item.path.stem, item.reason) for item in refused] == [("c", "it is no JSON"), ("d", "it holds no preset")]


def test_a_preset_that_is_in_several_files_is_found_where_it_comes_first(banked):
    bank = '{"one": 0.1, "again": 0.1, "two": 0.2}'
    found, _ = read(banked, a=bank, b='{"other name": 0.2, "three": 0.3}', c=bank)
    assert {item.preset.name: (item.path.stem, item.number) for item in found} == {
        "one": ("a", 1),
        "two": ("a", 3),
        "three": ("b", 2),
    }
    assert {item.preset.name: [path.stem for path in item.copies] for item in found if item.copies} == {"one": ["c"]}


@pytest.mark.long
def test_presets_of_a_bank_are_listed_shown_and_drawn(banked):
    (banked.folder / "a.bank").write_text('{"first": 0.3, "second": 0.6, "again": 0.3}')
    synth = ("--backend", "banked")
    checked = banked.run("presets", "check", *synth, "a.bank").stdout.splitlines()
    assert checked[:2] == ["ok       a.bank: 1 first", "ok       a.bank: 2 second"]
    assert checked[2] == "2 presets in 1 file"
    shown = banked.run("presets", "show", *synth, "a.bank", "--number", 2).stdout
    assert re.search(r"number +2\n +name +second", shown)
    missing = banked.run("presets", "show", *synth, "a.bank", "--number", 3)
    assert (missing.status, "It has: 1, 2." in missing.stderr) == (2, True)
    made = banked.run("generate", *synth, "-n", 2, "--sampler", "presets", "--presets", "a.bank", *SHORT, "out.zarr")
    assert made.status == 0, made.stderr
    assert sorted(row.patch.values["level"] for row in made.dataset("out.zarr")) == pytest.approx([0.3, 0.6])


def test_every_public_name_is_there_and_nothing_else():
    for name in tonesmith.testing.__all__:
        assert getattr(tonesmith.testing, name).__name__ == name
        assert name in dir(tonesmith.testing)
    with pytest.raises(AttributeError, match="no attribute 'Contract'"):
        tonesmith.testing.Contract  # noqa: B018


def test_pytest_is_asked_for_only_when_a_contract_is_used():
    code = (
        "import sys; sys.modules['pytest'] = None\n"
        "from tonesmith.testing import Chaos, Project\n"
        "try:\n    from tonesmith.testing import SinkContract\n"
        "except ImportError as error:\n    print(error)\n"
    )
    told = subprocess.run([sys.executable, "-P", "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert told.stdout == "tonesmith.testing.SinkContract needs pytest. Install it: pip install pytest\n"


def test_the_pytest_plugin_costs_nothing_until_it_is_used():
    heavy = {"numpy", "scipy", "pydantic", "typer", "rich", "zarr", "tonesmith.host.registry"}
    code = f"import tonesmith.testing.plugin, sys; print(sorted({heavy!r} & set(sys.modules)))"
    told = subprocess.run([sys.executable, "-P", "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert told.stdout == "[]\n"
