"""What is known of a corpus: made, changed, backed up, refused when it is another's, and said when it is damaged."""

from __future__ import annotations

import json
import multiprocessing
import os
import sqlite3
import time

import pytest
from support import ROOT
from support.documents import blocks_of

from tonesmith import ConfigError
from tonesmith.cli import run
from tonesmith.corpus import Corpus, CorpusBusyError, CorpusDamagedError, CorpusError, CorpusNotFoundError
from tonesmith.corpus.truth import batches, database, lock, schema
from tonesmith.corpus.truth.batches import Batches
from tonesmith.corpus.truth.inside import outside
from tonesmith.corpus.truth.items import annotate
from tonesmith.corpus.truth.lock import changing
from tonesmith.corpus.truth.profile import LONG_NAMES, profile_of, profile_text
from tonesmith.host.roles.annotation import Annotation


@pytest.fixture
def corpus(tmp_path):
    with Corpus.new(tmp_path / "c", licence="CC0-1.0") as made:
        with made.change() as connection:
            for name in ("a", "b"):
                connection.execute("INSERT INTO items VALUES (?, '')", (name,))
                medium = (name, "score", f"raw/midi/{name}.mid", name, name, "", 1, 1.0, 0, "{}")
                connection.execute("INSERT INTO media VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", medium)
        yield made


def told(source, value, authority, confidence=1.0, name="emotion"):
    return Annotation(name, value, confidence, source, "1", authority)


@pytest.mark.parametrize("name", LONG_NAMES)
def test_a_profile_is_taken_by_its_short_and_its_long_name(name):
    assert profile_text(name) == profile_text(LONG_NAMES[name])
    profile = profile_of(profile_text(name)[1], name)
    assert profile.long_name == name
    assert sum(profile.wanted().values()) > 500


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("summary = 1", r"mine.toml:1: summary: 1 is not allowed. Expected text"),
        ('summary = ""\n[labels.a]\nkind = "chioce"', r"mine.toml:3: labels.a.kind: .*Did you mean 'choice'"),
        ('summary = ""\n[labels.a]\nkind = "choice"', r"a choice has choices"),
        ('summary = ""\nclasses = "emtion"', r"unknown label 'emtion'. Did you mean 'emotion'"),
        ('summary = ""\nclasses = "valence"', r"valence is no choice"),
        ('summary = ""\n[labels."../x"]\nkind = "text"', r"is no name of a label"),
        ("summary", r"mine.toml:1: not TOML"),
    ],
)
def test_a_profile_that_cannot_be_used_is_refused_with_its_line(tmp_path, text, said):
    (tmp_path / "mine.toml").write_text(text)
    with pytest.raises(ConfigError, match=said):
        Corpus.new(tmp_path / "c", str(tmp_path / "mine.toml"))
    assert not (tmp_path / "c").exists()


