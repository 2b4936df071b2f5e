"""A corpus packed by ``tonesmith convert``: the same rows in every format, resumed, checked, refused."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pytest
from support.corpora import melody, tone, write_audio, write_midi

from tonesmith import ConfigError, open_dataset
from tonesmith.analysis.report.items import item_head, labelled
from tonesmith.cli import run
from tonesmith.corpus import Corpus
from tonesmith.dataset.report import report
from tonesmith.dataset.verify import check_integrity
from tonesmith.errors import OtherPlanError
from tonesmith.plan.plan import PluginRef
from tonesmith.transfer.blocks import Listener
from tonesmith.transfer.convert import convert

EVERY = ("hdf5", "lmdb", "parquet", "webdataset", "zarr")


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    """Six recordings, three of them with a score, in splits, with a label from folders."""
    folder = tmp_path_factory.mktemp("packed")
    for number in range(6):
        place = folder / "m" / ("happy", "sad")[number % 2]
        write_audio(place / f"{number}.wav", tone(200.0 + 50 * number, 0.2 + 0.05 * number))
        if number < 3:
            write_midi(place / f"{number}.mid", melody(number, 8))
    with Corpus.new(folder / "c", licence="CC0-1.0") as made:
        made.add(folder / "m")
        made.annotate("folders")
        made.split()
    return folder / "c"


@pytest.fixture(scope="module")
def packed(corpus, tmp_path_factory):
    path = tmp_path_factory.mktemp("out") / "p"
    done = convert(corpus, path, PluginRef("folder"), workers=1)
    assert (done.rows, done.complete, done.damaged) == (6, True, ())
    return path


def check_same(packed, live):
    assert packed.plan.items == live.plan.items
    assert packed.digest == live.digest
    for one, other in zip(packed, live, strict=True):
        assert (one.item, one.annotations, one.score, one.midi) == (
            other.item,
            other.annotations,
            other.score,
            other.midi,
        )
        assert np.array_equal(one.audio, other.audio)
    assert {name: rows.tolist() for name, rows in packed.splits.items()} == {
        name: rows.tolist() for name, rows in live.splits.items()
    }


def test_a_packed_corpus_has_its_rows_scores_labels_and_splits(packed, corpus):
    dataset = open_dataset(packed)
    check_same(dataset, open_dataset(corpus))
    assert list(check_integrity(dataset)) == []
    assert sum(row.midi is not None for row in dataset) == 3


@pytest.mark.long
@pytest.mark.parametrize("sink", EVERY)
def test_every_format_holds_a_corpus(sink, corpus, tmp_path):
    lossless = {"parquet": {"audio": "wav"}, "webdataset": {"audio": "npy"}}.get(sink, {})
    done = convert(corpus, tmp_path / "p", PluginRef(sink, lossless), form={"window": 0.1, "hop": 0.05}, workers=2)
    assert done.complete
    assert done.form == {"window": 0.1, "hop": 0.05, "sample_rate": 8000, "channels": 1}
    packed, live = open_dataset(tmp_path / "p"), open_dataset(corpus, window=0.1, hop=0.05)
    check_same(packed, live)
    assert list(check_integrity(packed)) == []


class Interrupting(Listener):
    def carried(self, rows):
        raise KeyboardInterrupt


def test_it_goes_on_after_an_interruption_and_the_bytes_are_the_same(corpus, tmp_path, monkeypatch):
    monkeypatch.setattr("tonesmith.corpus.rows.plan._BLOCK_ROWS", 2)
    folder = PluginRef("folder")
    with pytest.raises(KeyboardInterrupt):
        convert(corpus, tmp_path / "a", folder, workers=1, listener=Interrupting())
    assert len(open_dataset(tmp_path / "a")) == 2
    done = convert(corpus, tmp_path / "a", folder, workers=1)
    assert (done.rows, done.rows_added) == (6, 4)
    convert(corpus, tmp_path / "b", folder, workers=1)

    def files(path):
        found = (file for file in path.rglob("*") if file.is_file() and "README" not in file.name)
        return {str(f.relative_to(path)): f.read_bytes() for f in found if f.suffix in {".wav", ".jsonl"}}

    assert files(tmp_path / "a") == files(tmp_path / "b")
    assert open_dataset(tmp_path / "a").digest == open_dataset(corpus).digest


def test_a_corpus_that_changed_is_not_mixed_with_what_was_packed_before(packed, corpus, tmp_path):
    shutil.copytree(corpus, tmp_path / "c")
    with Corpus(tmp_path / "c") as changed:
        changed.label(next(iter(changed)).id, emotion="calm")
    with pytest.raises(OtherPlanError, match="was packed before the corpus changed"):
        convert(tmp_path / "c", packed, PluginRef("folder"))


def test_a_file_that_is_damaged_is_left_out_and_named(corpus, tmp_path):
    shutil.copytree(corpus, tmp_path / "c")
    sound = next((tmp_path / "c" / "raw" / "audio").iterdir())
    sound.write_bytes(sound.read_bytes()[:-2])
    done = convert(tmp_path / "c", tmp_path / "p", PluginRef("folder"), workers=1)
    assert not done.complete
    assert sound.name in done.damaged[0].what


@pytest.mark.long
def test_scores_alone_are_packed_without_audio_or_refused_by_name(tmp_path, capsys):
    write_midi(tmp_path / "m" / "a.mid", melody(1))
    with Corpus.new(tmp_path / "c") as corpus:
        corpus.add(tmp_path / "m")
    with pytest.raises(ConfigError, match=r"the sink 'folder' stores sounds\. The sinks hdf5 and zarr do without"):
        convert(tmp_path / "c", tmp_path / "p", PluginRef("folder"))
    assert not (tmp_path / "p").exists()
    assert run(["convert", str(tmp_path / "c"), str(tmp_path / "p"), "--sink", "hdf5", "--workers", "1", "-q"]) == 0
    told = capsys.readouterr().out
    assert "whole items, without audio" in told
    assert "differs" not in told
    packed = open_dataset(tmp_path / "p")
    assert packed[0].score == melody(1)
    assert "audio" not in packed.columns


@pytest.mark.long
def test_the_commands_say_what_a_packed_corpus_is(packed, corpus, tmp_path, capsys):
    assert run(["convert", str(corpus), str(tmp_path / "p"), "--sink", "folder", "--workers", "1", "-q"]) == 0
    assert "whole items, 8000 Hz, 1 channel" in capsys.readouterr().out
    for path in (packed, corpus):
        assert run(["inspect", str(path)]) == 0
        told = capsys.readouterr().out
        assert "6 items of the corpus c" in told
        assert "happy (3), sad (3) by folders (6)" in told
    assert run(["verify", str(packed)]) == 0
    assert "no synth made them" in capsys.readouterr().out
    assert run(["verify", str(packed), "--render", "1"]) == 1
    assert "there is nothing to render" in capsys.readouterr().err
    assert run(["verify", str(corpus)]) == 2
    assert "tonesmith corpus check" in capsys.readouterr().err


def test_the_card_tells_of_items_and_of_who_said_their_labels(packed):
    text = (packed / "README.md").read_text()
    assert "6 items of the corpus c, with 6 recordings and 3 scores" in text
    assert "| `emotion` | 6 | folders (6) | happy (3), sad (3) |" in text
    assert "synthesizer" not in text
    assert "tonesmith generate" not in text


@pytest.mark.long
def test_the_report_has_labels_sources_and_balance(packed):
    told = report(open_dataset(packed))
    section = labelled(told)
    assert section is not None
    assert ("emotion", "6", "0", "folders (6)", "happy (3), sad (3)") in section.parts[-1].rows
    assert "0.00 of the items of the largest" in section.note
    assert dict(item_head(told))["media"].startswith("6 recordings, 3 scores")


def test_what_a_corpus_cannot_be_used_for_is_said(packed, corpus, tmp_path, capsys):
    assert run(["features", str(corpus), "--add", "stats"]) == 2
    assert "tonesmith corpus features" in capsys.readouterr().err
    assert run(["generate", str(tmp_path / "x"), "--config", str(packed)]) == 1
    assert "no composition makes it" in capsys.readouterr().err
    shutil.copytree(packed, tmp_path / "q")
    assert run(["merge", str(packed), str(tmp_path / "q"), "-o", str(tmp_path / "m")]) == 1
    assert "tonesmith corpus add" in capsys.readouterr().err


def test_split_of_a_corpus_is_that_of_the_corpus(corpus, tmp_path, capsys):
    shutil.copytree(corpus, tmp_path / "c")
    path = str(tmp_path / "c")
    half = ["--train", "0.5", "--val", "0.25", "--test", "0.25"]
    assert run(["split", path, *half]) == 2
    assert "divide everything again with --force" in capsys.readouterr().err
    assert run(["split", path, *half, "--force", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["shares"] == {"train": 0.5, "val": 0.25, "test": 0.25}
    assert told["stratify"] == "emotion"
    assert len((tmp_path / "c" / "splits" / "train.txt").read_text().split()) == told["splits"]["train"]["items"]
    assert run(["split", path, "--by", "score"]) == 2
    assert "--by means nothing" in capsys.readouterr().err
