"""Whose dataset is at a path: the plan of the run that began it, and of no other."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from tonesmith.buckets.address import BucketPath
from tonesmith.errors import OtherPlanError
from tonesmith.sinks.base.files import flush, folder_aside, place_folder
from tonesmith.sinks.base.listing import listed
from tonesmith.sinks.base.records import SHA256, SIDE

if TYPE_CHECKING:
    from tonesmith.plan.block import Block


def claim(path: Path, plan: str, *, alone: bool = False) -> bool:
    """Let a dataset be that of a plan if it is of none yet, in one step that only one of several runs can take.

    Args:
        path: of the dataset, or of the folder in which it is made.
        plan: fingerprint of the plan.
        alone: whether nobody else knows the folder yet.

    Returns whether the dataset is of that plan.
    """
    if isinstance(path, BucketPath):
        return _claim_in_bucket(path, plan)
    known = plans(path)
    if not known and not alone:
        with folder_aside(path / SIDE / "aside") as folder:
            (folder / plan).touch()
            placed = place_folder(folder, path / SIDE / "plan")
        known = {plan} if placed else plans(path)
    if not known:  # or there is a folder that names no plan: of a dataset that was made without a fingerprint
        (path / SIDE / "plan").mkdir(exist_ok=True)
        (path / SIDE / "plan" / plan).touch()
        flush(path / SIDE / "plan")
    return plan in (known or {plan})


def _claim_in_bucket(path: BucketPath, plan: str) -> bool:
    """Let a dataset be that of a plan, without the one step that only one run can take, which buckets do not have.

    Who finds another plan beside its own takes its own back: of two runs at one moment, one goes on, or none.
    """
    if known := plans(path):
        return plan in known
    mine = path / SIDE / "plan" / plan
    mine.write_bytes(b"")
    if plans(path) == {plan}:
        return True
    mine.unlink()
    return False


def plans(path: Path) -> set[str]:
    """Return the fingerprints that a dataset's plan has: one, or none for a dataset of an earlier version."""
    return set(filter(SHA256.fullmatch, listed(path / SIDE / "plan")))


def check_plan(path: Path, block: Block) -> None:
    """Raise :class:`OtherPlanError` for a block of another plan than the dataset's, as far as both are known."""
    known = plans(path)
    if block.plan and known and block.plan not in known:
        raise OtherPlanError(
            f"block {block.index} is of the plan {block.plan[:12]}, and {path} is a dataset of the plan "
            f"{min(known)[:12]}. Name another path."
        )
