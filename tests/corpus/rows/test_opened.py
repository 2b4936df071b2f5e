"""A corpus opened as a dataset: its rows, in which form, and what they say of their items."""

from __future__ import annotations

import pickle
import shutil

import numpy as np
import pytest
from support.corpora import melody, write_midi

from tonesmith import ConfigError, open_dataset
from tonesmith.corpus import Corpus
from tonesmith.corpus.rows.sound import with_channels
from tonesmith.dataset.wav import wav_of
from tonesmith.errors import DatasetError
from tonesmith.plan.plan import Plan

RATE = 8000


def tone(seconds, rate, channels=1, hz=440.0):
    wave = 0.5 * np.sin(2 * np.pi * hz * np.arange(round(seconds * rate)) / rate)
    return np.repeat(wave[None], channels, axis=0).astype(np.float32)


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    """Two recordings, one of them stereo at twice the rate, a score, and a pair of both; labels of three of them."""
    folder = tmp_path_factory.mktemp("opened")
    for name, audio, rate in (("a", tone(1.0, RATE), RATE), ("b", tone(0.5, 2 * RATE, 2), 2 * RATE)):
        (folder / "m" / "happy").mkdir(parents=True, exist_ok=True)
        (folder / "m" / "happy" / f"{name}.wav").write_bytes(wav_of(audio, rate))
    write_midi(folder / "m" / "sad" / "c.mid", melody(1))
    write_midi(folder / "m" / "d.mid", melody(2))
    (folder / "m" / "d.wav").write_bytes(wav_of(tone(0.25, RATE, hz=300.0), RATE))
    with Corpus.new(folder / "c", licence="CC0-1.0") as corpus:
        corpus.add(folder / "m")
        corpus.annotate("folders")
        corpus.label(next(item.id for item in corpus if len(item.media) == 2), is_verified=False, valence=0.5)
        corpus.split()
    return folder / "c"


@pytest.fixture(scope="module")
def dataset(path):
    return open_dataset(path)


def row(dataset, name):
    return next(row for row in dataset if row.item.name.startswith(name))


