"""``tonesmith compose``: the same bytes each time, and nothing of anybody's overwritten."""

from __future__ import annotations

import csv
import hashlib
import json
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import pytest

from tonesmith.cli import run
from tonesmith.composers.groove import Groove
from tonesmith.host.builtin import BUILTINS
from tonesmith.host.hookspecs import hookimpl
from tonesmith.host.registry import Host
from tonesmith.host.roles import Composed, Composer, Options
from tonesmith.plan.annotated import AnnotationField
from tonesmith.score.reader import read_midi
from tonesmith.score.score import Score


class Listed(Composer[Options]):
    """Plays three scores, the last of which cannot be made."""

    name = "listed"
    summary = "three scores"
    Options = Options

    def fields(self) -> Sequence[AnnotationField]:
        return (
            AnnotationField("share", "number", "a share"),
            AnnotationField("loud", "flag", "whether it is loud"),
            AnnotationField("words", "text", "what is said"),
        )

    def collected(self) -> Sequence[Composed]:
        return [self.compose(0), self.compose(1)]

    def compose(self, index: int) -> Composed:
        score = Score.of([(0, 1, 60 + index, 100)])
        return Composed(score, {"share": float("nan"), "loud": index == 1, "words": 'a "b", c'}, f"x.mid bar {index}")


