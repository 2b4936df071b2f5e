"""A file of steps: checked as a whole, done in order, gone on with where it stopped."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time

import pytest
from support import ROOT
from support.corpora import music
from support.documents import blocks_of

from tonesmith.cli import run
from tonesmith.corpus import Corpus
from tonesmith.corpus.annotating import Annotating

FILE = """
path = "c"
[new]
profile = "emotion"
[add]
sources = ["music"]
[annotate]
with = ["folders", "key"]
[annotate.set.key]
least = 0.9
[sanitise]
shortest = 0.1
[split]
train = 0.5
val = 0.25
test = 0.25
[check]
"""


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    return music(tmp_path_factory.mktemp("source") / "music")


@pytest.fixture
def here(source, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "music").symlink_to(source)
    (tmp_path / "run.toml").write_text(FILE)
    return tmp_path


def steps(capsys, *more):
    code = run(["corpus", "run", "run.toml", "--json", "--quiet", *more])
    told = json.loads(capsys.readouterr().out)
    return code, told


def test_every_step_is_done_in_order_and_a_repeat_does_nothing_new(here, capsys):
    code, told = steps(capsys)
    assert [one["step"] for one in told["steps"]] == ["new", "add", "annotate", "sanitise", "split", "check"]
    assert (code, told["complete"]) == (1, True), "files that were refused are said, and stop nothing"
    assert [one["exit_code"] for one in told["steps"]] == [0, 1, 0, 0, 0, 0]
    assert told["steps"][1]["command"] == "tonesmith corpus add c music"
    assert told["steps"][2]["command"] == "tonesmith corpus annotate c --with folders,key --set key.least=0.9"
    assert told["steps"][4]["result"]["shares"] == {"train": 0.5, "val": 0.25, "test": 0.25}
    with Corpus("c") as corpus:
        assert len(corpus.find(emotion="happy")) == 2, "one song is in both folders"
        assert all(item.split for item in corpus)
    _, again = steps(capsys)
    assert again["steps"][1]["result"]["added"] == []
    assert again["steps"][3]["result"]["measured"] == 0


@pytest.mark.long
def test_a_step_that_is_stopped_is_gone_on_with_and_another_can_be_named(here, capsys, monkeypatch):
    def stop(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Annotating, "ask", stop)
        assert run(["corpus", "run", "run.toml", "--quiet"]) == 130
    capsys.readouterr()
    assert run(["corpus", "run", "run.toml", "--dry-run"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split("  ")[0] for line in lines] == ["was done", "was done", *["would run"] * 4]
    assert run(["corpus", "run", "run.toml", "--quiet"]) == 0
    said = capsys.readouterr().out
    assert "c: going on with step 3 of 6, annotate" in said
    assert "step 2 of 6" not in said
    _, told = steps(capsys, "--from", "split")
    assert [one["exit_code"] for one in told["steps"]] == [None] * 4 + [0, 0]
    assert run(["corpus", "run", "run.toml", "--from", "splitt"]) == 2
    assert "unknown step 'splitt'. Did you mean 'split'?" in capsys.readouterr().err


@pytest.mark.long
def test_the_corpus_of_the_readme_is_made_checked_and_told(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (block,) = [b.text for b in blocks_of(ROOT / "README.md") if "Corpus.new" in b.text]
    exec(block.replace("1000", "8"), {})  # noqa: S102 - it is ours
    said = capsys.readouterr().out
    assert said.startswith("16 items {'happy': ")
    assert "leaks 0" in said
    assert "faults:\nnext:\n" in said


@pytest.mark.long
def test_faults_end_a_run_at_its_check(here, capsys):
    (here / "run.toml").write_text(FILE + "[stats]\n")
    steps(capsys)
    with Corpus("c") as corpus:
        path = next(corpus.path / item.path for item in corpus)
    path.unlink()
    code, told = steps(capsys)
    assert (code, told["complete"]) == (1, False)
    assert [one["exit_code"] for one in told["steps"]][-2:] == [1, None]
    assert run(["corpus", "run", "run.toml", "--quiet"]) == 1
    assert "stopped after check, which found faults" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[new]\n", "run.toml: path is missing"),
        ('path = "c"\n', "there are no steps"),
        ('path = "c"\n[ad]\n', "run.toml:2: unknown step 'ad'. Did you mean 'add'?"),
        ('path = "c"\nsteps = ["new"]\n[new]\n[split]\n', "run.toml:4: [split] is not among steps"),
        ('path = "c"\n[split]\ntrian = 0.5\n', "run.toml:3: split: unknown option 'trian'. Did you mean 'train'?"),
        ('path = "c"\n[split]\ntrain = 7\n', "run.toml:2: split: Invalid value for '--train'"),
        ('path = "c"\n[split]\nagain = 1\n', "run.toml:3: split: again: expected true or false."),
        ('path = "c"\n[add]\nsources = ["nowhere"]\n', "run.toml:3: add: nowhere does not exist."),
        ('path = "c"\n[add]\n', "run.toml:2: add: Missing argument"),
        (
            'path = "c"\n[annotate]\nwith = "kye"\n',
            "run.toml:3: annotate: unknown annotator 'kye'. Did you mean 'key'?",
        ),
        ('path = "c"\n[new]\nprofile = "emotoin"\n', "run.toml:3: new: unknown profile 'emotoin'"),
        ('path = "c"\n[compose]\nwith = "emotion"\nmod = "sad"\n', "unknown option 'mod'. Did you mean 'mood'?"),
        ('path = "c"\n[compose]\nwith = "emotion"\nmood = "saad"\n', "run.toml:2: compose: composer.mood"),
        ('path = "c"\n[convert]\nout = "x"\nsink = "zar"\n', "convert: unknown sink 'zar'. Did you mean 'zarr'?"),
        ('path = "c"\n[convert]\nout = "x"\nsink = "zarr"\nworker = 1\n', "unknown option 'worker'"),
    ],
)
def test_whatever_is_wrong_in_the_file_is_said_before_anything_is_done(tmp_path, monkeypatch, capsys, text, said):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "run.toml").write_text(text)
    assert run(["corpus", "run", "run.toml"]) == 2
    assert said in capsys.readouterr().err
    assert not (tmp_path / "c").exists()


def test_everything_that_is_wrong_is_said_at_once(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "run.toml").write_text('path = "c"\n[ad]\n[split]\ntrain = 7\n')
    run(["corpus", "run", "run.toml"])
    said = capsys.readouterr().err
    assert "unknown step 'ad'" in said
    assert "--train" in said


@pytest.mark.long
@pytest.mark.parametrize("wait", [1.0, 1.5, 2.0, 3.0, 4.0])
def test_a_run_that_is_killed_ends_as_if_nothing_was(here, capsys, wait):
    child = subprocess.Popen(
        [sys.executable, "-m", "tonesmith", "corpus", "run", "run.toml", "--quiet"], env=os.environ
    )
    time.sleep(wait)
    child.send_signal(signal.SIGKILL)
    child.wait()
    _, told = steps(capsys)
    assert told["complete"]
    with Corpus("c") as corpus:
        assert len(corpus) == 6
        assert not corpus.check(deep=True).faults
