"""What every sink that keeps a dataset in a folder shares: markers, the ledger, assets, and whose folder it is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from tonesmith.errors import DatasetError, OtherPlanError, PathTakenError
from tonesmith.host.roles import Options, Sink
from tonesmith.sinks.base import claims, records
from tonesmith.sinks.base.files import telling
from tonesmith.sinks.base.records import SIDE, SIDES

if TYPE_CHECKING:
    from tonesmith.plan.rejection import Rejection

O = TypeVar("O", bound=Options)  # noqa: E741 - the options type of a plugin


class FolderSink(Sink[O]):
    """Stores what lies beside the columns; a subclass stores those."""

    def committed(self) -> Mapping[int, int]:
        """Return block index -> number of its rows, for each block that is stored."""
        return {block: marker.rows for block, marker in records.committed(self.path).items()}

    def add_asset(self, content: bytes) -> str:
        """Store a content under its SHA-256, and return that."""
        with telling(f"an asset to {self.path}", self.path):
            return records.write_asset(self.path, content)

    def record_fault(self, rejection: Rejection) -> None:
        """Store at once that a candidate crashed or timed out."""
        with telling(f"the fault of patch {rejection.patch} to {self.path}", self.path):
            records.write_fault(self.path, rejection)

    def faults(self) -> Sequence[Rejection]:
        """Return what :meth:`record_fault` stored, by patch and attempt."""
        return records.faults(self.path)

    @property
    def _is_free(self) -> bool:
        """Whether nothing is at the path that a dataset could not be made around.

        To be asked before the dataset that may be there is looked for: another run may make it meanwhile.
        """
        return not self.path.exists() or _is_untouched(self.path)

    def _check_place(self, difference: str | None, free: bool, rows: int, block_rows: int, there: int = 0) -> None:
        """Raise :class:`DatasetError` unless a dataset of so many rows may be made, or grow, at the path.

        Args:
            difference: in what the dataset that is there is of another form, "" for in nothing; None if there is none.
            free: whether the place was, before a dataset was looked for.
            rows: of the plan.
            block_rows: of a full block.
            there: rows of the plan of the dataset that is there; it stores no others, so no block is looked for where
                that is to grow.
        """
        if difference:
            raise DatasetError(f"{self.path} holds a dataset stored differently: {difference}.")
        if difference is None:
            if not free:
                raise PathTakenError(f"{self.path} exists and is not a tonesmith dataset. Choose another path.")
            return
        if rows >= there > 0:
            return
        last = max((block * block_rows + count for block, count in self.committed().items()), default=0)
        if last > rows:
            raise DatasetError(f"{self.path} already holds {last} rows and cannot shrink to {rows}.")

    def _claim(self, folder: Path, attributes: Mapping[str, Any]) -> None:
        """Make a folder that of a plan's dataset. Raise :class:`OtherPlanError` if another plan's run was faster."""
        plan = attributes.get("fingerprint")
        if (
            isinstance(plan, str)
            and records.is_asset_name(plan)
            and not claims.claim(folder, plan, alone=folder != self.path)
        ):
            raise OtherPlanError(
                f"another run has begun a dataset of another plan at {self.path}. Name another path; or, if that run "
                f"is long gone and left nothing, delete {folder / SIDE} and run the command again."
            )


def _is_untouched(path: Path) -> bool:
    """Return whether a folder is empty, or holds no more than a first creation that was cut short at once."""
    if not path.is_dir():
        return False
    if {entry.name for entry in path.iterdir()} - {SIDE}:
        return False
    side = path / SIDE
    return not side.exists() or (side.is_dir() and {entry.name for entry in side.iterdir()} <= set(SIDES))
