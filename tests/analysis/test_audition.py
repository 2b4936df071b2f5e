"""An audition: the run's own candidates, what they tell of the run, and words for what is wrong."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support import Chaos, plugged, terminal

from tonesmith import Host, generate, open_dataset
from tonesmith.analysis.audition.findings import rate_of
from tonesmith.analysis.audition.hearing import auditioned
from tonesmith.analysis.audition.page import page_of
from tonesmith.analysis.audition.words import lines_of
from tonesmith.dataset.wav import wav_of
from tonesmith.run.audition import spread
from tonesmith.testing.project import Project
from tonesmith.testing.synthetic import synthetic_plan

PLAN = """
backend = { name = "chaos", faults = ["none"] }
plan = { patches = 20, sample_rate = 8000, block = 4, max_attempts = 6 }
notes = { pitches = [60, 72], hold = 0.15, tail = 0.05 }
run = { workers = 1 }
"""
SILENT = "[validators.level]\nsilence = -15.0\n"


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Any:
    files = {
        "plan.toml": PLAN + SILENT,
        "dead.toml": PLAN.replace('"none"', '"silent"'),
        "other.toml": PLAN.replace('faults = ["none"]', 'faults = ["none", "leak"]')
        + "space = { fix = { level = 0.5 } }\n",
    }
    made = Project(tmp_path_factory.mktemp("plans"), files, plugins=["tonesmith.testing.chaos"])
    with plugged(made, "tonesmith.testing.chaos"):
        yield made.folder


@pytest.fixture(scope="module")
def heard(project: Path) -> Any:
    """Return what an audition of four patches prints and writes."""
    words = ("audition", "plan.toml", "-n", 4, "-o", "page.html", "--audio", "wavs", "--json", "-q")
    before = {path.name for path in project.iterdir()}
    done = terminal(*words, cwd=project)
    assert (done.returncode, done.stderr) == (0, ""), done.stderr
    assert {path.name for path in project.iterdir()} - before == {"page.html", "wavs"}
    return json.loads(done.stdout)


def test_its_candidates_are_those_that_the_run_makes(project: Path, heard: Any) -> None:
    (plan,) = heard["plans"]
    generate(project / "d.zarr", config=project / "plan.toml")
    dataset = open_dataset(project / "d.zarr")
    patches = dataset.column("patch")
    rejected = {(one.patch, one.attempt) for one in dataset.rejections}

    assert dataset.plan.fingerprint == plan["fingerprint"]
    assert len(plan["patches"]) == 4
    assert plan["rejections"]  # or nothing is said of those that are rejected
    for one in plan["candidates"]:
        row = dataset[int(np.flatnonzero(patches == one["patch"])[0])]
        if one["rejection"]:
            assert (one["patch"], one["attempt"]) in rejected
            continue
        assert row.attempt == one["attempt"]
        wav = project / "wavs" / f"patch-{one['patch']}-try-{one['attempt']}-C4-100.wav"
        assert wav.read_bytes() == wav_of(row.audio, 8000)
    tries = [(one["patch"], one["attempt"]) for one in plan["candidates"] if one["rejection"]]
    assert sorted(tries) == sorted(rejected & {(p, a) for p, a in rejected if p in plan["patches"]})


@pytest.mark.long
def test_a_dataset_is_auditioned_by_the_plan_that_it_has(project: Path, heard: Any) -> None:
    if not (project / "d.zarr").exists():
        generate(project / "d.zarr", config=project / "plan.toml")
    before = {path: path.stat().st_mtime_ns for path in (project / "d.zarr").rglob("*")}
    told = json.loads(terminal("audition", "d.zarr", "-n", 4, "--json", "-q", cwd=project).stdout)

    assert told["plans"][0]["candidates"] == heard["plans"][0]["candidates"]
    assert {path: path.stat().st_mtime_ns for path in (project / "d.zarr").rglob("*")} == before


class Page(HTMLParser):
    """The tags of a page with their attributes."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, Any]]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.found.append((tag, dict(attrs)))

    def of(self, tag: str) -> list[dict[str, Any]]:
        return [attributes for name, attributes in self.found if name == tag]


