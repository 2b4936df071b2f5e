"""JAMS files as tables: what the profile has labels for is read, and hostile files are bounded."""

from __future__ import annotations

import json

import pytest

from tonesmith import ConfigError
from tonesmith.annotators.table import Table
from tonesmith.host.roles import Subject


def seen(value, seconds=1.0, time=0.0, confidence=None):
    return {"time": time, "duration": seconds, "value": value, "confidence": confidence}


def document(**namespaces):
    annotations = [{"namespace": name, "data": data} for name, data in namespaces.items()]
    return {"file_metadata": {"duration": 4}, "annotations": annotations}


def said(folder, data, name="song.jams"):
    (folder / name).write_text(data if isinstance(data, str) else json.dumps(data))
    subject = Subject("song-1", ("a/song.wav",), own=("song",), choices={"emotion": {"sad": "sad", "blue": "sad"}})
    table = Table(Table.Options(path=str(folder / name)))
    return {one.name: (one.value, one.confidence) for one in table.annotate(subject)}


@pytest.mark.parametrize(
    ("namespace", "data", "labels"),
    [
        ("key_mode", [seen("Eb:minor", 3), seen("C:major", 1)], {"key": ("Eb", 0.75), "mode": ("minor", 0.75)}),
        ("key_mode", [seen("N")], {}),
        ("tempo", [seen(60, confidence=0.2), seen(120, confidence=0.8)], {"tempo_bpm": (120.0, 0.8)}),
        ("beat", [seen(1, time=t / 2) for t in range(10)], {"tempo_bpm": (120.0, 0.9)}),
        ("beat", [seen(1, time=t / 2) for t in range(4)], {}),
        (
            "chord",
            [seen("C:maj", time=1), seen("N"), seen("C:maj", time=2), seen("G:7", time=3)],
            {"chord_progression": (["C:maj", "G:7"], 1.0)},
        ),
        ("mood_thayer", [seen([0.5, -0.5], 3), seen([0.1, -0.1], 1)], {"valence": (0.4, 1.0), "arousal": (-0.4, 1.0)}),
        ("mood_thayer", [seen([5, 9])], {}),
        ("tag_open", [seen("blue", 4), seen("guitar", 4)], {"emotion": ("sad", 1.0)}),
        ("tempo", {"time": [0], "duration": [4], "value": [90], "confidence": [0.5]}, {"tempo_bpm": (90.0, 0.5)}),
        ("pitch_contour", [seen(440)], {}),
        ("tempo", [seen(float("nan")), seen("fast"), seen([1]), seen(None), 7, None], {}),
    ],
)
def test_a_namespace_says_what_the_profile_has_labels_for(tmp_path, namespace, data, labels):
    assert said(tmp_path, document(**{namespace: data})) == labels
    assert said(tmp_path, document(**{namespace: data}), "song.json") == labels, "JAMS is known by what it holds"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("{", "not JSON|damaged"),
        ("[]", "is not JAMS"),
        ('{"annotations": 5, "file_metadata": {}}', "is not JAMS"),
        ("[" * 100_000, "damaged|deep|JSON"),
    ],
)
def test_what_is_no_jams_is_refused_with_its_name(tmp_path, text, told):
    with pytest.raises(ConfigError, match=told) as error:
        said(tmp_path, text)
    assert "song.jams" in str(error.value)


def test_of_a_file_without_end_a_bounded_part_is_read(tmp_path, monkeypatch):
    monkeypatch.setattr("tonesmith.annotators._jams._MOST", 10)
    data = [seen("C:maj" if i % 2 else "G:maj", time=float(i)) for i in range(1000)]
    assert len(said(tmp_path, document(chord=data))["chord_progression"][0]) == 10


def test_a_folder_of_jams_is_a_table_and_an_empty_one_is_refused(tmp_path):
    said(tmp_path, document(tempo=[seen(90)]))
    table = Table(Table.Options(path=str(tmp_path)))
    assert [one.value for one in table.annotate(Subject("song"))] == [90.0]
    (tmp_path / "empty").mkdir()
    with pytest.raises(ConfigError, match="no label files"):
        Table(Table.Options(path=str(tmp_path / "empty")))
