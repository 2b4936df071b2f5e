"""The composer of MIDI files: what becomes a phrase, what is left out, and how that is said."""

from __future__ import annotations

import os
from itertools import pairwise

import pytest
from support.midi_files import REFUSED

from tonesmith.composers.files import Files
from tonesmith.errors import ConfigError
from tonesmith.host.settings import InvalidSettings, validate
from tonesmith.score.score import Key, Meter, Part, Score, Text, controls_of, notes_of
from tonesmith.score.timing import Tempos
from tonesmith.score.writer import midi_of
from tonesmith.testing import ComposerContract

BAR = 1920


def band(bars=4, **changes):
    """A lead, a bass and drums at 120 BPM, whose every bar is another."""
    notes = [(BAR * bar, 480, 72 + bar, 90, 0) for bar in range(bars)]
    notes += [(BAR * bar + 480, 480, 40 + bar, 80, 1) for bar in range(bars)]
    notes += [(BAR * bar, 240, 36, 100, 2) for bar in range(bars)]
    return Score(480, notes_of(notes), (Part(80, name=b"Lead "), Part(33), Part(0, True)), **changes)


def quarters(*pitches, **changes):
    return Score(480, notes_of((480 * n, 480, pitch, 100, 0) for n, pitch in enumerate(pitches)), **changes)


@pytest.fixture
def collected(tmp_path):
    """What the composer makes of scores that are written as files."""

    def collect(scores, seconds=2.0, **options):
        for name, score in scores.items():
            file = tmp_path / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(score if isinstance(score, bytes) else midi_of(score))
        composer = Files(validate(Files.Options, {"paths": [str(tmp_path)], **options}), 1, seconds)
        return composer.collected(), composer.remarks()

    return collect


class TestFiles(ComposerContract):
    composer = Files
    refused = ({"range": [60, 59]}, {"parts": ["baas"]}, {"parts": ["40-30"]}, {"hop": 0.5}, {"paths": []})

    @pytest.fixture(autouse=True, scope="class")
    def _files(self, tmp_path_factory, request):
        folder = tmp_path_factory.mktemp("midi")
        (folder / "band.mid").write_bytes(midi_of(band(12)))
        request.cls.options = {"paths": [str(folder)]}


def test_phrases_come_in_the_order_of_files_and_bars_and_say_where_they_are_from(collected):
    phrases, remarks = collected({"b.mid": band(2), "a/x.MID": band(3, keys=(Key(0, -3, False),)), "notes.txt": b"no"})
    assert [p.source for p in phrases] == [
        "b.mid, bar 1",
        "b.mid, bar 2",
        "a/x.MID, bar 1",
        "a/x.MID, bar 2",
        "a/x.MID, bar 3",
    ]
    assert remarks == ()
    assert phrases[4].score.notes["pitch"].tolist() == [74, 42]


def test_drums_are_left_out_unless_asked_for_and_parts_are_chosen_by_program(collected):
    def programs(**options):
        phrases, _ = collected({"a.mid": band(1)}, **options)
        return [[(p.program, p.drums) for p in phrase.score.parts] for phrase in phrases]

    assert programs() == [[(80, False), (33, False)]]
    assert programs(drums="with") == [[(80, False), (33, False), (0, True)]]
    assert programs(drums="only") == [[(0, True)]]
    assert programs(parts=["bass", 99]) == programs(parts=["30-33"]) == [[(33, False)]]
    assert programs(alone=True) == [[(80, False)], [(33, False)]]
    assert collected({}, alone=True)[0][0].source == "a.mid, bar 1, part 1 (Lead)"


def test_only_what_the_file_states_is_said_of_a_phrase(collected):
    changed = band(
        2,
        meters=(Meter(BAR, 3, 4),),
        keys=(Key(0, -3, False), Key(BAR, 3, True)),
        tempos=Tempos.of([(BAR, 400_000)]),
        texts=(Text(0, "lyric", b"la"),),
        controls=controls_of([(0, 0, 64, 127)]),
    )
    phrases, _ = collected({"a.mid": changed})
    assert collected({}, seconds=4.0)[0][0].annotations["meter"] == "", "it is stated later"
    assert [dict(phrase.annotations) for phrase in phrases] == [
        {"tempo_bpm": 120.0, "meter": "", "key": "Eb major"},
        {"tempo_bpm": 150.0, "meter": "3/4", "key": "F# minor"},
    ]
    assert phrases[1].score.controls.tolist() == [(0, 0, 64, 127)], "the pedal is down since bar 1"
    assert not phrases[0].score.texts


def test_equal_phrases_are_there_once_and_empty_ones_never(collected):
    late = Score(480, notes_of([(3 * BAR, 480, 60, 100, 0), (5 * BAR, 480, 60, 100, 0)]))
    phrases, remarks = collected({"late.mid": late, "same.mid": late})
    assert [p.source for p in phrases] == ["late.mid, bar 4"]
    assert remarks == ("left out: 3 phrases equal to another one.",)


def test_a_phrase_is_moved_into_the_range_as_little_as_possible_or_left_out(collected):
    tunes = {"high.mid": quarters(84, 86), "low.mid": quarters(30, 32), "wide.mid": quarters(40, 90)}

    def lowest(**options):
        phrases, remarks = collected(tunes, range=[48, 72], **options)
        return {p.source[:-7]: int(p.score.notes["pitch"].min()) for p in phrases}, remarks

    left_out = "left out: {} that cannot be moved into the pitches 48 to 72."
    assert lowest(transpose="octaves") == ({"high.mid": 60, "low.mid": 54}, (left_out.format("1 phrase"),))
    assert lowest(transpose="semitones") == ({"high.mid": 70, "low.mid": 48}, (left_out.format("1 phrase"),))
    with pytest.raises(ConfigError, match=left_out.format("3 phrases")):
        lowest()