def test_a_profile_of_ones_own_goes_with_the_corpus(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text('summary = "x"\nclasses = "size"\n[labels.size]\nkind = "choice"\nchoices = ["big", "small"]\n')
    Corpus.new(tmp_path / "c", str(path)).close()
    path.unlink()
    with Corpus(tmp_path / "c") as corpus:
        assert corpus.profile.wanted() == {"big": 0, "small": 0}


def test_the_profile_in_the_docs_is_one():
    (text,) = [block.text for block in blocks_of(ROOT / "docs/corpora.md") if block.text.startswith("summary")]
    profile = profile_of(text, "docs/corpora.md")
    assert profile.wanted() == {"big": 100, "small": 50}
    assert profile.label("size").accepted("size", "Large") == "big"


def test_making_a_corpus_again_changes_nothing_and_another_profile_is_refused(corpus):
    before = (corpus.path / "corpus.toml").read_bytes()
    assert len(Corpus.new(corpus.path)) == 2
    assert (corpus.path / "corpus.toml").read_bytes() == before
    with pytest.raises(ConfigError, match="another profile, and was not changed"):
        Corpus.new(corpus.path, "melody")
    with pytest.raises(ConfigError, match="another licence"):
        Corpus.new(corpus.path, licence="MIT")


def test_a_folder_of_something_else_is_left_alone(tmp_path):
    (tmp_path / "mine.txt").write_text("x")
    with pytest.raises(ConfigError, match="not an empty folder"):
        Corpus.new(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]
    with pytest.raises(CorpusNotFoundError, match=r"is not a corpus: it has no corpus.sqlite"):
        Corpus(tmp_path)
    with pytest.raises(CorpusNotFoundError, match="Make a corpus: tonesmith corpus new"):
        Corpus(tmp_path / "nowhere")


def test_a_persons_word_wins_then_the_surer_source(corpus):
    said = [told("key", "sad", "detector", 0.9), told("folders", "happy", "folder"), told("mood", "calm", "detector")]
    with corpus.change() as connection:
        assert annotate(connection, "a", said) == 3
        assert annotate(connection, "a", said) == 0
    assert corpus["a"].values == {"emotion": "happy"}
    assert corpus.label("a", "anna", emotion="SAD") == 1
    assert corpus["a"].values == {"emotion": "sad"}
    assert [(a.source, a.value) for a in corpus["a"].annotations][:2] == [("person", "sad"), ("folders", "happy")]
    assert corpus.find(emotion="sad") == ["a"]
    assert corpus.label("a", "anna", emotion=None) == 1
    assert corpus.find(emotion="sad") == []
    assert corpus.find(emotion="happy") == ["a"]


def test_values_keep_their_kind_and_are_found_by_range(corpus):
    corpus.label("a", valence="-0.4", is_verified="yes", chord_progression="I IV V", tempo_bpm=90)
    corpus.label("b", valence=0.25, is_verified=False)
    values = corpus["a"].values
    assert values["valence"] == -0.4
    assert values["is_verified"] is True
    assert values["chord_progression"] == ("I", "IV", "V")
    assert corpus.find(valence=(-1.0, 0.0)) == ["a"]
    assert corpus.find(is_verified=False) == ["b"]
    assert corpus.find(valence=(-1.0, 1.0), tempo_bpm=90) == ["a"]


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ({"emotion": "saad"}, "Did you mean 'sad'"),
        ({"emtion": "sad"}, "unknown label 'emtion'. Did you mean 'emotion'"),
        ({"valence": 2}, "Expected a number from -1 to 1"),
        ({"valence": "nan"}, "Expected a number from -1 to 1"),
        ({"valence": "high"}, "'high' is no number"),
        ({"is_verified": "maybe"}, "Expected true or false"),
        ({"swing_ratio": 2.0}, "from 0.5 to 0.8"),
    ],
)
def test_what_the_profile_does_not_allow_is_refused_and_nothing_of_it_stored(corpus, said, words):
    with pytest.raises(ConfigError, match=words):
        corpus.label("a", notes="kept?", **said)
    assert corpus["a"].values == {}


def test_a_dry_run_counts_and_stores_nothing(corpus):
    assert corpus.label("a", dry_run=True, emotion="sad") == 1
    assert corpus["a"].values == {}


def test_the_written_files_say_what_the_corpus_says(corpus):
    corpus.label("a", by="anna", emotion="sad", is_verified=True)
    assert not corpus.is_written
    corpus.write()
    assert corpus.is_written
    manifest = json.loads((corpus.path / "manifest.json").read_text())
    first, second = manifest["samples"]
    assert (first["sample_id"], first["file_path"]) == ("a", "raw/midi/a.mid")
    fields = "emotion valence arousal key mode tempo_bpm groove_type swing_ratio articulation chord_progression"
    assert list(first["annotations"]) == [*fields.split(), "quality_score", "is_verified", "notes"]
    assert first["annotations"]["emotion"] == "sad"
    assert second["annotations"]["emotion"] is None
    (source,) = json.loads((corpus.path / "annotations/emotion.json").read_text())["a"]["sources"]
    assert (source["value"], source["source"], source["by"]) == ("sad", "person", "anna")
    corpus.label("a", emotion=None)
    corpus.write()
    assert not (corpus.path / "annotations/emotion.json").exists()


def _hold(path, ready, done):
    with changing(path):
        ready.set()
        done.wait(60)


def test_a_second_command_waits_and_then_refuses_and_readers_read_on(corpus):
    context = multiprocessing.get_context("fork")
    ready, done = context.Event(), context.Event()
    other = context.Process(target=_hold, args=(corpus.path, ready, done))
    other.start()
    assert ready.wait(60)
    with Corpus(corpus.path, wait=0.1) as second:
        with pytest.raises(CorpusBusyError, match=rf"is being changed by another command \(process {other.pid}\)"):
            second.label("a", emotion="sad")
        assert second["a"].id == "a"
        second.wait = 60
        done.set()
        assert second.label("a", emotion="sad") == 1
    other.join()


def test_one_of_a_newer_version_is_refused_and_left_as_it_is(corpus):
    corpus.connection.execute(f"PRAGMA user_version = {len(schema.MIGRATIONS) + 1}")
    known = len(schema.MIGRATIONS)
    with pytest.raises(CorpusError, match=f"changed by a newer tonesmith: its tables have version {known + 1}"):
        Corpus(corpus.path)