def test_a_row_has_its_recording_padded_with_its_true_length_beside(dataset):
    a, d = row(dataset, "a-"), row(dataset, "d-")
    assert (dataset.plan.audio.sample_rate, a.audio.shape, a.item.frames) == (RATE, (1, RATE), RATE)
    assert np.array_equal(a.audio, tone(1.0, RATE))
    assert d.item.frames == RATE // 4
    assert not d.audio[:, RATE // 4 :].any()
    assert d.audio[:, RATE // 4 - 1].any()


def test_a_recording_of_another_rate_and_other_channels_is_made_like_the_others(dataset):
    b = row(dataset, "b-")
    assert b.item.frames == RATE // 2
    inner = slice(100, RATE // 2 - 100)  # the filter rings at the ends
    assert np.abs(b.audio[:, inner] - tone(0.5, RATE)[:, inner]).max() < 0.005


def test_channels_become_their_mean_in_each_of_those_wanted():
    stereo = np.array([[1.0, 0.0], [0.0, 0.5]], np.float32)
    assert with_channels(stereo, 1).tolist() == [[0.5, 0.25]]
    assert with_channels(stereo[:1], 2).tolist() == [[1.0, 0.0], [1.0, 0.0]]
    assert with_channels(stereo, 2) is stereo


def test_labels_have_the_types_of_the_profile_and_what_nobody_said_is_not_invented(dataset):
    a, c, d = (row(dataset, name) for name in ("a-", "c-", "d-"))
    assert (a.annotations, c.annotations) == ({"emotion": "happy"}, {"emotion": "sad"})
    assert d.annotations == {"is_verified": False, "valence": 0.5}
    assert d.columns["annotation/emotion"] == -1
    assert a.columns["annotation/is_verified"] == -1
    assert np.isnan(a.columns["annotation/valence"])
    assert a.columns["annotation/is_verified"].dtype == np.int8


def test_a_score_is_its_events_its_asset_and_the_very_midi_file(dataset, path):
    c = row(dataset, "c-")
    with Corpus(path) as corpus:
        (medium,) = corpus[c.item.name].media
        assert c.midi == (path / medium.path).read_bytes()
    assert c.score == melody(1)
    assert c.columns["score/count"] == len(c.score)
    assert np.allclose(c.columns["score/onset"][: len(c.score)], c.score.onsets)
    a = row(dataset, "a-")
    assert (a.score, a.midi, a.columns["score/count"].item()) == (None, None, 0)


def test_rows_tell_item_licence_and_split_as_the_corpus_does(dataset, path):
    with Corpus(path) as corpus:
        for place, item in enumerate(corpus):
            told = dataset[place].item
            assert (told.name, told.licence, told.parent) == (item.id, "CC0-1.0", "")
            assert dataset.split_of(place) == item.split
    assert sum(len(dataset.split(name)) for name in dataset.splits) == len(dataset)


def test_windows_cover_an_item_and_say_where_they_begin(path):
    cut = open_dataset(path, window=0.4, hop=0.3, channels=2)
    windows = [row for row in cut if row.item.name.startswith("a-")]
    assert [window.item.start for window in windows] == pytest.approx([0.0, 0.3, 0.6])
    assert [window.item.frames for window in windows] == [3200, 3200, 3200]
    whole = tone(1.0, RATE, 2)
    assert np.array_equal(windows[1].audio, whole[:, 2400:5600])
    scores = [row for row in cut if row.item.name.startswith("c-")]
    assert sum(len(row.score) for row in scores if row.score and not row.item.start % 0.6) > 0
    onsets = [row.item.start + row.score.onsets for row in scores if row.score]
    assert set(np.round(np.concatenate(onsets), 3)) <= set(np.round(melody(1).onsets, 3))


def test_a_window_of_a_resampled_recording_is_that_stretch_of_the_whole(path):
    whole = row(open_dataset(path), "b-").audio
    windows = [row for row in open_dataset(path, window=0.1, hop=0.1) if row.item.name.startswith("b-")]
    joined = np.concatenate([window.audio for window in windows], axis=1)
    assert np.abs(joined[:, : RATE // 2] - whole[:, : RATE // 2]).max() < 1e-6


def test_what_no_synth_made_has_no_patch_and_says_so(dataset):
    for ask in (lambda row: row.patch, lambda row: row.label, lambda row: row.parameters):
        with pytest.raises(DatasetError, match="item of a corpus, and no synth made it"):
            ask(dataset[0])
    with pytest.raises(DatasetError, match="there is nothing to render"):
        dataset.player()
    with pytest.raises(DatasetError, match="it is a recording"):
        _ = row(dataset, "a-").note


def test_a_form_that_does_not_fit_is_refused_with_what_to_do(path, tmp_path):
    for form, told in (
        ({"hop": 1.0}, "hop needs a window"),
        ({"windw": 1.0}, "Did you mean 'window'"),
        ({"window": -1.0}, "window"),
    ):
        with pytest.raises(ConfigError, match=told):
            open_dataset(path, **form)
    with Corpus.new(tmp_path / "empty"):
        pass
    with pytest.raises(DatasetError, match=r"has no items\. Add music"):
        open_dataset(tmp_path / "empty")


def test_a_corpus_without_recordings_has_no_audio(tmp_path):
    write_midi(tmp_path / "m" / "c.mid", melody(1))
    with Corpus.new(tmp_path / "c") as corpus:
        corpus.add(tmp_path / "m")
    dataset = open_dataset(tmp_path / "c")
    assert "audio" not in dataset.columns
    assert dataset[0].score == melody(1)
    with pytest.raises(DatasetError, match="no recordings"):
        _ = dataset[0].audio
    with pytest.raises(ConfigError, match=r"sample_rate: .* has no recordings"):
        open_dataset(tmp_path / "c", sample_rate=8000)
    assert Plan.from_json(dataset.attributes["plan"]) == dataset.plan


def test_a_file_that_changed_is_not_read(path, tmp_path):
    shutil.copytree(path, tmp_path / "c")
    dataset = open_dataset(tmp_path / "c")
    sound = next((tmp_path / "c" / "raw" / "audio").glob("a-*.wav"))
    sound.write_bytes(sound.read_bytes()[:-4] + b"\0\0\0\0")
    with pytest.raises(DatasetError, match="is not as it was added"):
        _ = row(dataset, "a-").audio


def test_it_travels_to_other_processes_with_what_it_said_when_it_was_opened(dataset):
    again = pickle.loads(pickle.dumps(dataset))  # noqa: S301 - our own
    assert [row.item for row in again] == [row.item for row in dataset]
    assert again.digest == dataset.digest


@pytest.mark.long
def test_the_torch_loader_gives_audio_scores_and_labels(dataset):
    pytest.importorskip("torch")
    (batch,) = dataset.torch().loader(len(dataset), shuffle=False)
    assert batch["audio"].shape == (4, 1, RATE)
    assert batch["annotation/emotion"].tolist() == [int(row.columns["annotation/emotion"]) for row in dataset]
    assert batch["score/count"].tolist() == [int(row.columns["score/count"]) for row in dataset]
