"""MIDI in and out: real files, awkward ones, and damaged ones."""

from __future__ import annotations

import os
import random
import re
import time
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from support.midi_files import AWKWARD, NOTE, REFUSED, midi, track
from support.scores import scores

from tonesmith.errors import ScoreError
from tonesmith.score import reader
from tonesmith.score.events import digits
from tonesmith.score.reader import decoded, is_read_back, midi_reading, read_midi
from tonesmith.score.score import BEND, PRESSURE, Key, Meter, Part, Score, Text, notes_of
from tonesmith.score.timing import Tempos
from tonesmith.score.writer import midi_of


@pytest.mark.parametrize("name", AWKWARD)
def test_an_awkward_file_is_read_as_it_is_meant_and_what_was_mended_is_said(name):
    data, notes, seconds, mended = AWKWARD[name]
    reading = midi_reading(data)
    assert reading.score.notes.tolist() == notes
    assert reading.score.duration == pytest.approx(seconds, rel=1e-12)
    assert len(reading.mended) == bool(mended)
    if mended:
        assert re.search(mended, reading.mended[0])
    assert reading.never_released == (name in {"a note that nothing ends", "a file that is cut off"})
    assert reading.zero_length == (name == "a note of no length")
    assert reading.overlapping == (name == "a pitch struck twice before its off")


@pytest.mark.parametrize("name", REFUSED)
def test_a_file_whose_notes_have_no_time_is_refused_with_the_reason(name, tmp_path):
    data, message = REFUSED[name]
    file = tmp_path / "a.mid"
    file.write_bytes(data)
    with pytest.raises(ScoreError, match=f"a.mid cannot be read as MIDI: .*{message}"):
        read_midi(file)
    assert file.read_bytes() == data


def test_what_is_no_file_is_refused_at_once(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    for name, message in (
        ("pipe", "is not a file"),
        ("none.mid", "No such file"),
        (".", "is not a file|Is a directory"),
    ):
        with pytest.raises(ScoreError, match=message):
            read_midi(tmp_path / name)


def one_by_one(score, number, channel):
    """Return the track of a part, written an event at a time."""
    part = score.parts[number]
    events = [(0, 0, b"\xff\x03" + digits(len(part.name)) + part.name)] if part.name else []
    events.append((0, 1, bytes([0xC0 | channel, part.program])))
    for tick, _, kind, value in score.controls[score.controls["part"] == number].tolist():
        status = 0xE0 if kind == BEND else 0xD0 if kind == PRESSURE else 0xB0
        data = (
            [(value + 8192) & 127, (value + 8192) >> 7]
            if kind == BEND
            else [value]
            if status == 0xD0
            else [kind, value]
        )
        events.append((tick, 3, bytes([status | channel, *data])))
    for onset, duration, pitch, velocity, _ in score.notes[score.notes["part"] == number].tolist():
        events.append((onset, 4, bytes([0x90 | channel, pitch, velocity])))
        events.append((onset + duration, 2 if duration else 5, bytes([0x80 | channel, pitch, 64])))
    events.sort(key=lambda event: event[:2])
    ticks = [0, *(tick for tick, _, _ in events)]
    body = b"".join(digits(event[0] - before) + event[2] for before, event in zip(ticks, events, strict=False))
    return body + b"\x00\xff\x2f\x00"


@given(scores())
def test_tracks_are_written_as_an_event_at_a_time_would_be(score):
    written, pitched = midi_of(score), 0
    for number, part in enumerate(score.parts):
        channel = 9 if part.drums else [c for c in range(16) if c != 9][pitched % 15]
        pitched += not part.drums
        track = one_by_one(score, number, channel)
        assert b"MTrk" + len(track).to_bytes(4) + track in written


def test_controllers_keys_meters_names_and_texts_are_read_with_their_ticks():
    events = (
        b"\x00\xff\x03\x04Lead",
        b"\x00\xff\x58\x04\x06\x03\x18\x08",
        b"\x00\xff\x59\x02\xfd\x01",
        b"\x00\xc3\x05",
        b"\x10\xe3\x00\x50",
        b"\x00\x93\x3c\x40",
        b"\x10\xd3\x33\x10\x34",
        b"\x00\xff\x05\x02\x83\x41",
        b"\x00\xb3\x40\x7f",
        b"\x81\x00\x83\x3c\x00",
    )
    score = midi_reading(midi(track(*events))).score
    assert score.parts == (Part(5, False, b"Lead"),)
    assert score.meters == (Meter(0, 6, 8),)
    assert score.keys == (Key(0, -3, True),)
    assert score.texts == (Text(48, "lyric", b"\x83\x41"),), "the bytes as they are"
    assert score.controls.tolist() == [
        (16, 0, BEND, 2048),
        (32, 0, PRESSURE, 0x33),
        (48, 0, 64, 127),
        (48, 0, PRESSURE, 0x34),
    ]
    assert score.notes.tolist() == [(16, 160, 60, 64, 0)]


def test_pressures_belong_to_the_part_of_their_channel_and_program():
    two = b"\x00\x91\x3c\x40\x10\x81\x3c\x00"
    score = midi_reading(
        midi(track(b"\x00\xc0\x01", NOTE, two, b"\x00\xd1\x07\x00\xd0\x08\x00\xc0\x02\x00\xd0\x09", NOTE))
    ).score
    owner = {(score.parts[part].program, value) for _, part, kind, value in score.controls.tolist() if kind == PRESSURE}
    assert owner == {(0, 7), (1, 8), (2, 9)}


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (b"caf\xc3\xa9", "café"),
        (b"caf\xe9", "café"),
        (b"\x83\x41\x83\x4a", "アカ"),
        (b"\x93\xfa\x96\x7b", "\x93ú\x96{"),
        (b"", ""),
    ],
)
def test_texts_are_decoded_as_utf8_then_as_japanese_with_kana_then_as_latin1(content, text):
    assert decoded(content) == text


