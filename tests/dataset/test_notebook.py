"""A dataset and a row in a notebook, and a row that is played."""

from __future__ import annotations

import base64
import io
import os
import re
import signal
import sys
import threading
import types
from contextlib import contextmanager
from dataclasses import replace
from html.parser import HTMLParser
from typing import Any

import numpy as np
import pedalboard.io
import pytest
import soundfile
from support.builders import dataset, write_dataset

import tonesmith
from tonesmith.dataset.reader import Dataset
from tonesmith.errors import ConfigError
from tonesmith.media import clip
from tonesmith.space.parameter import Parameter
from tonesmith.space.space import ParameterSpace
from tonesmith.terminal.progress import Progress
from tonesmith.testing.synthetic import synthetic_plan
from tonesmith.transfer import listening

HOSTILE = "<script>alert(1)</script>"


@pytest.fixture(scope="module")
def ds(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    return tonesmith.open_dataset(write_dataset(tmp_path_factory.mktemp("made") / "d", [0]).path)


class Tags(HTMLParser):
    """Collects the tags of a page, and fails where one is closed that is not open."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self._open: list[str] = []
        self.feed(page)
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.found.append(tag)
        if tag not in {"img", "br"}:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag


def test_a_notebook_shows_a_row_with_a_player_a_picture_and_its_label_by_groups(ds: Dataset) -> None:
    row = ds[1]
    shown = row._repr_html_()
    sound = base64.b64decode(shown.partition("audio/ogg;base64,")[2].partition('"')[0])
    heard, rate = soundfile.read(io.BytesIO(sound))

    assert shown.startswith("<div>&lt;Row 1: ")
    assert (rate, len(heard)) == (48_000, pytest.approx(48_000 * 300 / 8000, abs=2000))
    assert "data:image/png;base64," in shown
    for name, value in row.parameters.items():
        assert re.search(f">{name}</th><td[^>]*>[(]?{re.escape(value.text)}[)]?<", shown), name
    assert "<b>filter</b>" in shown
    assert {"audio", "img", "details", "table"} <= set(Tags(shown).found)


def test_names_of_strangers_are_text_in_a_notebook(tmp_path: Any) -> None:
    space = ParameterSpace((Parameter(HOSTILE, "continuous", 0.0, 1.0, 0.5, unit=HOSTILE, group=HOSTILE),))
    opened = dataset(tmp_path / "d", [0], synthetic_plan(space=space))

    for shown in (opened[0]._repr_html_(), opened._repr_html_()):
        assert "script" not in Tags(shown).found
    assert "&lt;script&gt;" in opened[0]._repr_html_()


@pytest.mark.parametrize("encoder", [pytest.param("soundfile", marks=pytest.mark.long), "pedalboard", "none"])
def test_a_row_of_any_length_is_below_200_kb_in_a_notebook(
    ds: Dataset, monkeypatch: pytest.MonkeyPatch, encoder: str
) -> None:
    rate, frames = 44_100, 25 * 44_100
    noise = np.random.default_rng(0).normal(size=(2, frames)).astype(np.float32)
    plan = replace(ds.plan, audio=replace(ds.plan.audio, sample_rate=rate, frames=frames))
    row = replace(ds[0], plan=plan, columns={**ds[0].columns, "audio": noise})
    if encoder != "soundfile":
        monkeypatch.setattr(clip.importlib.util, "find_spec", lambda name: None)
    if encoder == "none":
        monkeypatch.setattr(pedalboard.io, "AudioFile", None)
        monkeypatch.setattr(clip, "_mp3", lambda *_: (_ for _ in ()).throw(ValueError))
    shown = row._repr_html_()

    assert len(shown) < 200_000
    assert {"soundfile": "audio/ogg", "pedalboard": "audio/mpeg", "none": "audio/wav"}[encoder] in shown
    assert "the first " in shown
    assert "since it passes full scale" in shown


def test_a_ctrl_c_while_a_clip_is_made_is_not_lost() -> None:
    noise = np.random.default_rng(0).normal(size=(1, 48_000 * 8)).astype(np.float32)
    clip.clip_of(noise[:, :4800], 48_000)  # the encoder is loaded
    timer = threading.Timer(0.05, os.kill, (os.getpid(), signal.SIGINT))
    timer.start()
    with pytest.raises(KeyboardInterrupt):
        clip.clip_of(noise, 48_000)
    timer.join()


def test_a_notebook_shows_a_dataset_as_a_small_table(ds: Dataset) -> None:
    shown = ds._repr_html_()

    assert ">8 of 20<" in shown
    assert "None" not in shown
    assert f">{', '.join(ds.columns)[:40]}" in shown
    assert len(shown) < 4000
    assert set(Tags(shown).found) == {"table", "tr", "th", "td"}


def test_what_a_cell_shows_fits_on_a_screen(ds: Dataset) -> None:
    many = tuple(Parameter(f"p{i}", "continuous", 0.0, 1.0, 0.5) for i in range(700))
    space = ParameterSpace(many)
    patch = ds[0].patch

    for shown in (space, synthetic_plan(space=space), patch, ds[0], ds, ds[:3], ds[0].label):
        assert len(repr(shown)) < 300, repr(shown)[:80]


def test_without_an_audio_output_play_says_what_to_do(ds: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pedalboard.io, "AudioStream", Device(names=[]))
    with pytest.raises(ConfigError, match=r"no audio output.*tonesmith export DATASET 1 --audio FILE\.wav"):
        ds[1].play()


def test_a_row_is_played_at_full_scale_at_most(ds: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    device = Device(names=["speaker"])
    monkeypatch.setattr(pedalboard.io, "AudioStream", device)
    assert ds[1].play() is None

    ((audio, rate),) = device.played
    assert rate == 8000
    np.testing.assert_allclose(audio, ds[1].audio / np.abs(ds[1].audio).max(), atol=1e-6)
    assert np.abs(ds[1].audio).max() > 1.0


def test_a_notebook_plays_a_row_by_its_own_player(ds: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    shell, made = types.SimpleNamespace(kernel=object()), []
    display = types.SimpleNamespace(Audio=lambda data, **settings: made.append((data, settings)) or "player")
    monkeypatch.setitem(sys.modules, "IPython", types.SimpleNamespace(get_ipython=lambda: shell))  # type: ignore[arg-type]
    monkeypatch.setitem(sys.modules, "IPython.display", display)  # type: ignore[arg-type]

    assert ds[2].play() == "player"
    assert made[0][0].shape == ds[2].audio.shape
    assert made[0][1] == {"rate": 8000, "normalize": False, "autoplay": True}


@pytest.mark.parametrize("work", ["convert", "merge"])
def test_a_program_sees_how_far_a_conversion_is(
    ds: Dataset, tmp_path: Any, monkeypatch: pytest.MonkeyPatch, work: str
) -> None:
    shown: list[tuple[bool, Progress]] = []

    @contextmanager
    def progress(what: str, *, hidden: bool) -> Any:
        shown.append((hidden, Progress()))
        yield shown[-1][1]

    monkeypatch.setattr(listening, "progress", progress)
    source = ds.storage.path
    path, wish = tmp_path / "other", {"name": "folder", "audio": "wav"}
    if work == "convert":
        tonesmith.convert(source, path, wish, workers=1, progress=True)
        assert shown[0][1].meter.done == shown[0][1].meter.total == 8
    else:
        with pytest.raises(ConfigError, match="give two or more"):
            tonesmith.merge([source], path, wish, workers=1, progress=True)

    assert [hidden for hidden, _ in shown] == [False]


class Device:
    """Stands for the audio output of pedalboard, which no test machine has."""

    def __init__(self, names: list[str]) -> None:
        self.output_device_names = names
        self.default_output_device_name = names[0] if names else None
        self.played: list[tuple[Any, int]] = []

    def play(self, audio: Any, rate: int) -> None:
        self.played.append((audio, rate))
