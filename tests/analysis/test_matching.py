"""Sounds matched: what is done to them, how the search goes on, what is written, and what is refused."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support import ROOT, terminal
from support.vst3.build import built

from tonesmith import generate, match, open_dataset
from tonesmith.analysis.matching.distance import FAILED, Distance
from tonesmith.analysis.matching.match import match as matched
from tonesmith.analysis.matching.neighbours import nearest_rows
from tonesmith.analysis.matching.pitch import pitch_of
from tonesmith.analysis.matching.recording import recording_of
from tonesmith.analysis.matching.trials import Budget, Trial, Trials
from tonesmith.analysis.matching.wanted import Settings, wanted_of
from tonesmith.analysis.metrics import sound_of
from tonesmith.dataset.reader import Dataset
from tonesmith.dataset.wav import wav_of
from tonesmith.errors import ConfigError
from tonesmith.space.pitches import pitch_name
from tonesmith.terminal.progress import Progress

RATE = 8000


@pytest.fixture
def ds(chaos: Any, tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    """Twelve sines of 0.2 s at two pitches, which fail never."""
    kept = tmp_path_factory.getbasetemp() / "twelve sines"
    if not kept.exists():
        chaos.make(kept, patches=12, space={"fix": {"fault": "none"}})
    return open_dataset(kept)


def noise(seconds: float, rate: int = RATE, channels: int = 2) -> Any:
    return np.random.default_rng(0).normal(0.0, 0.1, (channels, round(seconds * rate))).astype(np.float32)


@pytest.mark.long
def test_the_search_comes_nearer_than_the_nearest_row_of_another_patch(ds: Dataset) -> None:
    found = match(ds[0], ds, renders=40, workers=1)
    nearest = found.nearest
    assert ds[nearest.place].patch_id != ds[0].patch_id
    assert found.distance < 0.8 * nearest.heard.trial.distance
    assert found.metrics["match"]["mss"] < found.metrics["nearest"]["mss"]
    assert found.note == ds[0].note
    assert found.trials.done <= 40
    heard = [distance for _, distance in found.history]
    assert heard == sorted(heard, reverse=True)
    assert np.array_equal(ds.render(found.label, found.note)[0], found.audio)


def test_any_number_of_workers_finds_the_same_and_another_seed_something_else(ds: Dataset) -> None:
    one, three = (match(ds[3], ds, renders=24, seed=1, workers=workers) for workers in (1, 3))
    assert one.patch == three.patch
    assert one.history == three.history
    assert match(ds[3], ds, renders=24, seed=2, workers=1).history != one.history


def test_a_sound_of_a_row_is_found_again_and_ends_the_search(ds: Dataset) -> None:
    found = match(np.array(ds[2].audio), ds, sample_rate=RATE, pitch=ds[2].note.pitch, renders=200, workers=1)
    assert (found.distance, found.nearest.place) == (0.0, 2)
    assert found.trials.done <= 24


def test_a_file_becomes_a_label_that_renders_as_the_sound_beside_it(
    ds: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    dataset = ds.storage.path
    seconds = np.arange(16000) / 16000
    sine = 0.3 * np.sin(2.0 * np.pi * 220.0 * seconds)[None].astype(np.float32)
    Path("a.wav").write_bytes(wav_of(np.pad(sine, ((0, 0), (4000, 0))), 16000))
    words = ("match", "a.wav", "--like", dataset, "-o", "o.json", "--renders", 20, "--workers", 1)
    done = terminal(*words)
    assert done.returncode == 0, done.stderr
    assert "a.wav is resampled from 16,000 to 8,000 Hz." in done.stderr
    assert "the sound begins at 0.2" in done.stderr
    assert "only the first 0.2 s of the sound" in done.stderr
    assert "the pitch is 57 (A3, 220." in done.stderr
    assert max(map(len, done.stdout.splitlines())) <= 80
    told = json.loads(Path("o.match.json").read_text())
    assert (told["note"]["pitch"], told["sound"]["channels"], told["interrupted"]) == (57, 1, False)
    assert told["match"]["distance"] <= told["nearest"]["distance"]
    again = terminal("render", "o.json", "--like", dataset, "--audio", "again.wav")
    assert again.returncode == 0, again.stderr
    assert Path("again.wav").read_bytes() == Path("o.wav").read_bytes()

    before = {path: path.read_bytes() for path in Path().iterdir()}
    refused = terminal(*words)
    assert (refused.returncode, refused.stdout) == (2, "")
    assert "--out: o.json exists. Name another file, or overwrite it with --force." in refused.stderr
    other = terminal("match", "a.wav", "--like", dataset, "-o", "o.vital")
    assert (other.returncode, "cannot write presets. End FILE in .json" in other.stderr) == (2, True)
    assert {path: path.read_bytes() for path in Path().iterdir()} == before


@pytest.mark.long
def test_an_interrupt_keeps_the_best_so_far(ds: Dataset, tmp_path: Path) -> None:
    words = ["match", str(ds.storage.path), "--row", "0", "--like", str(ds.storage.path), "-o", "o.json"]
    command = [sys.executable, "-m", "tonesmith", *words, "--renders", "1000000", "--workers", "1"]
    with subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stderr is not None
            lines = iter(process.stderr.readline, "")
            line = next(line for line in lines if "distance" in line)
            process.send_signal(signal.SIGINT)
            out, error = process.communicate(timeout=60)
        finally:
            process.kill()
    assert re.search(r"of 1,000,000 renders, .*distance \d+\.\d\d dB$", line)
    assert process.returncode == 130, error
    assert "stopped. The best so far is written." in error
    assert "nearest   row" in out
    told = json.loads((tmp_path / "o.match.json").read_text())
    assert told["interrupted"]
    assert 0 < told["renders"] < 1000000
    assert (tmp_path / "o.json").exists()


def test_what_is_asked_to_end_at_once_returns_what_it_has(ds: Dataset) -> None:
    shown = Progress()
    wanted, settings = wanted_of(ds[0], ds), Settings(renders=200)
    found = matched(wanted, ds, settings, workers=1, progress=shown, stopped=lambda: shown.meter.done > 3)
    assert (found.interrupted, 3 < found.trials.done < 200) == (True, True)
    with pytest.raises(KeyboardInterrupt):
        matched(wanted, ds, settings, workers=1, stopped=lambda: True)


def test_time_that_is_up_ends_the_search(ds: Dataset) -> None:
    found = match(ds[0], ds, renders=100000, seconds=0.5, workers=1)
    assert (found.interrupted, 0 < found.trials.done < 10000) == (False, True)


@pytest.mark.long
def test_a_label_that_crashes_is_counted_and_is_never_the_best(chaos: Any, tmp_path: Path) -> None:
    chaos.make(tmp_path / "d", patches=2)
    ds = open_dataset(tmp_path / "d")
    good = ds[0].label
    labels = [replace(good, categorical=np.array([fault], np.int32)) for fault in (1, 0, 3)]
    with ds.player(1) as player:
        distance = Distance(sound_of(ds[0].audio, RATE))
        trials = Trials(ds.space, player, ds[0].note, distance, Budget(3), 1, lambda: False, Progress())
        assert [trial.distance for trial in trials.of([*labels, good])] == [FAILED, 0.0, FAILED]
    assert (trials.failed, trials.best.trial.label is labels[1], trials.left) == (2, True, 0)


def test_the_levels_of_two_sounds_are_about_as_far_apart_as_their_mss(ds: Dataset) -> None:
    distance = Distance(sound_of(ds[0].audio, RATE), 0.0)
    for audio in (ds[1].audio, noise(0.2)):
        found, levels = distance.near(audio)
        assert np.abs(levels - distance.levels).sum() == pytest.approx(found, rel=0.1)


def test_level_counts_a_little_or_not_at_all(ds: Dataset) -> None:
    target = sound_of(ds[0].audio, RATE)
    quiet = np.float32(0.1) * ds[0].audio
    assert Distance(target).of(ds[0].audio) == 0.0
    blind = Distance(target, 0.0).of(quiet)
    assert Distance(target, 0.05).of(quiet) - blind == pytest.approx(1.0, abs=0.01)
    assert blind < 1.0


def test_the_nearest_row_is_of_the_nearest_pitch_and_large_datasets_are_sampled(ds: Dataset) -> None:
    for row in (4, 5):
        pool = nearest_rows(ds, ds[row].audio, ds[row].note.pitch, 1000, 0)
        assert (pool.rows[0], pool.listened, pool.patches) == (row, 12, 12)
        assert {ds[int(i)].note.pitch for i in pool.rows} == {ds[row].note.pitch}
    some = nearest_rows(ds, ds[0].audio, None, 5, 0, frozenset({0}))
    assert (some.listened, some.patches) == (5, 11)


def test_rows_that_were_played_with_the_same_note_tell_what_labels_sound_like(
    ds: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    heard: list[list[Trial]] = []
    monkeypatch.setattr("tonesmith.analysis.matching.match.search", lambda *given: heard.append(list(given[3])))
    target = ds[4]
    match(target, ds, renders=20, workers=1)
    (stored,) = heard
    with ds.player() as play:
        again = [play([trial.label], target.note)[0] for trial in stored]
    distance = Distance(sound_of(target.audio, RATE))
    assert [trial.distance for trial in stored] == [distance.of(audio) for audio in again]
    assert all(
        np.array_equal(trial.levels, distance.near(audio)[1]) for trial, audio in zip(stored, again, strict=True)
    )
    same = {row.patch_id for row in ds if row.note == target.note} - {target.patch_id}
    assert len(stored) == len(same) - 2  # two of them were played again

    match(target, ds, renders=20, workers=1, velocity=37)
    assert heard[1] == []


@pytest.mark.parametrize(("midi", "cents"), [(33, 0.0), (57, 20.0), (84, -30.0)])
def test_a_pitch_is_heard_with_its_cents(midi: int, cents: float) -> None:
    hertz = 440.0 * 2.0 ** ((midi + cents / 100.0 - 69.0) / 12.0)
    phase = 2.0 * np.pi * hertz * np.arange(22050) / 44100
    tone = sum(np.sin(k * phase) / k for k in range(1, 6))
    found = pitch_of(np.stack([tone, tone]).astype(np.float32), 44100)
    assert found is not None
    assert (found.midi, found.is_sure) == (midi, True)
    assert found.cents == pytest.approx(cents, abs=4.0)


def test_noise_has_no_sure_pitch_and_notes_have_names(ds: Dataset, capsys: pytest.CaptureFixture[str]) -> None:
    found = pitch_of(noise(0.5), RATE)
    assert found is None or not found.is_sure
    assert [pitch_name(midi) for midi in (0, 60, 69, 127)] == ["C-1", "C4", "A4", "G9"]
    told: list[str] = []
    unsure = matched(wanted_of(noise(0.2), ds, sample_rate=RATE), ds, Settings(renders=2), workers=1, told=told.append)
    assert told[-1].startswith("no clear pitch is heard.")
    assert unsure.note.pitch == ds[int(unsure.pool.rows[0])].note.pitch


def test_a_sound_takes_the_form_of_the_rows(ds: Dataset) -> None:
    plan, sound = ds.plan, noise(0.1, 16000, 1)
    padded = np.pad(sound, ((0, 0), (1600, 0)))
    found = recording_of(padded, 16000, plan)
    assert found.audio.shape == ds[0].audio.shape
    assert found.offset == pytest.approx(0.1, abs=0.002)
    assert np.array_equal(found.audio[0], found.audio[1])
    assert not found.audio[:, 900:].any()
    assert (found.cut, found.sample_rate, found.channels) == (False, 16000, 1)
    assert recording_of(noise(0.5), RATE, plan).cut
    same = recording_of(ds[0].audio, RATE, plan, trim=False)
    assert np.array_equal(same.audio, ds[0].audio)


def test_what_is_no_sound_is_refused_in_a_sentence(ds: Dataset, tmp_path: Path) -> None:
    broken = noise(0.2)
    broken[0, 5] = np.nan
    (tmp_path / "text.wav").write_text("RIFF, but no sound")
    for sound, told in (
        (tmp_path / "none.wav", "none.wav does not exist."),
        (tmp_path, "is a folder. If it is a dataset, choose one of its rows with --row N."),
        (tmp_path / "text.wav", "text.wav cannot be read as audio: "),
        (np.zeros((2, 1600)), "the sound is silent."),
        (broken, "has samples that are NaN or infinite."),
        (noise(0.03), "the sound lasts 0.03"),
        (np.zeros((2, 0)), "has no samples"),
        ("a.wav", "a.wav does not exist."),
    ):
        with pytest.raises(ConfigError) as refused:
            wanted_of(sound, ds, sample_rate=RATE)
        assert told in str(refused.value)
        assert "\n" not in str(refused.value)
    for changes, told in (
        ({"sample_rate": 10}, "expected 1,000 to 1,000,000"),
        ({}, "sample_rate is missing"),
        ({"row": 99, "sound": ds.storage.path}, "--row: "),
    ):
        with pytest.raises(ConfigError, match=told):
            wanted_of(**{"sound": noise(0.2), "dataset": ds, **changes})


def test_settings_and_libraries_that_are_wrong_are_told_before_an_engine_starts(
    ds: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(ConfigError, match=r"no render was begun within 1e-09 s\. Allow more seconds\."):
        match(ds[0], ds, seconds=1e-9)
    monkeypatch.setattr("tonesmith.analysis.matching.match.Player", None)
    for settings, told in (
        ({"renders": 0}, "renders is 0; expected 1 or more."),
        ({"seconds": 0.0}, "seconds is 0.0; expected a number above 0."),
        ({"level": -1.0}, "level is -1.0; expected 0 or more."),
        ({"pitch": 128}, "the pitch is 128; expected an integer from 0 to 127."),
        ({"hold": 9.0}, "the hold is 9 s; expected more than 0 and at most 0.2 s"),
    ):
        with pytest.raises(ConfigError, match=told):
            match(ds[0], ds, **settings)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(
        ConfigError, match=r'needs cmaes, which is not installed. Install it: pip install "tonesmith\[match'
    ):
        match(ds[0], ds)


def test_a_dataset_without_another_patch_has_nothing_to_start_from(ds: Dataset) -> None:
    alone = replace(wanted_of(ds[0], ds), left_out=frozenset(range(12)))
    with pytest.raises(ConfigError, match="the dataset has no row of another patch"):
        matched(alone, ds)


@pytest.mark.long
def test_a_match_of_vital_is_a_preset_that_a_new_process_renders_as_the_sound_beside_it(tmp_path: Path) -> None:
    path, out = tmp_path / "d", tmp_path / "found.vital"
    notes = {"pitches": [60], "hold": 0.2, "tail": 0.1}
    generate(path, patches=6, notes=notes, sample_rate=44100)
    done = terminal("match", path, "--row", 0, "--like", path, "-o", out, "--renders", 20, "--pitch", 55, "-q")
    assert done.returncode == 0, done.stderr
    job = {"preset": str(out), "sample_rate": 44100, "bpm": 120, "out": str(tmp_path / "raw")}
    job |= {"pitch": 55, "velocity": 100, "hold": 0.2, "tail": 0.1}
    (tmp_path / "job").write_text(json.dumps(job))
    reference = ROOT / "tests" / "support" / "reference.py"
    subprocess.run([sys.executable, reference, tmp_path / "job"], check=True)
    audio = np.fromfile(tmp_path / "raw", np.float32).reshape(2, -1)
    assert (tmp_path / "found.wav").read_bytes() == wav_of(audio, 44100)


@pytest.mark.long
def test_an_instrument_of_vst3_is_matched_too(tmp_path: Path) -> None:
    backend = {"name": "vst3", "plugin": str(built(tmp_path / "tiny", "TinySynth"))}
    generate(tmp_path / "d", patches=6, notes={"pitches": [60], "hold": 0.2, "tail": 0.1}, backend=backend)
    ds = open_dataset(tmp_path / "d")
    found = match(ds[0], ds, renders=40)
    assert found.distance < found.nearest.heard.trial.distance
    assert len(found.preset()) > 0


@pytest.mark.long
@pytest.mark.parametrize(
    ("backend", "share"),
    [({"name": "dawdreamer", "instrument": "subtractive"}, 0.75), ({"name": "vita", "tier": 1}, 0.65)],
)
def test_held_out_sounds_are_matched_within_300_renders(backend: dict[str, Any], share: float, tmp_path: Path) -> None:
    notes = {"pitches": [60], "hold": 0.35, "tail": 0.15}
    generate(tmp_path / "d", patches=150, backend=backend, sample_rate=16000, notes=notes)
    assert _median_ratio(tmp_path / "d", 4) < share


def _median_ratio(path: Path, count: int) -> float:
    """Match some rows, each without its own patch, and return the median MSS as a share of the nearest row's."""
    ds, ratios = open_dataset(path), []
    for row in range(count):
        found = match(ds[row], ds, renders=300).metrics
        ratios.append(found["match"]["mss"] / found["nearest"]["mss"])
    assert max(ratios) < 1.0
    return float(np.median(ratios))