@given(scores())
def test_a_score_is_read_back_from_the_file_that_it_is_written_to(score):
    """But for parts that play no note, which are left out with their controllers."""
    reading = midi_reading(midi_of(score))
    used = sorted(set(score.notes["part"].tolist()))
    number = np.zeros(len(score.parts), int)
    number[used] = range(len(used))
    notes, controls = score.notes.copy(), score.controls[np.isin(score.controls["part"], used)].copy()
    notes["part"], controls["part"] = number[notes["part"]], number[controls["part"]]
    expected = Score(
        score.resolution,
        notes,
        tuple(score.parts[n] for n in used) or (Part(),),
        score.tempos,
        score.meters,
        score.keys,
        controls,
        score.texts,
    )
    assert reading.score == expected
    assert (reading.never_released, reading.mended) == (0, ())
    assert midi_of(reading.score) == midi_of(expected)


@given(scores())
def test_what_is_known_to_be_read_back_is_so_to_the_last_digit(score):
    data = midi_of(score)
    if is_read_back(score, data):
        reading = midi_reading(data)
        assert reading.score.digest == score.digest
        assert reading.score.duration == score.duration
        assert (len(reading.score.parts), reading.score.beats) == (len(score.parts), score.beats)
        assert (reading.mended, reading.never_released) == ((), 0)


@pytest.mark.parametrize(
    ("notes", "parts", "tempos", "known"),
    [
        ([(0, 10, 60, 1, 0), (10, 10, 60, 1, 0), (0, 5, 62, 1, 0)], 1, [500_000, 400_000], True),
        ([(0, 11, 60, 1, 0), (10, 10, 60, 1, 0)], 1, [500_000], False),
        ([(0, 0, 60, 1, 0)], 1, [500_000], False),
        ([(0, 9, 60, 1, 0)], 2, [500_000], False),
        ([(0, 9, 60, 1, 0)], 1, [500_000, 500_000], False),
        ([], 1, [500_000], False),
    ],
)
def test_a_score_that_may_be_read_otherwise_is_not_known(notes, parts, tempos, known):
    map_of = Tempos(np.arange(len(tempos)), np.array(tempos))
    score = Score(480, notes_of(notes), (Part(),) * parts, map_of)
    assert is_read_back(score, midi_of(score)) is known
    assert not is_read_back(score, bytes(5_000_000))


def test_a_gap_that_midi_cannot_state_is_told():
    with pytest.raises(
        ScoreError, match="300,000,000 ticks between two events; a MIDI file can state 268,435,455 at most"
    ):
        midi_of(Score(480, notes_of([(300_000_000, 1, 60, 1, 0)]), tempos=Tempos()))