def test_one_of_an_older_version_is_brought_up_to_date_after_a_backup(corpus, monkeypatch):
    corpus.label("a", emotion="sad")
    corpus.close()
    (corpus.path / database.BACKUP).unlink()
    before = len(schema.MIGRATIONS)
    monkeypatch.setattr(schema, "MIGRATIONS", (*schema.MIGRATIONS, "ALTER TABLE items ADD COLUMN more TEXT;"))
    monkeypatch.setattr(database, "MIGRATIONS", schema.MIGRATIONS)
    with Corpus(corpus.path) as again:
        assert again.connection.execute("SELECT more FROM items").fetchall() == [(None,), (None,)]
        assert again["a"].values == {"emotion": "sad"}
    backup = sqlite3.connect(corpus.path / database.BACKUP)
    assert backup.execute("PRAGMA user_version").fetchone() == (before,)
    backup.close()


def test_a_query_reads_only_the_index_and_gives_the_same_as_the_items(corpus):
    corpus.label("a", emotion="sad", tempo_bpm=90)
    corpus.label("b", emotion="sad", tempo_bpm=120)
    asked = []
    corpus.connection.set_trace_callback(asked.append)
    assert corpus.find(emotion="sad", tempo_bpm=(80.0, 100.0)) == ["a"]
    corpus.connection.set_trace_callback(None)
    plan = [row[3] for row in corpus.connection.execute(f"EXPLAIN QUERY PLAN {asked[-1]}")]
    assert sum("USING COVERING INDEX annotations_believed" in step for step in plan) == 2
    assert corpus.find(emotion="sad") == corpus.find() == ["a", "b"]


def said_elsewhere(corpus):
    with Corpus(corpus.path) as other:
        return other["a"].values, other.is_written


def test_batches_are_stored_now_and_then_and_what_was_changed_stays_when_a_command_fails(corpus, monkeypatch):
    corpus.write()
    settled = []
    words = [told("table", word, "table") for word in ("sad", "happy")]

    def failing():
        with Batches(corpus.connection, marks=True, settle=lambda: settled.append(said_elsewhere(corpus)[0])) as stored:
            annotate(corpus.connection, "a", words[:1])
            stored.now_and_then()
            assert said_elsewhere(corpus) == ({}, True)
            monkeypatch.setattr(batches, "_OFTEN", 0.0)
            stored.now_and_then()
            assert said_elsewhere(corpus) == ({"emotion": "sad"}, False)
            annotate(corpus.connection, "a", words[1:])
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        failing()
    assert said_elsewhere(corpus)[0] == {"emotion": "happy"}
    assert settled == [{}, {"emotion": "sad"}]


def test_batches_of_a_dry_run_are_not_stored(corpus, monkeypatch):
    monkeypatch.setattr(batches, "_OFTEN", 0.0)
    with Batches(corpus.connection, dry_run=True, settle=pytest.fail) as stored:
        annotate(corpus.connection, "a", [told("table", "sad", "table")])
        stored.now_and_then()
    assert said_elsewhere(corpus)[0] == corpus["a"].values == {}


def test_the_second_change_of_a_process_leaves_the_lock_file_as_it_is(corpus):
    corpus.label("a", emotion="sad")
    before = (corpus.path / lock.NAME).stat().st_mtime_ns
    time.sleep(0.02)
    corpus.label("a", emotion="happy")
    assert (corpus.path / lock.NAME).stat().st_mtime_ns == before


@pytest.mark.parametrize(("nbytes", "renewed"), [(0, True), (100_000_000, False)])
def test_a_backup_is_renewed_the_later_the_more_there_is_to_copy(corpus, nbytes, renewed):
    backup = corpus.path / database.BACKUP
    if nbytes:
        os.truncate(backup, nbytes)
    os.utime(backup, (time.time() - 900,) * 2)
    corpus.label("a", emotion="sad")
    assert (time.time() - backup.stat().st_mtime < 100) is renewed


def test_a_corpus_is_shown_open_and_closed(corpus):
    count = len(corpus)
    assert repr(corpus) == f"<Corpus {corpus.path}: {count} items>"
    corpus.close()
    assert repr(corpus) == f"<Corpus {corpus.path}, closed>"


@pytest.mark.parametrize("damage", ["cut", "text", "gone", "overwritten"])
def test_a_damaged_file_is_said_with_its_cure(corpus, damage, capsys):
    corpus.write()
    corpus.close()
    path = corpus.path / "corpus.sqlite"
    content = path.read_bytes()
    damaged = {
        "cut": content[:3000],
        "text": b"hello" * 999,
        "overwritten": content[:100] + b"\xff" * (len(content) - 100),
    }
    path.unlink()
    if damage != "gone":
        path.write_bytes(damaged[damage])
    assert run(["corpus", "label", str(corpus.path), "a", "emotion=sad"]) == 1
    said = capsys.readouterr().err
    assert "corpus.sqlite is damaged" in said
    assert f"Repair it: tonesmith corpus repair {corpus.path}" in said
    with pytest.raises(CorpusDamagedError):
        len(Corpus(corpus.path))


