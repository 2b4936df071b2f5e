from __future__ import annotations

import os
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support.builders import write_dataset

from tonesmith.dataset.opening import open_dataset
from tonesmith.dataset.reader import Dataset
from tonesmith.document import parsed
from tonesmith.errors import ConfigError, DatasetError
from tonesmith.host.roles import Storage
from tonesmith.sinks.zarr import ZarrSink
from tonesmith.testing.synthetic import attributes_of, synthetic_plan


class Odd(Storage):
    """A storage of a third party that raises what it likes, and returns what was not asked for."""

    def __init__(self) -> None:
        self.attributes = attributes_of(synthetic_plan())

    def blocks(self):
        raise KeyError("blocks")

    def committed(self):
        return {0: 8}

    def read(self, column, rows):
        return np.zeros((len(rows), 3), np.float64)

    def rejections(self):
        raise RecursionError

    def asset(self, name):
        raise MemoryError

    def assets(self):
        raise NotADirectoryError(20, "Not a directory", "/a/file")

    def nbytes(self):
        raise PermissionError(13, "Permission denied", "/a/file")


@pytest.mark.parametrize(
    ("ask", "told"),
    [
        (lambda ds: ds.digest, "KeyError"),
        (lambda ds: ds.rejections, "RecursionError"),
        (lambda ds: ds.storage.asset("0" * 64), "do not fit into memory"),
        (lambda ds: ds.nbytes, "Ask its owner"),
        (lambda ds: ds.storage.assets(), "cannot be read"),
        (lambda ds: ds.column("pitch"), "what it stores as pitch is float64 (3,), and uint8 () by the plan"),
    ],
)
def test_whatever_a_sink_raises_or_returns_ends_in_an_error_that_names_the_dataset(ask, told):
    with pytest.raises(DatasetError) as caught:
        ask(Dataset(Odd(), "/my/dataset"))
    assert told in str(caught.value)
    assert "/my/dataset" in str(caught.value) or "/a/file" in str(caught.value)


def test_a_path_in_place_of_a_storage_is_told_how_to_open():
    storage: Any = "demo.zarr"
    with pytest.raises(ConfigError, match=r"open_dataset\('demo.zarr'\)"):
        Dataset(storage)


def test_a_marker_that_claims_more_rows_than_its_block_has_is_told(tmp_path):
    case = write_dataset(tmp_path / "d")
    blocks = case.path / "tonesmith" / "blocks"
    marker = next(blocks.glob("000002-4-*.json"))
    marker.rename(blocks / f"000002-999999999-{marker.stat().st_size}.json")
    assert len(open_dataset(case.path)) == 16, "a marker is believed that has no place for so many digests"
    marker = next(blocks.glob("000001-8-*.json"))
    marker.rename(blocks / f"000007-8-{marker.stat().st_size}.json")
    with pytest.raises(DatasetError, match="block 7 is said to have 8 rows, for which the plan has no place"):
        len(open_dataset(case.path))


def test_permission_to_read_is_asked_for_and_never_to_delete(tmp_path, monkeypatch):
    case = write_dataset(tmp_path / "d")
    opened = os.open

    def denied(path: Any, *args: Any, **kwargs: Any) -> int:
        if Path(path).name in closed:
            raise PermissionError(13, "Permission denied", str(path))
        return opened(path, *args, **kwargs)

    monkeypatch.setattr(os, "open", denied)
    for name in ("zarr.json", "c.0", next((case.path / "tonesmith" / "blocks").glob("000000*")).name):
        closed = {name}
        with pytest.raises(DatasetError) as caught:
            open_dataset(case.path)[0].parameters  # noqa: B018
        assert "Ask its owner" in str(caught.value), name
        assert "elete" not in str(caught.value)


def test_a_dataset_with_its_guard_travels(tmp_path):
    case = write_dataset(tmp_path / "d")
    opened = pickle.loads(pickle.dumps(Dataset(ZarrSink.open(case.path), case.path)))  # noqa: S301 - our own
    assert len(opened) == 20
    assert opened.storage.path == case.path


@pytest.mark.parametrize("text", ["[" * 100 + "]" * 100, "[" * 100_000, '{"a": ' * 70 + "1" + "}" * 70, "{", "nope"])
def test_documents_that_are_too_deep_or_none_are_refused_by_name(text):
    with pytest.raises(DatasetError, match=r"^x\.json is damaged: "):
        parsed(text, "x.json")


def test_a_document_may_be_wide_and_as_deep_as_any_of_ours():
    assert parsed("[" * 60 + "]" * 60, "x") != []
    assert len(parsed("[" + "[]," * 1000 + "[]]", "x")) == 1001