def test_only_the_controllers_that_are_named_are_kept(collected):
    moved = controls_of([(0, 0, 7, 90), (0, 0, 128, 512), (0, 0, 64, 127)])
    tunes = {"a.mid": quarters(60, 62, controls=moved)}

    def kinds(*names):
        ((phrase,), _) = collected(tunes, controls=list(names))
        return phrase.score.controls["kind"].tolist()

    assert kinds("all") == [7, 64, 128]
    assert kinds("none") == []
    assert kinds("bend", 7) == [7, 128]
    with pytest.raises(InvalidSettings) as refused:
        collected(tunes, controls=["wheel"])
    assert "unknown controller 'wheel'" in refused.value.problems[0].text


def test_a_plan_records_no_path_of_the_machine(tmp_path):
    options = validate(Files.Options, {"paths": [str(tmp_path)], "notes": 2})
    assert Files.recorded(options)["notes"] == 2
    assert str(tmp_path) not in str(Files.recorded(options))


def test_drums_are_never_moved_and_fit_every_range(collected):
    phrases, _ = collected({"a.mid": band(1)}, drums="with", range=[64, 100], transpose="octaves", parts=["bass"])
    assert phrases[0].score.notes["pitch"].tolist() == [36, 64]


def test_phrases_of_fewer_notes_than_wanted_are_left_out_and_counted(collected):
    phrases, remarks = collected({"a.mid": quarters(60, 61, 62, 63, 64, 65)}, notes=3)
    assert len(phrases) == 1
    assert remarks == ("left out: 1 phrase with fewer than 3 notes.",)


def test_a_file_that_cannot_be_read_is_named_with_the_reason_and_the_others_are_played(collected, tmp_path):
    os.mkfifo(tmp_path / "pipe.mid")
    phrases, remarks = collected({"a.mid": band(1), "bad/two.mid": REFUSED["type 2"][0]})
    assert len(phrases) == 1
    assert remarks[0] == "pipe.mid cannot be read: pipe.mid is not a file."
    assert remarks[1].startswith("bad/two.mid cannot be read as MIDI: it is of type 2")


@pytest.mark.parametrize(
    ("scores", "options", "message"),
    [
        ({"a.mid": b"no"}, {}, "no MIDI file can be read of 1: a.mid cannot be read as MIDI: it is not a MIDI file"),
        ({}, {}, "is a folder without MIDI files. Give a MIDI file, a folder or a glob."),
        ({"a.mid": band()}, {"seconds": 1.5}, "the shortest lasts 2 s. Give phrases more seconds, or cut = 'time'"),
        ({"a.mid": band()}, {"parts": ["piano"]}, "no phrase in 1 MIDI files. No part of them is chosen"),
        ({"a.mid": band()}, {"cut": "time", "seconds": None}, "needs the seconds"),
        ({"a.mid": band()}, {"cut": "whole", "hop": 1}, "hop means nothing with cut = 'whole'"),
    ],
)
def test_when_there_is_no_phrase_the_reason_is_said(collected, scores, options, message):
    with pytest.raises(ConfigError, match=message):
        collected(scores, **options)


def test_files_folders_and_globs_are_found_once_and_what_is_none_is_refused(collected, tmp_path):
    collected({"sub/a.mid": band(1), "sub/._a.mid": b"", "sub/b.kar": band(2)})
    (tmp_path / "sub" / "loop").symlink_to(tmp_path)
    for paths in (["sub/a.mid", "sub"], ["sub/*", "sub"], ["**/*.mid", "sub"]):
        phrases, remarks = collected({}, paths=[f"{tmp_path}/{path}" for path in paths])
        assert {p.source.split(",")[0] for p in phrases} == {"a.mid", "b.kar"}
        assert remarks == ("left out: 1 phrase equal to another one.",)
    for path, message in (("*.xyz", "matches no MIDI file"), ("none.mid", "does not exist")):
        with pytest.raises(ConfigError, match=message):
            collected({}, paths=[f"{tmp_path}/{path}"])


def test_the_cuts_are_bars_times_or_the_beginning(collected):
    tune = {"a.mid": quarters(*range(50, 62))}
    starts = [p.score.notes["pitch"][0] for p in collected(tune, cut="time", hop=0.5, seconds=1.0)[0]]
    assert [b - a for a, b in pairwise(map(int, starts))] == [1] * 10
    assert [p.source for p in collected(tune, cut="time", seconds=2.0)[0]] == ["a.mid, 0 s", "a.mid, 2 s", "a.mid, 4 s"]
    (whole,) = collected(tune, cut="whole", seconds=2.25)[0]
    assert (len(whole.score), whole.score.duration) == (5, 2.25)
    assert len(collected(tune, hop=1, seconds=4.0)[0]) == 2
    (all_of_it,) = collected(tune, cut="bars", seconds=None)[0]
    assert len(all_of_it.score) == 12


def test_unknown_options_name_the_key(collected):
    with pytest.raises(InvalidSettings):
        collected({"a.mid": band()}, cut="bar")