def test_commands_make_and_label_a_corpus(tmp_path, capsys):
    path = tmp_path / "c"
    assert run(["corpus", "new", str(path), "--profile", "groove", "--dry-run"]) == 0
    assert not path.exists()
    assert run(["corpus", "new", str(path), "--profile", "groovepredictor", "--licence", "CC0-1.0", "--json"]) == 0
    told = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert told == {"path": str(path), "profile": "groove", "licence": "CC0-1.0", "items": 0, "dry_run": False}
    assert run(["corpus", "label", str(path), "x", "emotion"]) == 2
    assert "'emotion' is not NAME=VALUE" in capsys.readouterr().err
    assert run(["corpus", "label", str(path), "x", "notes=a"]) == 2
    assert "unknown item 'x'" in capsys.readouterr().err


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE media SET path = '../../outside.mid' WHERE item = 'a'",
        "UPDATE media SET path = '/etc/passwd' WHERE item = 'a'",
        "UPDATE media SET path = 'raw/midi/../../../x.mid' WHERE item = 'a'",
        "UPDATE media SET path = 'raw/..' WHERE item = 'a'",
        "UPDATE media SET path = '..' WHERE item = 'a'",
        "UPDATE media SET path = '' WHERE item = 'a'",
        r"UPDATE media SET path = '\\server\share\x.mid' WHERE item = 'a'",
        r"UPDATE media SET path = 'C:\Windows\x.mid' WHERE item = 'a'",
        "UPDATE media SET path = 'q' || char(0) WHERE item = 'a'",
        "UPDATE media SET path = CAST('raw/midi/a.mid' AS BLOB) WHERE item = 'a'",
        "UPDATE items SET id = '../x' WHERE id = (SELECT min(id) FROM items)",
        "UPDATE items SET id = '..' WHERE id = (SELECT min(id) FROM items)",
        "INSERT INTO removed VALUES ('/x', '', '', '', '', '')",
        "INSERT INTO removed_media VALUES ('score', 'x', 'x', 'raw/../../x.mid', 'x')",
        "INSERT INTO features VALUES ('a', 'notes', '', '', '', 1, ''), ('a', 'x/..', '', '', '', 1, '')",
        "INSERT INTO definitions VALUES ('../../x', '')",
        "INSERT INTO moves VALUES ('/etc/passwd', 'raw/midi/a.mid')",
        "INSERT INTO moves VALUES ('raw/midi/a.mid', '../a.mid')",
        "INSERT INTO splits(item, split) SELECT id, '../train' FROM items LIMIT 1",
        "INSERT INTO splits(item, split) VALUES ('a', 'train'), ('b', 'x/../../y')",
    ],
)
def test_a_corpus_that_names_places_outside_its_folder_is_not_used(corpus, change):
    corpus.connection.execute("PRAGMA foreign_keys = OFF")
    corpus.connection.execute(change)
    corpus.close()
    with pytest.raises(CorpusError, match="which is no place in its folder"):
        Corpus(corpus.path)


def test_names_with_dots_and_places_of_other_folders_are_no_places_outside(corpus):
    corpus.connection.execute("UPDATE media SET path = 'raw/midi/..a...mid' WHERE item = 'a'")
    corpus.connection.execute("UPDATE media SET path = 'mine/b.mid' WHERE item = 'b'")
    corpus.connection.execute("INSERT INTO splits VALUES ('a', '..train'), ('b', 'val..')")
    with Corpus(corpus.path) as again:
        assert [item.path for item in again] == ["raw/midi/..a...mid", "mine/b.mid"]


def test_what_is_asked_at_opening_reads_each_table_once_at_most_and_indexes_where_there_are_some(corpus):
    asked = []
    corpus.connection.set_trace_callback(asked.append)
    assert outside(corpus.connection) == ""
    corpus.connection.set_trace_callback(None)
    steps = [row[3] for sql in asked for row in corpus.connection.execute(f"EXPLAIN QUERY PLAN {sql}")]
    scans = [step for step in steps if step.startswith("SCAN") and "each" not in step]
    for table in ("media", "items", "features", "splits"):
        assert sum(f" {table}" in step for step in scans) <= 1, scans
    assert any("SEARCH media USING COVERING INDEX" in step for step in steps)
    assert any("SEARCH splits USING COVERING INDEX splits_by_split" in step for step in steps)
    assert any("SEARCH features USING COVERING INDEX features_by_name" in step for step in steps)