def real_files():
    folders = [Path("/usr/share", name) for name in ("games/openttd", "planetblupi", "mma", "doc/mma")]
    return sorted(
        f for folder in folders if folder.is_dir() for f in folder.rglob("*") if f.suffix in {".mid", ".midi"}
    )


def test_real_files_hold_the_notes_that_another_reader_finds():
    files = real_files()
    if not files:
        pytest.skip("there are no MIDI files here: apt-get install openttd-openmsx planetblupi-music-midi mma")
    import symusic

    for file in files[:: max(1, len(files) // 12)]:
        reading, theirs = read_midi(file), symusic.Score(str(file))
        notes = sorted((n.time, n.duration, n.pitch, n.velocity) for part in theirs.tracks for n in part.notes)
        assert sorted(reading.score.notes[["onset", "duration", "pitch", "velocity"]].tolist()) == notes
        assert midi_reading(midi_of(reading.score)).score == reading.score or reading.overlapping


def mutated(rng, data):
    """Return a file with some bytes changed, cut out, doubled or put in."""
    found = bytearray(data)
    for _ in range(rng.randint(1, 6)):
        at = rng.randrange(len(found) + 1)
        change = rng.randrange(4)
        if change == 0 and at < len(found):
            found[at] = rng.randrange(256)
        elif change == 1:
            del found[at : at + rng.randint(1, 20)]
        elif change == 2:
            found[at:at] = found[at : at + rng.randint(1, 40)]
        else:
            found[at:at] = rng.randbytes(rng.randint(1, 4))
    return bytes(found)


@pytest.mark.parametrize(
    ("event", "count", "message"),
    [
        (b"\x00\xff\x01\x00", 100_002, "more than 50,000 texts and tempos"),
        (b"\x00\xf0\x00", 100_002, "more than 50,000 texts and tempos"),
        (b"\x00\xd0\x01\x00\xd1\x01", 100_001, "more than 200,000 pressures"),
    ],
)
def test_a_file_that_would_take_long_is_refused_by_what_it_has_too_much_of(event, count, message):
    with pytest.raises(ScoreError, match=message):
        midi_reading(midi(track(event * count)))


def test_a_file_of_more_parts_than_any_band_is_refused():
    programs = b"".join(bytes([0, 0xC0, program]) + NOTE for program in range(128))
    with pytest.raises(ScoreError, match="more than 8,192 parts"):
        midi_reading(midi(*[track(programs)] * 65))


def told(data):
    try:
        reading = midi_reading(data)
    except ScoreError as error:
        return str(error)
    return reading.score.to_json(), reading.never_released, reading.zero_length, reading.overlapping, reading.mended


@pytest.mark.parametrize("count", [300, pytest.param(10_000, marks=pytest.mark.long)])
def test_all_tracks_at_once_are_read_as_one_by_one(count, monkeypatch):
    rng = random.Random(-count)
    whole = [case[0] for case in (*AWKWARD.values(), *REFUSED.values())]
    files = whole + [file.read_bytes() for file in real_files()[:: 40 if count < 1000 else 1]]
    small = [data for data in files if len(data) < 10_000]
    files += [mutated(rng, rng.choice(small)) for _ in range(count)]
    at_once = []
    quickly = reader._quickly
    monkeypatch.setattr(reader, "_quickly", lambda *given: at_once.append(quickly(*given)) or at_once[-1])
    quick = [told(data) for data in files]
    monkeypatch.setattr(reader, "_quickly", lambda *given: None)
    assert [told(data) for data in files] == quick
    assert sum(found is not None for found in at_once) > len(at_once) // 2, "most files need no care"


@pytest.mark.parametrize("count", [300, pytest.param(10_000, marks=pytest.mark.long)])
def test_a_damaged_file_is_read_or_refused_soon_and_by_a_sentence(count):
    rng = random.Random(count)
    seeds = [case[0] for case in AWKWARD.values()] + [file.read_bytes() for file in real_files()[:4]]
    outcomes = {"read": 0, "refused": 0}
    for _ in range(count):
        data = mutated(rng, rng.choice(seeds))
        began = time.process_time()
        try:
            midi_reading(data)
            outcomes["read"] += 1
        except ScoreError as error:
            outcomes["refused"] += str(error).endswith(".")
        assert time.process_time() - began < 5
    assert sum(outcomes.values()) == count, "one sentence each"
    assert min(outcomes.values()) > count // 20, outcomes
