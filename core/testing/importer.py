"""What every importer keeps to, as tests: subclass :class:`ImporterContract` and run pytest.

::

    from tonesmith.testing import ImporterContract

    class TestMyImporter(ImporterContract):
        importer = MyImporter
        names = ("songs/one.mid",)

        def make_source(self, folder):
            path = folder / "songs.list"
            ...
            return path
"""

from __future__ import annotations

import re
from abc import abstractmethod
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Any, ClassVar

import pytest

from tonesmith.errors import ConfigError
from tonesmith.host.roles import Found, Importer, Refused
from tonesmith.host.settings import InvalidSettings, validate


class ImporterContract:
    """The tests that every importer passes.

    Attributes:
        importer: the class under test.
        options: that it is tested with, as ``corpus.toml`` gives them.
        names: of the files that it finds in the source of :meth:`make_source`.
    """

    importer: ClassVar[type[Importer[Any]]]
    options: ClassVar[Mapping[str, Any]] = {}
    names: ClassVar[tuple[str, ...]]

    @abstractmethod
    def make_source(self, folder: Path) -> Path:
        """Write a source into an empty folder, and return its path."""

    def make(self) -> Importer[Any]:
        """Return a new importer."""
        return self.importer(validate(self.importer.Options, self.options))

    def found(self, path: Path, scratch: Path) -> list[Found | Refused]:
        """Return all that a new importer finds, unpacked into a new folder."""
        scratch.mkdir()
        return list(self.make().find(path, scratch))

    @pytest.fixture
    def source(self, tmp_path: Path) -> Path:
        """The source, in a folder of its own."""
        folder = tmp_path / "source"
        folder.mkdir()
        return self.make_source(folder)

    def test_it_has_a_name_and_a_summary(self) -> None:
        assert re.fullmatch(r"[a-z][a-z0-9_-]*", self.importer.name)
        assert self.importer.summary
        assert "\n" not in self.importer.summary

    def test_every_option_has_a_default_and_a_description(self) -> None:
        for name, option in self.importer.Options.model_fields.items():
            assert not option.is_required(), f"the option {name} has no default"
            assert option.description, f"the option {name} has no description"

    def test_an_unknown_option_is_refused(self) -> None:
        with pytest.raises(InvalidSettings):
            validate(self.importer.Options, {"no_such_option": 1})

    def test_it_takes_its_source_and_nothing_that_is_not_there(self, source: Path) -> None:
        assert self.importer.takes(source)
        assert not self.importer.takes(source.with_name("is-not-there"))

    def test_it_finds_every_file_once_by_its_name(self, source: Path, tmp_path: Path) -> None:
        found = [file for file in self.found(source, tmp_path / "scratch") if isinstance(file, Found)]
        assert sorted(file.name for file in found) == sorted(self.names)

    def test_a_name_is_relative_and_leaves_no_folder(self, source: Path, tmp_path: Path) -> None:
        for file in self.found(source, tmp_path / "scratch"):
            parts = PurePosixPath(file.name).parts
            assert parts, "a file without a name"
            assert isinstance(file, Refused) or not {"/", ".."} & set(parts)

    def test_what_it_finds_lies_in_the_source_or_in_the_folder_for_what_is_unpacked(
        self, source: Path, tmp_path: Path
    ) -> None:
        scratch, below = tmp_path / "scratch", source if source.is_dir() else source.parent
        for file in self.found(source, scratch):
            if isinstance(file, Found):
                assert file.path.is_file()
                assert not file.path.is_symlink()
                real = file.path.resolve()
                assert real.is_relative_to(below.resolve()) or real.is_relative_to(scratch.resolve())

    def test_the_order_is_always_the_same(self, source: Path, tmp_path: Path) -> None:
        first, second = (self.found(source, tmp_path / name) for name in ("first", "second"))
        assert [file.name for file in first] == [file.name for file in second]

    def test_the_source_is_left_as_it_is_and_nothing_is_written_beside_it(self, source: Path, tmp_path: Path) -> None:
        before = _contents(tmp_path)
        self.found(source, tmp_path / "scratch")
        after = {path: content for path, content in _contents(tmp_path).items() if "scratch" not in path.parts}
        assert after == before

    def test_a_source_that_is_garbage_is_refused_or_holds_nothing(self, source: Path, tmp_path: Path) -> None:
        if source.is_dir():
            pytest.skip("it is a folder")
        source.write_bytes(b"\0garbage" * 99)
        said = "nothing"
        try:
            found = self.found(source, tmp_path / "scratch")
        except ConfigError as error:
            said, found = str(error), []
        assert said.strip()
        assert all(isinstance(file, Refused) or file.path == source for file in found)


def _contents(folder: Path) -> dict[Path, bytes]:
    files = [path for path in folder.rglob("*") if path.is_file()]
    return {path.relative_to(folder): path.read_bytes() for path in files}
