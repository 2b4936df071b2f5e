"""Ratings and marks: kept beside the dataset, found again, and never mixed up with another's."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tonesmith.errors import DatasetError
from tonesmith.preview.marks import Mark, Marks, marks_path
from tonesmith.preview.session import Session


def digest(path: Path) -> str:
    return Session.open(path).dataset.digest


def test_marks_are_there_again_and_no_row_is_touched(path: Path) -> None:
    before = digest(path)
    marks = Session.open(path).marks
    marks.rate(3, 5)
    marks.toggle(3)
    marks.toggle(12)
    marks.rate(4, 2)
    marks.rate(4, 0)

    again = Session.open(path).marks
    assert (again[3], again[12], again[4]) == (Mark(5, True), Mark(0, True), Mark())
    assert again.rows == [3, 12]
    assert digest(path) == before
    assert json.loads(Path("d.zarr.marks.json").read_text())["rows"] == [
        {"row": 3, "rating": 5, "marked": True},
        {"row": 12, "rating": 0, "marked": True},
    ]


def test_marks_outlive_an_extension_of_the_dataset(path: Path) -> None:
    session = Session.open(path)
    session.marks.toggle(3)
    longer = session.dataset.plan.extended_to(100)
    assert Marks(marks_path(path), longer.fingerprint).rows == [3]


GOOD: dict[str, Any] = {"format": 1, "fingerprint": "f", "rows": [{"row": 1, "rating": 3, "marked": False}]}


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"format": 2}, "it has format 2"),
        ({"fingerprint": "another"}, "it belongs to another dataset"),
        ({"rows": {}}, "it is damaged"),
        ({"rows": [{"row": -1, "rating": 3, "marked": False}]}, "it is damaged"),
        ({"rows": [{"row": 1, "rating": 6, "marked": False}]}, "it is damaged"),
        ({"rows": [{"row": 1, "rating": True, "marked": False}]}, "it is damaged"),
        ({"rows": [{"row": 1, "rating": 1}]}, "it is damaged"),
    ],
)
def test_a_file_that_is_not_ours_is_refused_and_stays(tmp_path: Path, changes: dict[str, Any], told: str) -> None:
    file = tmp_path / "d.marks.json"
    file.write_text(json.dumps(GOOD))
    assert Marks(file, "f")[1] == Mark(3)
    file.write_text(json.dumps(GOOD | changes))
    with pytest.raises(DatasetError, match=rf"d.marks.json cannot be used: {told}.* Move it away, or delete it"):
        Marks(file, "f")


def test_marks_are_not_written_through_a_link(tmp_path: Path) -> None:
    target = tmp_path / "other.json"
    target.write_text(json.dumps(GOOD))
    link = tmp_path / "d.marks.json"
    link.symlink_to(target)
    marks = Marks(link, "f")
    with pytest.raises(DatasetError, match="is a link"):
        marks.toggle(1)
    assert json.loads(target.read_text()) == GOOD
    assert marks[1].marked  # as long as the screen is open
