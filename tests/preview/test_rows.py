"""Rows found and put in order: by note, origin, split, preset, measure, parameter and mark."""

from __future__ import annotations

import shutil
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support.previews import damage

from tonesmith.dataset.opening import open_dataset
from tonesmith.errors import DatasetError, DatasetNotFoundError
from tonesmith.preview.lists import rows as rows_module
from tonesmith.preview.lists.query import QueryError
from tonesmith.preview.lists.source import Arrangement, arranged
from tonesmith.preview.session import Session
from tonesmith.screen.background import Stopped


def found(source: Any, text: str = "", sort: str = "", *, descending: bool = False) -> list[int]:
    return arranged(source, Arrangement(text, sort, descending)).tolist()


def value_of(source: Any, index: int, name: str) -> Any:
    row = source.dataset[index]
    return row.parameters[name].value if name in row.parameters else row.measured.get(name)


@pytest.mark.parametrize(
    ("text", "test"),
    [
        ("pitch = 60", lambda row: row.note.pitch == 60),
        ("row >= 5 and row < 9", lambda row: 5 <= row.row < 9),
        ("origin = LHS", lambda row: row.origin == "lhs"),
        ("not origin = lhs", lambda row: row.origin != "lhs"),
        ("origin ~ preset", lambda row: row.origin == "presets"),
        ("cutoff > 80", lambda row: row.parameters["cutoff"].value > 80),
        ("filter_on = on", lambda row: row.parameters["filter_on"].text == "on"),
        ("slope >= 12", lambda row: int(row.parameters["slope"].text) >= 12),
        ("modulations > 1", lambda row: len(row.label.modulations) > 1),
        ("peak_dbfs > 0 or patch = 2", lambda row: row.measured["peak_dbfs"] > 0 or row.patch_id == 2),
        ('preset = "warm pad (2)"', lambda row: row.patch_id == 0),
        ("PAD", lambda row: row.origin == "presets"),  # the style of every preset
        ("和風", lambda row: row.patch_id == 9),
        ("loudness > -100", lambda row: False),  # never measured
        ("not loudness > -100", lambda row: True),
    ],
)
def test_a_filter_finds_what_the_rows_say(rows: Any, text: str, test: Any) -> None:
    assert found(rows, text) == [i for i in range(20) if test(rows.dataset[i])]


def test_a_value_is_found_as_it_is_shown(rows: Any) -> None:
    shown = rows.cells([3], ["cutoff", "peak_dbfs", "row", "preset"])[0]
    assert 3 in found(rows, f"cutoff = {shown[0]}")
    assert 3 not in found(rows, f"cutoff != {shown[0]} or cutoff > {shown[0]}")
    assert shown[2:] == ("3", "")


def test_rows_are_sorted_by_number_and_by_text_and_what_has_none_comes_last(rows: Any) -> None:
    cutoffs = [value_of(rows, i, "cutoff") for i in range(20)]
    assert found(rows, sort="cutoff") == np.argsort(cutoffs, kind="stable").tolist()
    descending = found(rows, sort="cutoff", descending=True)
    assert [cutoffs[i] for i in descending] == sorted(cutoffs, reverse=True)
    presets = [rows.cells([i], ["preset"])[0][0] for i in found(rows, sort="preset")]
    assert [name for name in presets if name] == sorted(filter(None, presets), key=str.casefold)
    assert presets[8:] == [""] * 12


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("cutof > 3", "column 1: unknown name 'cutof'. Did you mean 'cutoff'?"),
        ("pitch = 60 and cutoff > loud", "column 25: cutoff is a number, and 'loud' is none"),
        (
            "zzz > 3",
            "column 1: unknown name 'zzz'. Known: row, pitch, velocity, hold, tail, patch, attempt, origin and 14 more",
        ),
        ("origin > 3", "column 1: origin is a text. Use =, != or ~"),
        ("origin = lsh", "column 10: unknown value of origin 'lsh'. Did you mean 'lhs'? Known: lhs, presets"),
        ("cutoff ~ 3", "column 1: cutoff is a number, and ~ looks for a text. Use =, < or >"),
        ("pitch < nan", "column 9: pitch is a number, and 'nan' is none"),
    ],
)
def test_a_wrong_filter_is_refused_before_anything_is_read(rows: Any, text: str, told: str) -> None:
    with pytest.raises(QueryError) as raised:
        Arrangement(text).check(rows)
    assert str(raised.value) == told


