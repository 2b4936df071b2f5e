"""The part of a README that says what is in the dataset."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from tonesmith.card.markdown import code, folded, plain, table
from tonesmith.card.source import CardSource
from tonesmith.dataset.splits import LEFT_OUT, splits_of
from tonesmith.terminal.text import WHOLE, counted

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from tonesmith.dataset.reader import Dataset

_LINES = 100
"""Rows of a table of what may be cut."""

_SPREAD = ("min", "median", "max")

_CREDIT = ("author", "licence", "presets#")


def contents(source: CardSource) -> Iterator[str]:
    """Yield where the patches came from, what was rejected, and how loud what is left is."""
    report = source.report
    yield from ("## What is in it", "")
    origins, rows = report["origins"], max(1, report["rows"])
    yield from capped(
        ("patches from", "rows#", "share#"), [(plain(o), str(n), f"{n / rows:.1%}") for o, n in origins.items()]
    )
    rejections = report["rejections"]
    total = sum(rejections.values())
    if total:
        share = total / (total + report["patches_accepted"])
        were = "was" if total == 1 else "were"
        yield f"{counted(total, 'candidate')} ({share:.1%} of all drawn) {were} rejected and drawn again:"
        yield ""
        listed = [(plain(cause), str(n), f"{n / total:.1%}") for cause, n in rejections.items()]
        yield from capped(("rejected because", "candidates#", "share#"), listed)
    else:
        yield from ("No candidate was rejected.", "")
    levels = [
        (code(name), *(f"{level[key]:.4g}" if key in level else "" for key in _SPREAD), plain(level["unit"]))
        for name, level in report["levels"].items()
    ]
    if levels:
        yield from capped(("measured", "least#", "median#", "most#", "unit"), levels)


def presets(source: CardSource) -> Iterator[str]:
    """Yield which presets the patches were drawn from, and who made them."""
    presets = source.report["presets"]
    if not presets["read"]:
        return
    yield from ("## Presets", "")
    yield (
        f"Patches were drawn from {counted(presets['read'], 'preset')}, of which {presets['used']} "
        f"{'is' if presets['used'] == 1 else 'are'} in the rows. They are other people's work:"
    )
    yield ""
    rows = [
        (
            plain(c["author"] or "an unnamed author", WHOLE),
            plain(c["licence"] or "none stated", WHOLE),
            str(c["presets"]),
        )
        for c in presets["credits"]
    ]
    yield from folded(counted(len(rows), "author and licence", "authors and licences"), _CREDIT, rows)
    unstated = sum(c["presets"] for c in presets["credits"] if not c["licence"])
    if unstated:
        yield (
            f"{counted(unstated, 'preset')} {'states' if unstated == 1 else 'state'} no licence: "
            "ask their authors before you share anything made from them."
        )
    yield (
        "If you share this dataset, keep to these licences and name these authors. "
        f"{code(source.description, WHOLE)} lists each preset by its SHA-256, which is also in the column `preset`."
    )
    yield ""


def splits(source: CardSource) -> Iterator[str]:
    """Yield how many patches and rows each split has."""
    import numpy as np

    dataset = source.dataset
    yield from ("## Splits", "")
    if not dataset.splits:
        yield from ("It is not split. `tonesmith split` keeps all rows of one patch, or of one preset, together.", "")
        return
    patch = dataset.column("patch")
    total = max(1, len(dataset))
    rows = [
        (code(name), str(len(np.unique(patch[of]))), str(len(of)), f"{len(of) / total:.1%}")
        for name, of in _with_left_out(dataset).items()
    ]
    yield from capped(("split", "patches#", "rows#", "share#"), rows)
    split = splits_of(dataset.attributes)
    facts = {name: getattr(split, name, None) for name in ("by", "stratify", "seed")}
    told_facts = ", ".join(f"{name} {code(value)}" for name, value in facts.items() if value not in (None, ""))
    if told_facts:
        yield f"Split {told_facts}."
    if source.sink.divides:
        yield "The rows of a split are in files of their own, whose paths under `data` begin with its name."
    else:
        yield "In tonesmith, `ds.splits` has the rows of each split."
    yield ""


def _with_left_out(dataset: Dataset) -> Mapping[str, NDArray[np.int64]]:
    """Return split -> indices of its rows, and those of rows in no split, if there are such."""
    import numpy as np

    taken = np.concatenate(list(dataset.splits.values()))
    left = np.setdiff1d(np.arange(len(dataset)), taken)
    return {**dataset.splits, **({LEFT_OUT: left} if len(left) else {})}


def capped(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Yield a table of not too many rows, and a blank line."""
    yield from table(heads, rows[:_LINES])
    if len(rows) > _LINES:
        yield from ("", f"and {len(rows) - _LINES} more.")
    yield ""
