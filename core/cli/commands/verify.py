"""``tonesmith verify``: check that a dataset is as it was written."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Set
from dataclasses import asdict, dataclass
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tonesmith.cli.options import Json, Quiet, Trust
from tonesmith.host.registry import Host
from tonesmith.terminal.messages import echo
from tonesmith.terminal.text import counted, json_text, one_line

if TYPE_CHECKING:
    from tonesmith.dataset.promise import Promise
    from tonesmith.dataset.reader import Dataset
    from tonesmith.dataset.verify import Damage
    from tonesmith.dataset.verify_features import FeatureCheck

_SHOWN = 20
_LONGEST = 1000
"""Characters that are shown of what is wrong with a row."""


def verify(
    dataset: Annotated[Path, typer.Argument(metavar="DATASET", help="Path of the dataset.")],
    render: Annotated[
        int,
        typer.Option(
            "--render", min=0, metavar="N", help="Number of rows to render again and compare, sample by sample."
        ),
    ] = 0,
    features: Annotated[
        int,
        typer.Option(
            "--features",
            min=0,
            metavar="N",
            help="Number of rows to compute features of again and compare, if it has some.",
        ),
    ] = 8,
    trust: Trust = False,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Check every stored byte against its digest and, with --render, the audio against its labels.

    With --render, says what the plan promises and what was measured of the synth.
    Lists the rows that differ, and exits with 1 if there are any.
    """
    from tonesmith.buckets.address import afresh
    from tonesmith.dataset.installed import installed
    from tonesmith.dataset.items import refuse_live
    from tonesmith.dataset.opening import open_dataset
    from tonesmith.dataset.promise import promise_of
    from tonesmith.dataset.verify import check_integrity, check_renders, rows_to_render
    from tonesmith.host.trust import check_trusted
    from tonesmith.terminal.progress import progress

    opened = open_dataset(afresh(dataset))
    refuse_live(opened, dataset, f"Check its files: tonesmith corpus check {dataset} --deep")
    if render:  # said before hours are spent on reading
        host = Host.load()
        check_trusted(installed(opened, dataset, host, ("backend",)).plan, host, trust=trust)
    rows = rows_to_render(opened, render)
    with progress(f"reading {dataset.name}", hidden=quiet) as read:
        read.begin(len(opened))
        damage = list(check_integrity(opened, read.advance))
    unreadable = {found.row for found in damage}
    sound = [row for row in rows if row not in unreadable]
    if sound:
        with progress(f"rendering {dataset.name}", hidden=quiet) as rendered:
            rendered.begin(len(sound))
            damage += check_renders(opened, sound, dataset, Host.load(), rendered.advance, trust=trust)
    checked = _features_of(opened, features, unreadable, quiet=quiet, trust=trust)
    damage += checked.damage if checked else []
    items = opened.plan.items is not None
    found = _Found(
        dataset, len(opened), opened.plan.rows, len(sound), promise_of(opened), tuple(damage), checked, items
    )
    if as_json:
        echo(json_text({**found.to_json(), "complete": opened.complete, "digest": opened.digest}))
    else:
        echo("\n".join(_lines(found)))
    if damage:
        raise typer.Exit(1)


def _features_of(opened: Dataset, count: int, unreadable: Set[int], *, quiet: bool, trust: bool) -> FeatureCheck | None:
    """Return what a check of the features came to; None if the dataset has none."""
    from tonesmith.dataset.added import Added
    from tonesmith.dataset.verify import rows_to_render
    from tonesmith.dataset.verify_features import check_features
    from tonesmith.terminal.progress import progress

    if not opened.features and not Added(opened.storage.path).faults:
        return None
    rows = [row for row in rows_to_render(opened, count) if row not in unreadable]
    with progress("computing features", hidden=quiet) as computed:
        computed.begin(len(rows))
        return check_features(opened, rows, Host.load(), computed.advance, skip=unreadable, trust=trust)


