"""Sounds: played at once, ended at once, compared at one loudness, and drawn."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support.previews import FakeOutput
from support.processes import wait_for

from tonesmith.media.colours import magma
from tonesmith.preview.detail import detail_of
from tonesmith.preview.sound.listening import Listening
from tonesmith.preview.sound.loudness import Loudness, loudness_of, matched
from tonesmith.screen.background import Finished, Lane
from tonesmith.screen.cells import SHADES, shaded, spectrogram, waveform
from tonesmith.screen.player import Device, NoOutputError, Player

RATE = 8000


def tone(hertz: float, level: float = 0.5, seconds: float = 0.5, channels: int = 2) -> Any:
    time = np.arange(round(seconds * RATE)) / RATE
    return np.repeat(level * np.sin(2 * np.pi * hertz * time)[None], channels, axis=0).astype(np.float32)


@dataclass
class Heard:
    output: FakeOutput
    told: list[str]
    player: Player

    @property
    def audio(self) -> Any:
        return np.concatenate(self.output.written, axis=1)


def player(seconds: float = 0.0, rate: int = RATE) -> Heard:
    output, told = FakeOutput(rate, seconds), list[str]()
    return Heard(output, told, Player(lambda _: output, told.append))


def test_a_sound_is_played_whole_in_stereo_and_its_end_is_told() -> None:
    heard = player()
    heard.player.play(tone(440, channels=1), RATE)
    wait_for(lambda: heard.told)
    np.testing.assert_array_equal(heard.audio, tone(440))
    assert (heard.told, heard.player.playing, heard.player.position) == ([""], False, 0.0)


def test_a_sound_ends_at_once_when_it_is_stopped_or_another_is_wanted() -> None:
    heard = player(seconds=0.01)
    heard.player.play(tone(440, 0.1, 60), RATE)
    wait_for(lambda: len(heard.output.written) > 3)
    heard.player.play(tone(440, 0.9, 0.1), RATE)
    wait_for(lambda: heard.told)
    assert heard.audio.shape[1] < 30 * RATE
    np.testing.assert_array_equal(heard.audio[:, -800:], tone(440, 0.9, 0.1))
    heard.player.play(tone(440, 0.1, 60), RATE)
    heard.player.stop()
    assert not heard.player.playing
    heard.player.close()
    wait_for(lambda: heard.output.closed)


def test_an_output_of_another_rate_gets_the_sound_resampled() -> None:
    heard = player(rate=2 * RATE)
    heard.player.play(tone(440, seconds=1.0), RATE)
    wait_for(lambda: heard.told)
    assert abs(heard.audio.shape[1] - 2 * RATE) < 200
    assert np.argmax(np.abs(np.fft.rfft(heard.audio[0, : 2 * RATE]))) == pytest.approx(440, abs=2)


def test_without_an_output_it_is_told_why() -> None:
    told: list[str] = []

    def opened(rate: int) -> Any:
        raise NoOutputError("there is none")

    Player(opened, told.append).play(tone(440), RATE)
    wait_for(lambda: told)
    assert told == ["there is none"]


def test_an_output_that_is_unplugged_is_told_and_opened_anew() -> None:
    class Unplugged(FakeOutput):
        def write(self, audio: Any) -> None:
            raise RuntimeError("gone")

    outputs: list[FakeOutput] = [Unplugged(RATE), FakeOutput(RATE)]
    told: list[str] = []
    heard = Player(lambda _: outputs.pop(0), told.append)
    heard.play(tone(440), RATE)
    wait_for(lambda: told)
    heard.play(tone(440), RATE)
    wait_for(lambda: len(told) == 2)
    assert told == ["the sound output failed: gone", ""]


def test_the_default_device_is_opened_or_its_absence_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    import pedalboard.io

    class Stream:
        default_output_device_name: Any = None

    monkeypatch.setattr(pedalboard.io, "AudioStream", Stream)
    with pytest.raises(NoOutputError, match="no sound output on this machine"):
        Device(RATE)


_DEVICE = """
import sys, time
import numpy as np
from tonesmith.screen.player import Device, Player
told = []
player = Player(Device, told.append)
for rate in (44100, 22050):
    player.play(np.zeros((1, rate // 4), np.float32), rate)
    while len(told) < (1 if rate == 44100 else 2):
        time.sleep(0.01)
player.close()
print(told)
"""


@pytest.mark.long
@pytest.mark.skipif(sys.platform != "linux", reason="ALSA is of Linux")
def test_a_device_of_the_system_is_played_on(tmp_path: Path) -> None:
    config = tmp_path / "asound.conf"
    config.write_text('pcm.!default { type null hint { show on description "nothing" } }\n')
    done = subprocess.run(
        [sys.executable, "-c", _DEVICE],
        env={**os.environ, "ALSA_CONFIG_PATH": str(config)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.stdout == "['', '']\n", done.stderr


def test_two_sounds_are_played_equally_loud_and_below_full_scale() -> None:
    quiet, loud = tone(440, 0.05), tone(440, 1.6)
    a, b = loudness_of(quiet, RATE), loudness_of(loud, RATE)
    gains = matched(a, b)
    levels = [loudness_of(x * gain, RATE).level for x, gain in zip((quiet, loud), gains, strict=True)]
    assert levels[0] == pytest.approx(levels[1], abs=0.01)
    assert gains[0] == pytest.approx(1.0)
    assert matched(Loudness(-20.0, 2.0), Loudness(-20.0, 0.5)) == (0.5, 0.5)
    assert matched(Loudness(-100.0, 0.0), Loudness(-20.0, 2.0)) == (1.0, 0.5)


def test_a_and_b_are_heard_in_turn_from_the_same_place(rows: Any) -> None:
    free = threading.Event()

    class Stepped(FakeOutput):
        def write(self, audio: Any) -> None:
            super().write(audio)
            if len(self.written) == 3:
                free.wait(60)

    output, told = Stepped(RATE), list[str]()
    listening = Listening(lambda _: output, told.append)
    assert not listening.other()
    a, b = (detail_of(rows.dataset, index) for index in (2, 4))
    listening.keep("A", a)
    listening.keep("B", b)
    assert listening.other()
    wait_for(lambda: len(output.written) == 3)
    np.testing.assert_array_equal(output.written[0], a.row.audio[:, :320] * np.float32(listening.gains[0]))
    assert listening.other()
    free.set()
    wait_for(lambda: told)
    np.testing.assert_array_equal(output.written[3], b.row.audio[:, 640:960] * np.float32(listening.gains[1]))
    assert len(output.written) == 8
    assert str(listening).startswith("A row 2 ")
    assert ">B row 4" in str(listening)


def test_a_waveform_is_as_high_as_the_sound() -> None:
    silence, full = waveform(np.full((2, 100), 1e-6, np.float32), 10, 3), waveform(tone(440, 0.1), 10, 3)
    assert [set(line) for line in full] == [{"█"}] * 3
    assert sum(line.count(" ") for line in silence) == 20
    assert waveform(np.zeros((2, 0), np.float32), 4, 2) == ["    "] * 2
    assert len(waveform(tone(440)[:, :3], 10, 3)[0]) == 10


def test_a_spectrogram_has_high_sounds_at_the_top_and_early_ones_at_the_left() -> None:
    sound = np.concatenate([tone(200), tone(3000)], axis=1)
    pixels = spectrogram(sound, RATE, 20, 8)
    assert pixels.shape == (16, 20)
    early, late = pixels[:, :8].max(axis=1).argmax(), pixels[:, 12:].max(axis=1).argmax()
    assert early > late
    assert spectrogram(np.zeros((2, 4000), np.float32), RATE, 5, 2).max() == 0
    assert spectrogram(np.full((1, 500), np.nan, np.float32), RATE, 5, 2).shape == (4, 5)
    shades = shaded(pixels)
    assert len(shades) == 8
    assert set("".join(shades)) <= set(SHADES)
    assert len({tuple(colour) for colour in magma(256).tolist()}) > 200


def test_newer_work_takes_the_place_of_older_work() -> None:
    finished: list[Finished] = []
    lane = Lane("list", finished.append)
    started, free = threading.Event(), threading.Event()

    def slow(check: Any) -> str:
        started.set()
        free.wait(20)
        check()
        return "old"

    lane.submit(slow)
    started.wait(20)
    lane.submit(lambda check: "between")
    lane.submit(lambda check: "new")
    free.set()
    wait_for(lambda: not lane.busy)
    wait_for(lambda: finished)
    assert [one.result for one in finished] == ["new"]


def test_work_that_fails_or_is_stopped_ends_quietly() -> None:
    finished: list[Finished] = []
    lane = Lane("list", finished.append)
    lane.submit(lambda check: 1 / 0)
    wait_for(lambda: finished)
    assert "ZeroDivisionError" in finished[0].failure
    free = threading.Event()
    lane.submit(lambda check: free.wait(20))
    assert lane.stop()
    assert not lane.busy
    assert not lane.stop()
    free.set()
    time.sleep(0.05)
    assert len(finished) == 1
