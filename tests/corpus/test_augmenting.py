"""Children of items: what they are, what is said of them, and that each can be made again."""

from __future__ import annotations

import json
import shlex
import shutil
import signal
import subprocess
import sys
import time

import pytest
from support.corpora import melody, tone, write_audio, write_midi

from tonesmith import ConfigError
from tonesmith.cli import run
from tonesmith.corpus import Corpus
from tonesmith.score.reader import read_midi
from tonesmith.score.score import Score

SCORES = ("transpose", "tempo", "velocity", "jitter", "dropout")


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Four scores of two moods, drums and a recording, divided, with three children of each score."""
    path = tmp_path_factory.mktemp("made")
    for number in range(4):
        write_midi(path / "m" / ("happy", "sad")[number % 2] / f"{number}.mid", melody(number, bpm=100))
    write_midi(path / "m" / "drums.mid", Score.of([(b, 1, 36 + b % 3, 90) for b in range(16)], drums=True))
    write_audio(path / "m" / "tone.wav", tone(seconds=0.4))
    with Corpus.new(path / "c") as corpus:
        corpus.add(path / "m")
        corpus.annotate("folders", "tempo")
        corpus.label("tone-" + corpus_digits(corpus, "tone"), key="A", is_verified=True, by="anna")
        corpus.split()
        corpus.augment(*SCORES, n=3)
    return path / "c"


def corpus_digits(corpus, stem):
    return next(item.id.rpartition("-")[2] for item in corpus if item.id.startswith(f"{stem}-"))


@pytest.fixture
def corpus(made, tmp_path):
    shutil.copytree(made, tmp_path / "c")
    with Corpus(tmp_path / "c") as opened:
        yield opened


def named(corpus, stem):
    return next(item for item in corpus if item.id.startswith(f"{stem}-") and not item.parent)


def children(corpus, parent):
    return [item for item in corpus if item.parent == parent]


def files(corpus):
    return {path.name: path.read_bytes() for path in sorted((corpus.path / "processed" / "augmented").iterdir())}


def test_every_score_has_its_children_with_parent_recipe_and_the_split_of_the_parent(corpus):
    assert len(files(corpus)) == 15
    for parent in [item for item in corpus if not item.parent and item.media[0].kind == "score"]:
        made = children(corpus, parent.id)
        assert sorted(child.recipe["number"] for child in made) == [0, 1, 2]
        assert {child.split for child in made} == {parent.split}
        assert all((corpus.path / child.path).is_file() for child in made)
    assert corpus.check(deep=True).faults == []
    sample = next(s for s in json.loads((corpus.path / "manifest.json").read_text())["samples"] if s["parent"])
    assert [step[0] for step in sample["recipe"]["parameters"]["steps"]][-1] == "dropout"
    assert sample["recipe"]["parameters"]["libraries"]["symusic"]


def test_labels_follow_the_music_or_are_inherited_and_say_so(corpus):
    parent = named(corpus, "1")
    for child in children(corpus, parent.id):
        drawn = {name: parameters for name, _, _, parameters in child.recipe["parameters"]["steps"]}
        told = {a.name: a for a in child.annotations}
        factor = drawn["tempo"]["factor"]
        assert told["tempo_bpm"].value == pytest.approx(100 * factor, abs=0.01)
        assert told["tempo_bpm"].source == "tempo (followed)"
        assert told["emotion"].source == "folders (inherited)"
        assert told["emotion"].value == "sad"
        assert 0.5 < told["emotion"].confidence < parent.annotations[0].confidence
        score = read_midi(corpus.path / child.path).score
        assert 60e6 / score.tempos.microseconds[0] == pytest.approx(told["tempo_bpm"].value, abs=0.01)


def test_drums_are_left_where_they_are_and_that_is_told(corpus):
    again = corpus.augment(*SCORES, n=3)
    assert (again.items, again.known) == ([], 15)
    more = corpus.augment("transpose", n=1)
    assert more.left_out == {"transpose: has only drums, which are not transposed": 1}
    for child in children(corpus, named(corpus, "drums").id):
        pitches = set(read_midi(corpus.path / child.path).score.notes["pitch"].tolist())
        assert pitches <= {36, 37, 38}


@pytest.mark.long
def test_the_same_is_made_whatever_was_there_before_and_no_draw_twice(corpus, tmp_path):
    before = files(corpus)
    corpus.augment(*SCORES, n=5)
    grown = files(corpus)
    with Corpus.new(tmp_path / "other") as other:
        other.add(*(corpus.path / item.path for item in corpus if not item.parent))
        other.augment(*SCORES, n=5)
        assert before.items() <= files(other).items()
        assert files(other) == grown
    done = corpus.augment("transpose", n=20, items=[named(corpus, "0").id])
    assert (len(done.items), done.repeated) == (12, 8)
    steps = {c.recipe["parameters"]["steps"][0][3]["semitones"] for c in map(corpus.__getitem__, done.items)}
    assert steps == {*range(-6, 7)} - {0}


def test_another_seed_makes_other_children_and_only_those_of_a_split_are_made(corpus):
    before = set(files(corpus))
    inside = {item.id for item in corpus if item.split == "train" and not item.parent and item.media[0].kind == "score"}
    done = corpus.augment(*SCORES, n=1, seed=1, split="train")
    assert {corpus[child].parent for child in done.items} == inside
    assert not set(done.items) & {name.removesuffix(".mid") for name in before}
    with pytest.raises(ConfigError, match="has no split 'tain'"):
        corpus.augment("tempo", split="tain")


def test_a_label_that_a_person_corrects_reaches_the_children_and_a_check_does_not(corpus):
    parent = named(corpus, "0")
    corpus.label(parent.id, emotion="calm")
    assert corpus.augment(*SCORES, n=3).relabelled > 0
    assert {child.values["emotion"] for child in children(corpus, parent.id)} == {"calm"}
    tone_id = named(corpus, "tone").id
    (child,) = corpus.augment("gain", n=1, items=[tone_id]).items
    assert corpus[child].values == {"key": "A"}


def test_recordings_are_augmented_and_made_again_bit_for_bit(corpus):
    done = corpus.augment("stretch", "noise", "gain", n=2)
    assert len(done.items) == 2
    for child in map(corpus.__getitem__, done.items):
        factor = child.recipe["parameters"]["steps"][0][3]["factor"]
        assert child.media[0].facts["frames"] == pytest.approx(3200 / factor, abs=2)
        assert child.recipe["parameters"]["libraries"]["pedalboard"]
        (corpus.path / child.path).unlink()
    again = corpus.remake(*done.items)
    assert (sorted(again.items), sorted(again.restored)) == (sorted(done.items),) * 2
    assert corpus.check(deep=True).faults == []


def test_all_is_made_again_children_of_children_too(corpus):
    (child, *_) = (item.id for item in corpus if item.parent)
    grandchild = corpus.augment("jitter", n=1, items=[child]).items[0]
    before = files(corpus)
    for path in (corpus.path / "processed" / "augmented").iterdir():
        path.write_bytes(b"damaged")
    done = corpus.remake(grandchild)
    assert done.restored == [child, grandchild]
    assert len(corpus.remake().items) == len(before) == 16
    assert files(corpus) == before


def test_what_cannot_be_made_again_is_told_with_the_reason_and_left(corpus, capsys):
    firsts = [item for item in corpus if item.recipe.get("number") == 0]
    first, second, third = (item for item in firsts if item.parent.startswith(("0-", "1-", "2-")))
    (corpus.path / corpus[first.parent].path).unlink()
    stale = dict(second.recipe["parameters"]) | {"libraries": {"symusic": "0.0.1"}}
    stale["steps"] = [["transpose", 1, {}, {"semitones": 1}]]
    corpus.connection.execute("UPDATE recipes SET parameters = ? WHERE item = ?", (json.dumps(stale), second.id))
    older = dict(third.recipe["parameters"]) | {"steps": [["tempo", 99, {}, {"factor": 1.0}]]}
    corpus.connection.execute("UPDATE recipes SET parameters = ? WHERE item = ?", (json.dumps(older), third.id))
    before = files(corpus)
    assert run(["corpus", "remake", str(corpus.path), "--json"]) == 1
    told = json.loads(capsys.readouterr().out)
    assert "symusic was 0.0.1, and is " in told["differing"][second.id]
    assert "is missing: copy raw/midi/" in told["refused"][first.id]
    assert "tempo has version 1 now, and had 99" in told["refused"][third.id]
    assert files(corpus) == before


@pytest.mark.parametrize(
    ("damage", "remade"),
    [
        ("[]", "does not say what it makes"),
        ('{"kind": "score", "steps": "x"}', "it has no steps"),
        ('{"kind": "score", "steps": [["tempo", 1, {}, {}]]}', "cannot be followed: KeyError: 'factor'"),
        ('{"kind": "score", "steps": [["tempo", 99, {}, {}]]}', "tempo has version 1 now, and had 99"),
        ('{"kind": "score", "steps": [["gone", 1, {}, {}]]}', "gone"),
    ],
)
def test_a_damaged_recipe_is_told_and_the_other_children_are_made(corpus, capsys, damage, remade):
    """Whether a stranger wrote it, or another version of an augmenter did."""
    victim = children(corpus, named(corpus, "0").id)[0]
    corpus.connection.execute("UPDATE recipes SET parameters = ? WHERE item = ?", (damage, victim.id))
    assert run(["corpus", "augment", str(corpus.path), "-n", "4", "--with", ",".join(SCORES)]) == 0
    assert run(["corpus", "remake", str(corpus.path), "--json"]) == 1
    told = json.loads(capsys.readouterr().out.rpartition("\n{")[2].join(("{", "")))
    assert list(told["refused"]) == [victim.id]
    assert remade in told["refused"][victim.id]
    assert len(told["remade"]) >= 19


@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE recipes SET parameters = '{\"kind\": ' WHERE item = ?",
        "UPDATE media SET facts = 'notes' WHERE item = ?",
        "UPDATE annotations SET value = x'5b312c' WHERE item = (SELECT parent FROM parents WHERE item = ?)",
    ],
)
def test_what_is_no_json_in_the_truth_is_told_with_a_cure_that_cures(corpus, capsys, damage):
    corpus.write()
    before, victim = corpus.find(), children(corpus, named(corpus, "0").id)[0]
    corpus.connection.execute(damage, (victim.id,))
    corpus.close()
    assert run(["corpus", "augment", str(corpus.path), "-n", "4", "--with", ",".join(SCORES)]) == 1
    told = capsys.readouterr().err
    assert "corpus.sqlite is damaged: a value in it is not JSON: Expecting value: line 1" in told
    assert run(shlex.split(told.rpartition("Repair it: tonesmith ")[2])) == 0
    assert "from its backup" in capsys.readouterr().out
    with Corpus(corpus.path) as repaired:
        assert repaired.find() == before
        assert repaired.remake().refused == {}


def test_labels_that_cannot_follow_any_more_are_told_and_left(corpus, capsys):
    parent = named(corpus, "0")
    victim = children(corpus, parent.id)[0]
    stale = json.dumps({**victim.recipe["parameters"], "steps": [["tempo", 99, {}, {"factor": 1.0}]]})
    corpus.connection.execute("UPDATE recipes SET parameters = ? WHERE item = ?", (stale, victim.id))
    corpus.label(parent.id, emotion="calm")
    assert run(["corpus", "augment", str(corpus.path), "-n", "3", "--with", ",".join(SCORES)]) == 0
    told = capsys.readouterr().out
    assert "1 child whose labels are left as they were: the augmenter tempo has version 1 now, and had 99" in told
    emotions = {child.id: child.values["emotion"] for child in children(corpus, parent.id)}
    assert emotions.pop(victim.id) == victim.values["emotion"]
    assert set(emotions.values()) == {"calm"}


def test_a_repaired_corpus_has_its_children_with_their_recipes(corpus):
    from tonesmith.corpus.repairing import repair

    before = {item.id: (item.parent, item.path, dict(item.recipe)) for item in corpus}
    corpus.close()
    for name in ("corpus.sqlite", "corpus.backup.sqlite"):
        (corpus.path / name).unlink()
    repair(corpus.path)
    with Corpus(corpus.path) as repaired:
        assert {item.id: (item.parent, item.path, dict(item.recipe)) for item in repaired} == before


def test_a_dry_run_makes_nothing(corpus, capsys):
    before = files(corpus)
    assert run(["corpus", "augment", str(corpus.path), "-n", "4", "--with", ",".join(SCORES), "--dry-run"]) == 0
    assert "5 children of 5 files would be made, 21 items in all\n  15 children made before" in capsys.readouterr().out
    assert files(corpus) == before


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--with", "transpos"], "Did you mean 'transpose'?"),
        (["--with", "tempo,tempo"], "tempo is named twice"),
        (["--with", "tempo", "--set", "tempo.factor=[2,1]"], "the lower one first"),
        (["no-such-item"], "unknown item 'no-such-item'"),
        (["-n", "0"], "0"),
    ],
)
def test_what_cannot_be_asked_is_refused_at_once(corpus, capsys, words, told):
    assert run(["corpus", "augment", str(corpus.path), *words]) == 2
    assert told in capsys.readouterr().err


@pytest.mark.parametrize("workers", [1, 3])
def test_the_same_is_made_in_any_number_of_processes(corpus, tmp_path, workers):
    """Files, names, recipes, labels and reports: of scores and recordings, where some children are there already."""
    shutil.copytree(corpus.path, tmp_path / "here")
    names = (*SCORES, "stretch", "noise")
    with Corpus(tmp_path / "here") as here:
        expected = here.augment(*names, n=5).to_json()
        there = corpus.augment(*names, n=5, workers=workers).to_json()
        assert there == expected
        assert len(there["added"]) == 15
        assert files(corpus) == files(here)
        said = "SELECT item, name, value, source, confidence, believed FROM annotations ORDER BY 1, 2, 4"
        recipes = "SELECT * FROM recipes ORDER BY item"
        for sql in (said, recipes):
            assert corpus.connection.execute(sql).fetchall() == here.connection.execute(sql).fetchall()
    assert not list(corpus.path.rglob(".*.new"))


FATAL = """
import os, signal
from tonesmith import Augmenter, Options, hookimpl

