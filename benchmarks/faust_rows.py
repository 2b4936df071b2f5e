"""What a row of a Faust voice costs: tonesmith, and DawDreamer alone.

Both render the same notes of the same patches, in turns, each in processes of its own with one thread.
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

from tonesmith.backends.dawdreamer import SOURCE, VOICES
from tonesmith.backends.dawdreamer.faust import FaustVoice
from tonesmith.dataset.reader import Dataset

_STORAGE = ("copy", "pack", "digest", "zarr write")


def main() -> None:
    """Compare, and print a table."""
    options = _arguments()
    print(circumstances(options.rounds))
    print(f"{options.patches} patches x pitches {options.pitches}, {options.hold} s held + {options.tail} s")
    print(f"CPU ms a row {'raw':>9}{'tonesmith':>11}{'of raw':>8}   of which checks, storage")
    for voice in options.voices:
        with tempfile.TemporaryDirectory() as folder:
            _report(voice, *_measured(Path(folder), voice, options))


def _measured(folder: Path, voice: str, options: argparse.Namespace) -> tuple[int, dict[str, list[Round]]]:
    """Return the number of rows that both make in a round, and the rounds of each."""
    notes = {"pitches": options.pitches, "hold": options.hold, "tail": options.tail}
    backend = {"name": "dawdreamer", "instrument": voice}
    dataset = made(folder / "seen", patches=options.patches, backend=backend, notes=notes)
    copy = copy_of(dataset, folder / "seen", folder / "copy")
    job = _job(dataset, folder)
    kinds: dict[str, Any] = {
        "tonesmith": Tonesmith([copy]),
        "raw": Contender("raw faust", job),
        "parts": Contender("parts", job),
    }
    return len(dataset), turns(kinds, options.rounds)


def _job(dataset: Dataset, folder: Path) -> Path:
    """Return a file with what the other contenders need: the same patches and notes, and the program."""
    plan = dataset.plan
    source = dataset.storage.asset(plan.space.assets[SOURCE]).decode()
    dials = FaustVoice(source, plan.audio.sample_rate).dials
    patches = [dataset.patch_of(i * plan.notes.per_patch) for i in range(plan.patches)]
    job = {
        "folder": str(folder),
        "dataset": str(folder / "seen"),
        "source": source,
        "sample_rate": plan.audio.sample_rate,
        "patches": [[(dial.index, dial.sent(patch.values[name])) for name, dial in dials.items()] for patch in patches],
        "notes": [[n.pitch, n.velocity, n.hold, n.duration] for n in plan.notes.of_patch(plan.seed, 0)],
    }
    path = folder / "job.json"
    path.write_text(json.dumps(job))
    return path


def _report(voice: str, rows: int, rounds: Mapping[str, list[Round]]) -> None:
    spent = {name: 1000 * median(told["cpu"] for told in told_of) / rows for name, told_of in rounds.items()}
    parts = {name: 1000 * median(told[name] for told in rounds["parts"]) for name in rounds["parts"][0]}
    checks, storage = parts["level"] + parts["loudness"], sum(parts[name] for name in _STORAGE)
    print(
        f"{voice:13}{spent['raw']:9.2f}{spent['tonesmith']:11.2f}{ratio(rounds, 'raw', 'tonesmith'):8.2f}"
        f"   {checks:.2f}, {storage:.2f}"
    )


def _arguments() -> argparse.Namespace:
    parser = parser_of(__doc__)
    parser.add_argument("--voices", nargs="+", default=list(VOICES), choices=VOICES)
    parser.add_argument("--patches", type=int, default=32)
    parser.add_argument("--pitches", type=int, nargs="+", default=[48, 60, 72])
    return parser.parse_args()


if __name__ == "__main__":
    main()