def test_hostile_names_are_shown_on_one_line_and_without_what_a_terminal_obeys(rows: Any) -> None:
    shown = [cells[0] for cells in rows.cells(list(range(20)), ["preset"]) if cells]
    assert all(text.isprintable() and len(text) <= 80 for text in shown)
    assert "]0;title [2J live [red]Lead[/red]" in shown


def test_values_are_read_once_and_marks_anew(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    session = Session.open(path)
    assert found(session.rows, "cutoff > 0 and rating >= 4", "peak_dbfs") == []
    monkeypatch.setattr(session.dataset.storage, "read", None)
    assert len(found(session.rows, "cutoff > 80", "peak_dbfs")) < 20
    session.marks.rate(7, 4)
    session.marks.toggle(9)
    assert (found(session.rows, "rating >= 4"), found(session.rows, "marked = yes")) == ([7], [9])


def test_reading_goes_block_by_block_and_can_be_stopped(rows: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rows_module, "_AT_ONCE", 8)
    told: list[tuple[int, int]] = []
    rows.read(["hold"], lambda done, total: told.append((done, total)))
    assert told == [(8, 20), (16, 20), (20, 20)]

    def stop(done: int, total: int) -> None:
        raise Stopped

    with pytest.raises(Stopped):
        rows.read(["tail"], stop)


def test_a_damaged_block_is_left_out_and_the_rest_is_found(path: Path) -> None:
    damage(path, 1)
    rows = Session.open(path).rows
    assert found(rows, "not pitch = 61") == [*range(8), *range(16, 20)]
    assert rows.unread().sum() == 8
    assert found(rows, sort="pitch")[-8:] == list(range(8, 16))
    cells = rows.cells([0, 9, 17], ["pitch"])
    assert cells == [("48",), None, ("60",)]


def test_a_dataset_that_is_gone_is_told(path: Path) -> None:
    rows = Session.open(path).rows
    shutil.rmtree(path)
    with pytest.raises(DatasetNotFoundError, match="no longer there"):
        found(rows, "pitch = 60")


def test_rows_that_came_since_are_counted(path: Path, made: Path) -> None:
    session = Session.open(path)
    assert session.grown() == 0
    whole = open_dataset(made).storage.committed()
    session.dataset._committed = {0: whole[0]}
    assert session.grown() == 12
    assert len(session.again().dataset) == 20


def test_rejects_are_listed_with_their_reasons(path: Path) -> None:
    rejects = Session.open(path).rejects
    assert len(rejects) == 6
    assert found(rejects, "reason = silent") == [0, 2, 4]
    assert found(rejects, "clipped and patch > 3") == [3, 5]
    assert rejects.cells([1], rejects.listed) == [("1", "0", "1", "60", "level", "clipped", "peak 0.1 dBFS")]
    with pytest.raises(QueryError, match="Known: clipped, silent"):
        found(rejects, "reason = loud")
    assert found(rejects, sort="loudness") == [1, 3, 5, 0, 2, 4]


def test_many_threads_may_read_at_once(rows: Any) -> None:
    results: list[Any] = []
    threads = [threading.Thread(target=lambda: results.append(found(rows, "pitch = 60", "level"))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == [results[0]] * 4


def test_a_wrong_name_to_sort_by_is_refused(rows: Any) -> None:
    with pytest.raises(QueryError, match="unknown name 'ptich'"):
        Arrangement(sort="ptich").check(rows)


def test_nothing_at_all_that_can_be_read_is_an_error(path: Path) -> None:
    for block in range(3):
        damage(path, block)
    with pytest.raises(DatasetError):
        found(Session.open(path).rows, "pitch = 60")