class Fatal(Augmenter[Options]):
    name, summary, Options, takes = "fatal", "kills its process at some scores", Options, "score"

    def draw(self, music, draws):
        return {"key": draws.key("key")}

    def apply(self, music, parameters):
        if music.parts[0].program == 99:
            os.kill(os.getpid(), signal.SIGKILL)
        return music.transposed(1)

@hookimpl
def tonesmith_augmenters():
    return [Fatal]
"""


@pytest.mark.long
def test_an_item_at_which_a_process_dies_is_told_and_the_others_have_their_children(made, project):
    there = project({"mine.py": FATAL}, ["mine"])
    shutil.copytree(made, there.folder / "c")
    write_midi(there.folder / "bad.mid", Score.of([(0, 1, 60, 90), (1, 1, 62, 90)], program=99))
    assert there.run("corpus", "add", "c", "bad.mid", "-q").status == 0
    done = there.run("corpus", "augment", "c", "--with", "fatal", "-n", "1", "-q", "--json")
    assert done.stderr == ""
    told = json.loads(done.stdout)
    assert done.status == 1
    assert list(told["refused"].values()) == ["its process ended: killed by SIGKILL"]
    assert len(told["added"]) == 4


@pytest.mark.long
def test_what_was_killed_goes_on_and_ends_the_same(corpus, tmp_path):
    shutil.copytree(corpus.path, tmp_path / "whole")
    with Corpus(tmp_path / "whole") as whole:
        whole.augment(*SCORES, n=200)
        expected = files(whole)
    command = [sys.executable, "-m", "tonesmith", "corpus", "augment", str(corpus.path), "-n", "200", "-q", "-j", "2"]
    for pause in (1.5, 2.0, 2.5):
        process = subprocess.Popen([*command, "--with", ",".join(SCORES)])
        time.sleep(pause)
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert subprocess.run([*command, "--with", ",".join(SCORES)], check=False).returncode == 0
    with Corpus(corpus.path) as opened:
        assert files(opened) == expected
        assert opened.check(deep=True).faults == []
    assert not list(corpus.path.rglob(".*.new"))