def test_the_page_is_one_file_with_a_player_and_a_picture_of_each_sound(project: Path, heard: Any) -> None:
    text = (project / "page.html").read_text()
    page = Page(text)
    sounds = sum(len(one["sounds"]) for one in heard["plans"][0]["candidates"])

    assert len(page.of("audio")) == len(page.of("img")) == sounds
    assert {one["src"].partition(",")[0] for one in page.of("audio")} == {"data:audio/ogg;base64"}
    assert any("default-src 'none'" in str(one.get("content")) for one in page.of("meta"))
    assert not page.of("script")
    assert "http" not in text.replace("http-equiv", "")
    assert heard["files"] == [{"path": "page.html", "nbytes": len(text.encode())}]


@pytest.mark.long
def test_the_table_has_level_and_pitch_in_80_columns(project: Path) -> None:
    resolved = Chaos().resolved(("none",), patches=40, notes={"pitches": [69], "hold": 0.2, "tail": 0.0})
    fixed = replace(resolved.plan, space=replace(resolved.plan.space, fixed={"freq": 440.0, "level": 0.5}))
    found = auditioned("<b>plan.toml", replace(resolved, plan=fixed), Host.load(), 2, kept=True)
    lines = list(lines_of(found))

    assert max(map(len, lines)) <= 80
    (first, *_) = [line.split() for line in lines if line.startswith(str(found.patches[0]))]
    assert first[1:] == ["0", "A4", "69", "100", "-8.1", "-11.1", "A4", first[8], "ct", "accepted"]
    assert abs(int(first[8])) <= 5
    assert "<b>" not in page_of([found]).partition("<h2>")[2].partition("</h2>")[0]
    assert "&lt;b&gt;plan.toml" in page_of([found])


@pytest.mark.long
def test_two_plans_of_different_spaces_stand_side_by_side_and_say_so(project: Path) -> None:
    done = terminal("audition", "plan.toml", "other.toml", "-n", 2, "-o", "two.html", "-q", cwd=project)

    assert done.returncode == 0, done.stderr
    told = " ".join(done.stdout.split())
    assert "different spaces: plan.toml (chaos) alone varies 1 parameter, other.toml (chaos) alone varies 0" in told
    assert max(map(len, done.stdout.splitlines())) <= 80
    page = Page((project / "two.html").read_text())
    assert len(page.of("section")) == 2


def test_a_plan_whose_every_candidate_is_rejected_says_where_a_run_stops(project: Path) -> None:
    done = terminal("audition", "dead.toml", "-n", 3, "-q", cwd=project)
    told = " ".join(done.stdout.split())

    assert done.returncode == 1
    assert "was rejected 6 times (level: silent 6): a run stops there. Narrow the ranges under [space]" in told
    assert "rejected 8 of 8 candidates (100%); the run is to expect 68% to 100%" in told
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["nope.toml"], "nope.toml"),
        (["bad.toml"], "unknown backend 'vitta'. Did you mean 'vita'?"),
        (["no-engine.toml"], "/nowhere/synth.vst3"),
        (["plan.toml", "plan.toml", "plan.toml"], "CONFIG: expected one or two, not 3."),
        (["plan.toml", "-o", "page.txt"], "--out: page.txt must end in .html"),
        (["plan.toml", "-o", "there.html"], "--out: there.html exists."),
        (["plan.toml", "--audio", "there.html"], "--audio: there.html is a file."),
        (["plan.toml", "--audio", "full"], "--audio: full is not empty."),
        (["plan.toml", "--play"], "this machine has no audio output, so nothing can be played. --play: Write a page"),
        (["plan.toml", "-n", "0"], "--candidates: expected an integer from 1 to 1000."),
    ],
)
def test_what_cannot_be_done_is_said_at_once_and_nothing_is_written(
    project: Path, words: list[str], said: str, tmp_path: Path
) -> None:
    (tmp_path / "plan.toml").write_text(PLAN)
    (tmp_path / "bad.toml").write_text('backend = "vitta"\n')
    (tmp_path / "no-engine.toml").write_text('backend = { name = "vst3", plugin = "/nowhere/synth.vst3" }\n')
    (tmp_path / "there.html").write_text("mine")
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine.txt").write_text("mine")
    before = sorted(tmp_path.rglob("*"))
    done = terminal("audition", *words, cwd=tmp_path)

    assert done.returncode == 2, done.stderr
    assert said in " ".join(done.stderr.split())
    assert "Traceback" not in done.stderr
    assert done.stdout == ""
    assert sorted(tmp_path.rglob("*")) == before
    assert (tmp_path / "there.html").read_text() == "mine"


