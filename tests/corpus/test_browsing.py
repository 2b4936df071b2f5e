"""The screen of a corpus, typed on as a person does."""

from __future__ import annotations

import asyncio
import multiprocessing
import shutil

import numpy as np
import pytest
from support.corpora import music, tone, write_audio
from support.previews import FakeOutput, Screen

from tonesmith import ConfigError
from tonesmith.cli import run
from tonesmith.corpus import Corpus
from tonesmith.corpus.browsing.app import Browser
from tonesmith.corpus.browsing.order import entries
from tonesmith.corpus.browsing.roll import roll, tones
from tonesmith.corpus.truth.items import annotate
from tonesmith.corpus.truth.lock import changing
from tonesmith.host.roles.annotation import Annotation
from tonesmith.score.score import Score
from tonesmith.screen.player import NoOutputError


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Seven items, of which one recording: folders say what six are, and another source disagrees of one."""
    path = tmp_path_factory.mktemp("browse")
    music(path / "m")
    write_audio(path / "m/calm/long.wav", np.concatenate([tone(hz, 0.5) for hz in (220, 440)], axis=1))
    with Corpus.new(path / "c") as corpus:
        corpus.add(path / "m")
        corpus.annotate("folders")
        with corpus.change() as connection:
            item = next(item.id for item in corpus if item.id.startswith("song2") and item.values["emotion"] == "sad")
            annotate(connection, item, [Annotation("emotion", "calm", 0.8, "mood", "1", "detector")])
        corpus.split()
    return path / "c"


@pytest.fixture
def corpus(made, tmp_path):
    shutil.copytree(made, tmp_path / "c")
    with Corpus(tmp_path / "c") as opened:
        yield opened


def look(corpus, script, *given, opened=FakeOutput, size=(80, 24)):
    app = Browser(corpus, *given, opened=opened)

    async def go():
        async with app.run_test(size=size) as pilot:
            screen = Screen(app, pilot)
            await screen.settle()
            await script(screen)

    asyncio.run(go())
    return app


def test_what_is_least_sure_comes_first_and_one_key_says_it_at_once(corpus):
    first, second, *_ = entries(corpus.connection, "emotion")
    assert (first.value, first.doubt) == ("", 1.0)
    assert second.item.startswith("song2"), "sources disagree about it"

    async def script(screen):
        assert "c | 7 items | emotion: 0 said by a person" in screen.title()
        assert "2 sad" in screen.text()
        assert screen.panel().startswith(first.item)
        await screen.press("2")
        assert corpus[first.item].values["emotion"] == "sad"
        assert (corpus[first.item].annotations[0].by, corpus[first.item].annotations[0].authority) == ("anna", "person")
        assert screen.panel().startswith(second.item)
        assert "calm" in screen.panel()
        assert "mood 0.80" in screen.text()
        assert "1 said by a person" in screen.title()
        await screen.press("7", "u")
        assert corpus[second.item].values["emotion"] == "sad", "the folder's word is believed again"
        await screen.press("u", "u")
        assert "emotion" not in corpus[first.item].values
        assert screen.told() == "There is nothing to undo."

    look(corpus, script, "", "", "anna")


@pytest.mark.long
def test_numbers_are_typed_and_refused_with_their_range(corpus):
    item = entries(corpus.connection, "valence")[0].item

    async def script(screen):
        assert "type a number from -1 to 1, and press enter" in screen.text()
        await screen.press("minus", "2")
        await screen.press("enter")
        assert screen.told() == "Valence: -2 is not allowed. Expected a number from -1 to 1."
        await screen.type("-0.4")
        assert corpus[item].values["valence"] == -0.4
        await screen.press("p", "x")
        assert "valence" not in corpus[item].values

    look(corpus, script, "valence")


@pytest.mark.long
def test_the_list_is_filtered_and_labels_are_turned_through(corpus):
    async def script(screen):
        assert screen.title().startswith("c | 2 of 7 items | emotion")
        await screen.press("slash")
        await screen.type("emotion=sadd")
        assert "Did you mean 'sad'?" in screen.told()
        await screen.type("")
        assert screen.title().startswith("c | 7 items")
        await screen.press("tab")
        assert screen.app.label == screen.app.labels[1]

    look(corpus, script, "emotion", "emotion=happy")
    with pytest.raises(ConfigError, match="Did you mean 'emotion'"):
        Browser(corpus, "emtion")


@pytest.mark.long
def test_items_are_played_and_without_an_output_labels_can_be_given(corpus):
    outputs = []

    def opened(rate):
        outputs.append(FakeOutput(rate))
        return outputs[-1]

    def none(rate):
        raise NoOutputError("there is no sound output on this machine")

    async def hear(screen):
        await screen.press("space")
        await screen.until(lambda: outputs and outputs[0].written)

    async def deaf(screen):
        await screen.press("space")
        await screen.until(lambda: "no sound output" in screen.told())
        await screen.press("1")
        assert screen.app.entries[0].value == "happy"

    look(corpus, hear, "", "long", opened=opened)
    assert np.abs(np.concatenate(outputs[0].written, axis=1)).max() > 0.1
    look(corpus, deaf, opened=none)


def _hold(path, ready, done):
    with changing(path):
        ready.set()
        done.wait(60)


def test_another_command_on_the_corpus_is_said_in_a_line_and_the_key_can_be_pressed_again(corpus):
    context = multiprocessing.get_context("fork")
    ready, done = context.Event(), context.Event()
    other = context.Process(target=_hold, args=(corpus.path, ready, done))
    other.start()
    assert ready.wait(60)

    async def script(screen):
        item = screen.app.entry.item
        await screen.press("1")
        assert "is being changed by another command" in screen.told()
        assert corpus[item].values.get("emotion") is None
        done.set()
        other.join()
        await screen.press("1")
        assert corpus[item].values["emotion"] == "happy"

    look(corpus, script)


@pytest.mark.long
def test_a_vanished_file_is_said_in_its_place(corpus):
    path = corpus.path / corpus[entries(corpus.connection, "emotion")[0].item].path
    path.unlink()

    async def script(screen):
        assert "No such file" in screen.panel()
        await screen.press("space", "1")
        assert corpus[screen.app.entries[0].item].values["emotion"] == "happy"

    look(corpus, script)


def test_a_roll_shows_notes_where_they_are_and_tones_sound_when_they_do():
    score = Score.of([(0, 1, 40, 127), (3, 1, 80, 40)], bpm=60)
    pixels = roll(score, 8, 10)
    assert np.flatnonzero(pixels.max(axis=0)).tolist() == [0, 1, 6, 7]
    rows = [int(np.flatnonzero(pixels[:, column])[0]) for column in (0, 7)]
    assert rows[0] > rows[1], "low notes are at the bottom"
    assert pixels[:, 0].max() > pixels[:, 7].max(), "louder ones are brighter"
    audio = tones(score)[0]
    parts = [np.abs(audio[round(at * 22050) : round((at + 0.9) * 22050)]).max() for at in (0.05, 1.5, 3.05)]
    assert parts[1] == 0
    assert parts[0] > 5 * parts[2] > 0


def test_without_a_terminal_the_command_names_another_way(corpus, capsys):
    for words in (["browse", str(corpus.path)], ["annotate", str(corpus.path), "--browse"]):
        assert run(["corpus", *words]) == 2
        assert "browse needs a terminal" in (said := capsys.readouterr().err)
        assert f"tonesmith corpus label {corpus.path} ITEM NAME=VALUE" in said


@pytest.mark.parametrize("size", [(80, 24), pytest.param((120, 40), marks=pytest.mark.long)], ids=["small", "large"])
def test_it_looks_as_it_did(snap_compare, corpus, size):
    assert snap_compare(Browser(corpus, opened=FakeOutput), terminal_size=size, run_before=_settled)


async def _settled(pilot):
    await Screen(pilot.app, pilot).settle()
    await Screen(pilot.app, pilot).press("n")