@dataclass(frozen=True, slots=True)
class _Found:
    """What was promised, and what was found."""

    path: Path
    rows: int
    planned: int
    rendered: int
    promise: Promise
    damaged: tuple[Damage, ...]
    features: FeatureCheck | None = None
    items: bool = False

    @property
    def differing(self) -> int:
        """Rows that did not sound as they did."""
        return sum(item.what == "render" for item in self.damaged)

    @property
    def repeats(self) -> bool | None:
        """Whether rows sound the same in any process, as far as is known."""
        return self.promise.repeats(differing=self.differing > 0)

    def to_json(self) -> dict[str, Any]:
        return {
            "path": str(self.path),
            "rows": self.rows,
            "rows_planned": self.planned,
            "rendered": self.rendered,
            "equal": self.rendered - self.differing,
            "promised": self.promise.promised,
            "measured": self.promise.measured or None,
            "held": list(self.promise.held),
            "repeats": self.repeats,
            "damaged": [asdict(item) for item in self.damaged],
            **({"features": self.features.to_json()} if self.features else {}),
        }


def _lines(found: _Found) -> Iterable[str]:
    path, rows, planned, damage = found.path, found.rows, found.planned, found.damaged
    missing = f" ({planned - rows:,} of the plan's {planned:,} are not rendered yet)" if rows < planned else ""
    bad = {item.row for item in damage if item.what not in {"render", "feature"} and item.row >= 0}
    yield f"{path}: {counted(rows, 'row')}{missing}"
    yield f"  stored    {rows - len(bad):,} of {rows:,} rows are as they were written"
    if found.items:
        yield "  rendered  nothing: the rows are items of a corpus, and no synth made them"
    if found.rendered:
        yield from _promise_lines(found)
    if found.features is not None:
        yield from _feature_lines(found.features)
    listed = list(_damaged(damage))
    yield from (f"  {line}" for line in listed[:_SHOWN])
    if len(listed) > _SHOWN:
        yield f"  and {len(listed) - _SHOWN} more; --json lists all"
    yield from (f"  {cure}" for cure in dict.fromkeys(item.cure for item in damage if item.cure))


def _feature_lines(checked: FeatureCheck) -> Iterable[str]:
    """Yield which features were computed again, and which could not be."""
    wrong = {item.row for item in checked.damage if item.row >= 0}
    if checked.compared:
        names = one_line(", ".join(checked.compared), _LONGEST)
        rows = f"{checked.rows - len(wrong):,} of {counted(checked.rows, 'row')}" if checked.rows else "no row"
        yield f"  features  {names}: as computed again in {rows}"
    yield from (f"  not computed: {name}: {one_line(why, _LONGEST)}" for name, why in checked.left_out.items())


def _promise_lines(found: _Found) -> Iterable[str]:
    """Yield what the plan promises, what was measured before, and what was found now."""
    from tonesmith.dataset.promise import MEANING
    from tonesmith.pinning.start import holdable
    from tonesmith.terminal.text import joined

    promise, equal = found.promise, found.rendered - found.differing
    once = " this time" if found.repeats is False else ""
    yield f"  promised  {promise.promised}: {MEANING[promise.promised]}"
    if promise.measured:
        yield f"  measured  {promise.measured}, when the synth was first used"
    if promise.measured and promise.held:
        yield f"            {joined(promise.held).capitalize()} were held still."
    lost = [thing for thing in promise.held if thing not in holdable()]
    if lost:
        yield f"            Here {joined(lost)} cannot be held still, so rows may differ."
    yield f"  rendered  {equal:,} of {found.rendered:,} rows sound as they did, bit for bit{once}"
    if found.repeats is False and not lost:
        yield "            The synth does not repeat its bits: rows may differ in another process."


def _damaged(damage: Iterable[Damage]) -> Iterator[str]:
    """Yield a line for each damage: one for all rows of a block that have the same, if they follow one another."""
    for (block, what, detail), items in groupby(damage, lambda item: (item.block, item.what, item.detail)):
        rows, shown = [item.row for item in items], one_line(detail, _LONGEST)
        if block < 0 and rows[0] < 0:
            yield from [("" if what == "beside" else f"{what}: ") + shown] * len(rows)
        elif len(rows) == 1:
            yield f"row {rows[0]} (block {block}): {what}: {shown}".removesuffix(": ")
        else:
            yield f"block {block} (rows {_rows(rows)}): {shown or what}"


def _rows(rows: list[int]) -> str:
    if rows == list(range(rows[0], rows[-1] + 1)):
        return f"{rows[0]}-{rows[-1]}"
    return ", ".join(map(str, rows[:_SHOWN])) + (" and more" if len(rows) > _SHOWN else "")
