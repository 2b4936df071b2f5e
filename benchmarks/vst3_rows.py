"""What a row of a VST3 plugin costs: tonesmith, the raw plugin, pedalboard as documented, and synth-permutations.

All render the same notes of the same patches, in turns, each in processes of its own with one thread. Only CPU seconds
(user and system, of all processes) and ratios of them are compared. A contender that its plugin kills is left out.
Without ``--plugin`` it is the instrument of tests/vst3, compiled here; with TONESMITH_SURGE_XT set, Surge XT as well.
Needs Linux.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from _turns import Contender, Round, Tonesmith, circumstances, copy_of, made, parser_of, ratio, turns

from tonesmith.backends.vst3 import Vst3Backend, Vst3Options
from tonesmith.dataset.reader import Dataset

_TESTS = Path(__file__).parents[1] / "tests"
_KINDS = ("vst3 raw", "vst3 documented", "vst3 recipe")
_RECIPE_PATCHES = 6
"""Of the recipe, which takes seconds for each."""


@dataclass(frozen=True)
class Case:
    """A plugin, the spec that goes with it, and seconds that a note is held and rendered after."""

    title: str
    plugin: str
    spec: str
    hold: float
    tail: float


def main() -> None:
    """Compare, and print a table for each plugin."""
    options = _arguments()
    print(circumstances(options.rounds))
    with tempfile.TemporaryDirectory() as folder:
        for number, case in enumerate(_cases(options, Path(folder))):
            _compare(case, Path(folder) / str(number), options)


def _cases(options: argparse.Namespace, folder: Path) -> Iterator[Case]:
    if options.plugin:
        yield Case(Path(options.plugin).stem, options.plugin, options.spec, options.hold, options.tail)
        return
    sys.path.insert(0, str(_TESTS))
    from support.vst3.build import built

    yield Case("the instrument of tests/vst3", str(built(folder, "TinySynth")), "", options.hold, options.tail)
    if surge := os.environ.get("TONESMITH_SURGE_XT"):
        yield Case("Surge XT", surge, "surge_xt", 3.0, 1.0)
    else:
        print("Surge XT is left out: TONESMITH_SURGE_XT names no plugin")


def _compare(case: Case, folder: Path, options: argparse.Namespace) -> None:
    folder.mkdir()
    backend = {"name": "vst3", "plugin": case.plugin, "spec": case.spec}
    notes = {"pitches": [60], "hold": case.hold, "tail": case.tail}
    dataset = made(folder / "seen", patches=options.patches, backend=backend, notes=notes)
    copies = [copy_of(dataset, folder / "seen", folder / f"copy-{i}") for i in range(3)]
    many, few = _job(case, dataset, folder, options.patches), _job(case, dataset, folder, _RECIPE_PATCHES)
    kinds: dict[str, Any] = {
        "one": Tonesmith(copies[:1]),
        "two": Tonesmith(copies[1:]),
        **{kind: Contender(kind, few if kind == "vst3 recipe" else many) for kind in _KINDS},
        "parts": Contender("parts", many),
    }
    rounds = turns(kinds, options.rounds, optional=_KINDS)
    start_up = kinds["one"].first - median(told["cpu"] for told in rounds["one"])
    _report(case, dataset, rounds, start_up)


def _job(case: Case, dataset: Dataset, folder: Path, patches: int) -> Path:
    """Return a file with what the other contenders need: the same patches as raw values, notes and preset."""
    plan = dataset.plan
    synth = Vst3Backend(Vst3Options(plugin=case.plugin, spec=case.spec), plan.audio.sample_rate)
    preset = folder / "initial.vstpreset"
    preset.write_bytes(synth._plugin.preset())
    count = min(patches, len(dataset))
    job = {
        "folder": str(folder),
        "dataset": str(folder / "seen"),
        "plugin": case.plugin,
        "preset": str(preset),
        "sample_rate": plan.audio.sample_rate,
        "raws": [synth._raws(dataset.patch_of(row)) for row in range(count)],
        "notes": [[n.pitch, n.velocity, n.hold, n.tail] for n in plan.notes.of_patch(plan.seed, 0)],
    }
    path = folder / f"job-{patches}.json"
    path.write_text(json.dumps(job))
    return path


def _report(case: Case, dataset: Dataset, rounds: Mapping[str, list[Round]], start_up: float) -> None:
    rows, rejected = len(dataset), len(dataset.rejections)
    few = min(rows, _RECIPE_PATCHES)
    counts = {"two": 2 * rows, "vst3 recipe": few}
    spent = {
        name: 1000 * median(told["cpu"] for told in told_of) / counts.get(name, rows)
        for name, told_of in rounds.items()
    }
    print(f"\n{case.title}, {case.hold} s held + {case.tail} s: {rows} rows; {rejected} rejected are in no figure")
    print(f"  {'':44}{'CPU ms/row':>12}{'of documented':>15}")
    for name, text in (
        ("vst3 raw", "raw, set by index, no reset (wrong audio)"),
        ("vst3 documented", "pedalboard as documented"),
        ("vst3 recipe", "recipe of synth-permutations (wrong audio)"),
        ("one", "tonesmith, 1 worker"),
        ("two", "tonesmith, 2 workers"),
    ):
        own, documented = spent.get(name), spent.get("vst3 documented")
        print(f"  {text:44}{_shown(own):>12}{_shown(documented and own and documented / own):>15}")
    if "vst3 raw" in rounds:
        print(f"  tonesmith to the raw plugin, per core  {ratio(rounds, 'vst3 raw', 'one'):.2f}")
    if "vst3 recipe" in rounds:
        recipe = ratio(rounds, "vst3 recipe", "one") * rows / few
        print(f"  tonesmith to the recipe, per core      {recipe:.1f}")
    print(f"  start-up of a worker                   {start_up:.1f} CPU s, in no figure above")
    parts = {
        name: 1000 * median(told[name] for told in rounds["parts"]) for name in rounds["parts"][0] if name != "cpu"
    }
    shown = ", ".join(f"{name} {cost:.2f}" for name, cost in parts.items())
    worker = 1000 * median(told["worker"] for told in rounds["one"]) / rows
    print(f"  of tonesmith's: worker {worker:.2f} ({shown}); engine and forks {spent['one'] - worker:.2f}")


def _shown(figure: float | None) -> str:
    return "died" if figure is None else f"{figure:.2f}"


def _arguments() -> argparse.Namespace:
    parser = parser_of(__doc__)
    parser.add_argument("--plugin", default="", help="path of a .vst3 bundle")
    parser.add_argument("--spec", default="", help="its spec")
    parser.add_argument("--patches", type=int, default=48)
    return parser.parse_args()


if __name__ == "__main__":
    main()
