"""What a row of a perturbed preset costs: tonesmith, and the raw engine that loads each preset once.

Both render the same notes of the same variations, in turns, each in processes of its own with one thread. Only
CPU seconds (user and system, of all processes) and their ratio are compared. Needs Linux.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from itertools import groupby
from pathlib import Path
from statistics import median
from typing import Any

from _turns import Contender, Tonesmith, circumstances, copy_of, made, parser_of, ratio, turns

from tonesmith.api import composed
from tonesmith.backends.vita.preset import slot_controls, template_json
from tonesmith.dataset.reader import Dataset
from tonesmith.host.registry import Host
from tonesmith.run.resolve import resolve_plan
from tonesmith.space.patch import Patch


def main() -> None:
    """Compare, and print a table."""
    options = _arguments()
    print(circumstances(options.rounds))
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        dataset = _made(folder / "seen", options)
        copy = copy_of(dataset, folder / "seen", folder / "copy")
        contenders: dict[str, Any] = {
            "one": Tonesmith([copy]),
            "raw": Contender("raw presets", _job(dataset, folder)),
        }
        rounds = turns(contenders, options.rounds)
    rows, presets = len(dataset), len(dataset.presets)
    rejected, candidates = len(dataset.rejections), len(dataset.rejections) + dataset.plan.patches
    print(f"{presets} presets, {rows} rows; {rejected} of {candidates} candidates rejected, in no figure")
    for name, text in (("raw", "raw engine, reused (wrong audio)"), ("one", "tonesmith, 1 worker")):
        spent = 1000 * median(told["cpu"] for told in rounds[name]) / rows
        print(f"  {text:36}{spent:8.1f} CPU ms/row{ratio(rounds, 'raw', name):8.2f} of raw")


def _made(path: Path, options: argparse.Namespace) -> Dataset:
    """Return a dataset made by tonesmith, of so many variations of each preset that can be played."""
    settings = {
        "block": options.variations,
        "sampler": "perturb",
        "presets": {"paths": options.presets},
        "notes": {"pitches": [options.pitch], "hold": options.hold, "tail": options.tail},
    }
    host = Host.load()
    presets = resolve_plan(composed(None, settings, host=host), host).plan.presets
    return made(path, patches=len(presets) * options.variations, **settings)


def _job(dataset: Dataset, folder: Path) -> Path:
    """Return a file with what the raw engine needs: each preset with its variations, and the note."""
    plan = dataset.plan
    patches = [(i, dataset.patch_of(i)) for i in range(len(dataset))]
    groups = [list(group) for _, group in groupby(patches, key=lambda item: item[1].preset)]
    job = {
        "groups": [
            {
                "preset": template_json(group[0][1], dataset.assets_of(group[0][0])),
                "patches": [_controls(patch) for _, patch in group],
            }
            for group in groups
        ],
        "notes": [[n.pitch, n.velocity / 127, n.hold, n.duration] for n in plan.notes.of_patch(plan.seed, 0)],
    }
    path = folder / "job.json"
    path.write_text(json.dumps(job))
    return path


def _controls(patch: Patch) -> dict[str, float]:
    return {**patch.values, **slot_controls(patch.modulations)}


def _arguments() -> argparse.Namespace:
    parser = parser_of(__doc__)
    parser.add_argument("presets", nargs="+", help="files, folders or globs of .vital presets")
    parser.add_argument("--variations", type=int, default=20, help="patches a preset")
    parser.add_argument("--pitch", type=int, default=60)
    return parser.parse_args()


if __name__ == "__main__":
    main()
