"""A dataset that is being looked at: opened, with its rows, its rejects and its marks."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from tonesmith.dataset.opening import open_dataset
from tonesmith.dataset.reader import Dataset
from tonesmith.host.registry import Host
from tonesmith.preview.exporting import Exporter
from tonesmith.preview.lists.rejects import RejectSource
from tonesmith.preview.lists.rows import RowSource, check_there
from tonesmith.preview.marks import Marks, marks_path


@dataclass(frozen=True)
class Session:
    """What is looked at.

    Attributes:
        path: of the dataset.
        dataset: as it was when it was opened.
        marks: what a person said of its rows.
        folder: that exports go to.
        trust: whether to load what its plan names though this user has not used it.
    """

    path: Path
    dataset: Dataset
    marks: Marks
    folder: Path
    trust: bool = False

    @classmethod
    def open(cls, path: Path, folder: Path | None = None, *, trust: bool = False) -> Session:
        """Open the dataset at a path, and the marks beside it.

        Args:
            path: of the dataset, which may be in a bucket.
            folder: that exports go to. [default: NAME.export in the current folder]
            trust: whether to load what its plan names though this user has not used it.

        Raises :class:`DatasetError` if there is none, or it or the marks are damaged.
        """
        dataset = open_dataset(path)
        whole = path.resolve()
        marks = Marks(marks_path(whole), dataset.plan.fingerprint)
        return cls(path, dataset, marks, folder or Path(f"{whole.stem}.export"), trust)

    @cached_property
    def rows(self) -> RowSource:
        """Its rows."""
        return RowSource(self.dataset, self.marks)

    @cached_property
    def rejects(self) -> RejectSource:
        """Its reject ledger, which is read when it is first asked for."""
        return RejectSource(self.dataset)

    @cached_property
    def exporter(self) -> Exporter:
        """What writes rows as files."""
        return Exporter(self.dataset, self.path.stem, Host.load(), trust=self.trust)

    def again(self) -> Session:
        """Return the session with all rows that there are by now. Raises as :meth:`open` does."""
        return Session(self.path, open_dataset(self.path), self.marks, self.folder, self.trust)

    def grown(self) -> int:
        """Return how many rows there are by now that are not shown.

        Raises :class:`DatasetNotFoundError` if the dataset was moved or deleted.
        """
        check_there(self.dataset)
        return max(0, sum(open_dataset(self.path).committed.values()) - sum(self.dataset.committed.values()))