class Failing(Composer[Options]):
    """Fails at its third score."""

    name = "failing"
    summary = "fails"
    Options = Options

    def compose(self, index: int) -> Composed:
        return Composed(Score.of([(0, 1, 60, 100 - 40 // (2 - index))]))


@hookimpl
def tonesmith_composers() -> Iterable[type[Composer[Any]]]:
    return [Listed, Failing]


HOST = Host((*BUILTINS, __name__), allowed="")
Compose = Callable[..., tuple[int, str, str]]


@pytest.fixture
def compose(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Compose:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(Host, "load", classmethod(lambda cls: HOST))

    def typed(*words: object) -> tuple[int, str, str]:
        status = run(["compose", *map(str, words)])
        return status, *capsys.readouterr()

    return typed


def digests(folder: str) -> dict[str, str]:
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(Path(folder).iterdir())}


def rows(folder: str) -> list[dict[str, str]]:
    with (Path(folder) / "annotations.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def test_two_runs_give_the_same_bytes_and_another_seed_others(compose):
    for folder, seed in (("a", 1), ("b", 1), ("c", 2)):
        assert compose("groove", "-n", 4, "--seed", seed, "-o", folder)[0] == 0
    assert digests("a") == digests("b")
    names = {"recipe.json", "annotations.csv", *(f"groove-00000{n}.mid" for n in range(4))}
    assert digests("a").keys() == digests("c").keys() == names
    assert digests("a")["groove-000000.mid"] != digests("c")["groove-000000.mid"]


def test_the_table_says_what_the_composer_says_of_the_files(compose):
    compose("groove", "-n", 5, "--composer.meter", "3/4,7/8", "-o", "s")
    composer = Groove(Groove.Options.model_validate({"meter": ["3/4", "7/8"]}), 0)
    for index, row in enumerate(rows("s")):
        composed = composer.compose(index)
        assert read_midi(Path("s") / row["file"]).score == composed.score
        assert row["score"] == composed.score.digest
        assert float(row["seconds"]) == pytest.approx(composed.score.duration, abs=1e-6)
        told = composed.annotations
        assert (row["meter"], row["groove_type"]) == (told["meter"], told["groove_type"])
        assert row["swing_ratio"] == ("" if told["meter"] == "7/8" else str(told["swing_ratio"]))
    recipe = json.loads(Path("s/recipe.json").read_text())
    assert (recipe["composer"], recipe["seed"], recipe["seconds"]) == ("groove", 0, None)
    assert Groove.Options.model_validate(recipe["options"]) == composer.options


def test_the_same_command_changes_nothing_and_a_larger_number_adds(compose):
    compose("groove", "-n", 3, "-o", "s")
    before = digests("s")
    times = {path.name: path.stat().st_mtime_ns for path in Path("s").iterdir()}
    status, out, _ = compose("groove", "-n", 3, "-o", "s")
    assert (status, "written  0, 3 were there" in out) == (0, True)
    assert {path.name: path.stat().st_mtime_ns for path in Path("s").iterdir()} == times
    assert json.loads(compose("groove", "-n", 5, "-o", "s", "--json")[1])["written"] == 2
    assert len(rows("s")) == 5
    assert {name: digest for name, digest in digests("s").items() if name in before and name != "annotations.csv"} == {
        name: digest for name, digest in before.items() if name != "annotations.csv"
    }
    longer = digests("s")
    assert compose("groove", "-n", 2, "-o", "s")[0] == 0
    assert digests("s") == longer, "fewer scores take nothing away"


def test_other_settings_are_refused_and_with_force_replace_all(compose):
    compose("groove", "-n", 4, "-o", "s")
    Path("s/mine.mid").write_bytes(b"mine")
    before = digests("s")
    for words, told in (
        (["groove", "--seed", 9], "seed 0, not 9"),
        (["groove", "--composer.bars", 2], "composer.bars 4, not 2"),
        (["groove", "--seconds", 30], "seconds null, not 30.0"),
        (["listed"], "by 'groove'"),
    ):
        status, _, err = compose(*words, "-n", 2, "-o", "s")
        assert (status, told in err, "--force" in err) == (2, True, True), err
        assert digests("s") == before
    assert compose("groove", "--seed", 9, "-n", 2, "-o", "s", "--force")[0] == 0
    compose("groove", "--seed", 9, "-n", 2, "-o", "fresh")
    assert digests("s") == {**digests("fresh"), "mine.mid": before["mine.mid"]}


@pytest.mark.parametrize("taken", ["groove-000002.mid", "annotations.csv"])
def test_a_file_of_somebody_else_is_left_and_nothing_is_written(compose, taken):
    Path("s").mkdir()
    (Path("s") / taken).write_bytes(b"somebody's")
    if taken == "annotations.csv":
        compose("groove", "-n", 3, "-o", "s", "--force")
        (Path("s") / taken).write_bytes(b"somebody's")
    before = digests("s")
    status, _, err = compose("groove", "-n", 3, "-o", "s")
    assert (status, f"s/{taken} is another" in err) == (2, True), err
    assert digests("s") == before
    assert compose("groove", "-n", 3, "-o", "s", "--force")[0] == 0
    assert len(rows("s")) == 3


def test_an_interrupted_command_goes_on(compose, monkeypatch):
    own = Groove.compose

    def stopped(self: Groove, index: int) -> Composed:
        if index == 2:
            raise KeyboardInterrupt
        return own(self, index)

    with monkeypatch.context() as patch:
        patch.setattr(Groove, "compose", stopped)
        status, out, err = compose("groove", "-n", 4, "-o", "s")
    assert (status, out) == (130, "")
    assert "interrupted after 2 of 4 scores. Run the same command to resume." in err
    assert compose("groove", "-n", 4, "-o", "s")[1].startswith("s: 4 scores")
    compose("groove", "-n", 4, "-o", "whole")
    assert digests("s") == digests("whole")


def test_a_fixed_list_gives_all_it_has_and_no_more(compose):
    assert compose("listed", "-o", "s")[0] == 0
    first, second = rows("s")
    assert (first["loud"], second["loud"], first["share"]) == ("false", "true", "")
    assert (first["words"], second["source"]) == ('a "b", c', "x.mid bar 1")
    status, _, err = compose("listed", "-n", 3, "-o", "t")
    assert (status, err) == (2, "tonesmith: error: -n 3: the composer 'listed' has 2 scores here.\n")


def test_a_composer_that_fails_is_named_with_the_score(compose):
    status, _, err = compose("failing", "-n", 5, "-o", "s")
    assert status == 1
    assert "the composer 'failing' failed at score 2: ZeroDivisionError" in err


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["groov"], "unknown composer 'groov'. Did you mean 'groove'?"),
        (["groove", "--composer.swing", "0.9"], "--composer.swing: 0.9 is not allowed. Expected a number from 0.5 to"),
        (["groove", "--composer.feel", "swng"], '--composer.feel: "swng" is not allowed'),
        (["groove", "--composer.feel", ""], "--composer.feel: the list is empty: name at least one."),
        (["groove", "--composer.swng", "1"], "unknown option '--composer.swng'"),
        (["groove", "--composer.bpm", "140,80"], "[140, 80] is not a range"),
        (["groove", "--seconds", "1"], "a bar of 4/4 at 80 beats per minute takes 3 s, and a score may take 1 s."),
        (["groove", "--seconds", "nan"], "--seconds: nan is not allowed."),
        (["groove", "--seed", "-1"], "--seed: -1 is not allowed."),
        (["groove", "-n", "0"], "-n"),
    ],
)
def test_what_is_wrong_is_said_in_a_sentence_before_anything_is_written(compose, words, told):
    status, out, err = compose(*words, "-o", "s")
    assert (status, out) == (2, "")
    assert err.startswith("tonesmith: error: ")
    assert told in err
    assert not Path("s").exists()


def test_a_place_that_is_no_folder_is_refused(compose):
    Path("file").write_text("mine")
    status, _, err = compose("groove", "-o", "file")
    assert (status, "file cannot be used: Not a directory" in err) == (2, True), err
    status, _, err = compose("groove", "-o", "s3://bucket/scores")
    assert (status, "is in a bucket" in err) == (2, True), err


def test_help_has_the_options_of_the_composer_and_completion_its_name(compose):
    assert "--composer.swing" in compose("groove", "--help")[1]
    assert "--composer.bars" not in compose("--help")[1]


def test_what_is_left_out_of_a_list_is_said_on_the_error_stream_and_a_dozen_is_enough(compose, tmp_path):
    Path("midi").mkdir()
    assert compose("groove", "-n", 1, "-o", "midi", "-q")[0] == 0
    for number in range(14):
        Path(f"midi/bad{number:02}.mid").write_bytes(b"no")
    status, out, err = compose("files", "--composer.paths", "midi", "--composer.drums", "with", "-o", "s")
    assert (status, len(rows("s"))) == (0, 1)
    told = [line for line in err.splitlines() if line.startswith("tonesmith: ")]
    assert told[0] == "tonesmith: bad00.mid cannot be read as MIDI: it is not a MIDI file: it has no header."
    assert told[12:] == ["tonesmith: and 2 more."]
    assert "bad" not in out
    assert compose("files", "--composer.paths", "midi", "--composer.drums", "with", "-o", "s", "-q")[2] == ""