@given(st.integers(1, 10**12), st.integers(1, 50), st.integers(0, 100))
def test_patches_are_spread_evenly_over_a_plan_and_follow_from_its_seed(patches: int, count: int, seed: int) -> None:
    plan = replace(synthetic_plan(patches=patches), seed=seed)
    found = spread(plan, count)

    assert found == spread(plan, count)
    assert len(set(found)) == len(found) == min(patches, count)
    width = patches / len(found)
    assert all(width * i - 1 <= patch < width * (i + 1) for i, patch in enumerate(found))


def test_another_seed_spreads_otherwise_and_patches_are_no_neighbours() -> None:
    plan = synthetic_plan(patches=10_000)

    assert spread(plan, 12) != spread(replace(plan, seed=8), 12)
    assert len({patch % 2 for patch in spread(plan, 12)}) == 2  # of every 833rd, the parity would tell half a space


def test_the_rate_to_expect_is_wilsons() -> None:
    for rejected, candidates, low, high in ((3, 15, 0.0705, 0.4519), (0, 8, 0.0, 0.3244), (8, 8, 0.6756, 1.0)):
        rate = rate_of(rejected, candidates)
        assert (rate.low, rate.high) == (pytest.approx(low, abs=1e-4), pytest.approx(high, abs=1e-4))
    assert (rate_of(0, 0).low, rate_of(0, 0).high) == (0.0, 1.0)


@pytest.mark.long
def test_the_parameter_that_causes_rejections_is_named_with_its_range_and_a_cure() -> None:
    silence = {"level": {"silence": -19.07}}
    resolved = Chaos().resolved(
        ("none",), patches=4000, validators=silence, notes={"pitches": [60], "hold": 0.1, "tail": 0}
    )
    found = auditioned("plan.toml", resolved, Host.load(), 45)

    assert [hole.where for hole in found.holes][:1] == ["below 0.2"]
    (trouble,) = [one for one in found.troubles if one.what.startswith("level: silent rejects")]
    assert trouble.suggestion == 'Draw above it: [space.ranges] "level" = [0.2, 1].'


@pytest.mark.long
def test_ctrl_c_ends_it_with_a_word_and_leaves_nothing(project: Path, tmp_path: Path) -> None:
    (tmp_path / "slow.toml").write_text(PLAN.replace("patches = 20", "patches = 4000") + SILENT)
    command = [sys.executable, "-P", "-m", "tonesmith", "audition", "slow.toml", "-n", "1000", "-o", "page.html"]
    environment = {**os.environ, "NO_COLOR": "1", "TMPDIR": str(tmp_path / "tmp")}
    (tmp_path / "tmp").mkdir()
    run = subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.PIPE, text=True, env=environment)
    until = time.monotonic() + 60
    blocks = "tonesmith-audition-*/trial/tonesmith/blocks/*"
    while len(list((tmp_path / "tmp").glob(blocks))) < 2 and time.monotonic() < until and run.poll() is None:
        time.sleep(0.02)
    run.send_signal(signal.SIGINT)
    _, told = run.communicate(timeout=60)

    assert run.returncode == 130, told
    assert told.endswith("tonesmith: stopped; no page was written.\n")
    assert "Traceback" not in told
    assert sorted(path.name for path in tmp_path.iterdir()) == ["slow.toml", "tmp"]
    assert list((tmp_path / "tmp").glob("tonesmith-audition-*")) == []
