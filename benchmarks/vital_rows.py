"""What a row of Vital costs: tonesmith, the raw engine, and the recipe of the original Vital pipeline.

All three render the same notes of the same patches, in turns, each in processes of its own with one thread.
Only CPU seconds (user and system, of all processes) and ratios of them are compared. Needs Linux.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Mapping
from pathlib import Path
from statistics import median
from typing import Any

from _turns import Contender, Round, Tonesmith, circumstances, copy_of, made, parser_of, ratio, turns

from tonesmith.backends.vita.preset import template_json
from tonesmith.dataset.reader import Dataset

_STORAGE = ("copy", "pack", "digest", "zarr write")


def main() -> None:
    """Compare, and print a table for each tier."""
    options = _arguments()
    print(circumstances(options.rounds))
    print(f"{options.patches} patches x pitches {options.pitches}, {options.hold} s held + {options.tail} s")
    for tier in options.tiers:
        with tempfile.TemporaryDirectory() as folder:
            _report(tier, *_measured(Path(folder), tier, options))


def _measured(folder: Path, tier: int, options: argparse.Namespace) -> tuple[Dataset, dict[str, list[Round]], float]:
    """Return the dataset that all compare on, the rounds of each contender, and CPU seconds of start-up."""
    notes = {"pitches": options.pitches, "hold": options.hold, "tail": options.tail}
    backend = {"name": "vita", "tier": tier}
    dataset = made(folder / "seen", patches=options.patches, backend=backend, notes=notes)
    copies = [copy_of(dataset, folder / "seen", folder / f"copy-{i}") for i in range(3)]
    job = _job(dataset, folder)
    kinds: dict[str, Any] = {
        "one": Tonesmith(copies[:1]),
        "two": Tonesmith(copies[1:]),
        **{kind: Contender(kind, job) for kind in ("raw", "recipe", "parts")},
    }
    rounds = turns(kinds, options.rounds)
    start_up = kinds["one"].first - median(told["cpu"] for told in rounds["one"])
    return dataset, rounds, start_up


def _job(dataset: Dataset, folder: Path) -> Path:
    """Return a file with what the other contenders need: the same patches, notes and template."""
    plan = dataset.plan
    first = [i * plan.notes.per_patch for i in range(plan.patches)]
    patches = [dataset.patch_of(i) for i in first]
    job = {
        "folder": str(folder),
        "dataset": str(folder / "seen"),
        "patches": [dict(patch.values) for patch in patches],
        "notes": [[n.pitch, n.velocity / 127, n.hold, n.duration] for n in plan.notes.of_patch(plan.seed, 0)],
        "init": template_json(patches[0], dataset.assets_of(0)),
        "channels": plan.audio.channels,
        "frames": plan.audio.frames,
    }
    path = folder / "job.json"
    path.write_text(json.dumps(job))
    return path


def _report(tier: int, dataset: Dataset, rounds: Mapping[str, list[Round]], start_up: float) -> None:
    rows, rejected = len(dataset), len(dataset.rejections)
    spent = {name: 1000 * median(told["cpu"] for told in told_of) / rows for name, told_of in rounds.items()}
    spent["two"] /= 2
    print(f"\nTier {tier}: {rows} rows; {rejected} rejected candidates are not part of any figure")
    print(f"  {'':34}{'CPU ms/row':>12}{'rows/CPU-s':>12}{'of raw':>9}")
    for name, text in (
        ("raw", "raw engine, reused (wrong audio)"),
        ("recipe", "recipe (wrong audio)"),
        ("one", "tonesmith, 1 worker"),
        ("two", "tonesmith, 2 workers"),
    ):
        of_raw = ratio(rounds, "raw", name) * (2 if name == "two" else 1)
        print(f"  {text:36}{spent[name]:10.1f}{1000 / spent[name]:12.2f}{of_raw:9.2f}")
    walls = [2 * one["wall"] / two["wall"] for one, two in zip(rounds["one"], rounds["two"], strict=True)]
    print(f"  tonesmith to recipe, per core {ratio(rounds, 'recipe', 'one'):.2f}")
    print(f"  2 workers to 1, wall clock    {median(walls):.2f} (best {max(walls):.2f}; others may use the cores)")
    print(f"  start-up of a worker          {start_up:.1f} CPU s, in no figure above")
    _shares(rows, rounds, spent)


def _shares(rows: int, rounds: Mapping[str, list[Round]], spent: Mapping[str, float]) -> None:
    """Print where the CPU time of a row of tonesmith goes."""
    names = [name for name in rounds["parts"][0] if name != "cpu"]
    parts = {name: 1000 * median(told[name] for told in rounds["parts"]) for name in names}
    worker = 1000 * median(told["worker"] for told in rounds["one"]) / rows
    validation = parts["level"] + parts["loudness"]
    storage = sum(parts[name] for name in _STORAGE)
    known = {
        "raw engine": spent["raw"],
        "fork, page copies, engine's messages": spent["one"] - worker - spent["raw"],
        **parts,
        "rest of the worker": worker - sum(parts.values()),
    }
    print(f"  where a row's {spent['one']:.1f} ms go:")
    for name, cost in known.items():
        print(f"    {name:38}{cost:8.2f} ms{100 * cost / spent['one']:7.1f} %")
    print(f"  validation {validation:.2f} + storage {storage:.2f} = {validation + storage:.2f} ms")


def _arguments() -> argparse.Namespace:
    parser = parser_of(__doc__)
    parser.add_argument("--tiers", type=int, nargs="+", default=[1, 2], choices=[1, 2])
    parser.add_argument("--patches", type=int, default=16)
    parser.add_argument("--pitches", type=int, nargs="+", default=[48, 60, 72])
    return parser.parse_args()


if __name__ == "__main__":
    main()
