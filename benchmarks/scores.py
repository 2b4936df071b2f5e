"""What scores cost: composed by each composer, read from files, and rendered.

composing: scores of 16 bars per second and core of each built-in composer that composes, with their annotations, and of
``tonesmith compose``, which also writes them as MIDI files, in one process. CPU time of this process; no start-up.
reading: real MIDI files, against mido and pretty_midi: see ``scores_reading.py``.
rendering: a phrase of 12 notes, against the bare engine and against its notes alone: see ``scores_rendering.py``.

Needs Linux, and the extra ``bench``; without ``--parts``, it composes.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import Any

from _turns import circumstances
from scores_reading import reading
from scores_reading import table as table_of_reading
from scores_rendering import rendering

from tonesmith.host.registry import Host
from tonesmith.host.roles import Composer
from tonesmith.run.composed import write_scores

BARS: Mapping[str, Mapping[str, Any]] = {
    "dynamics": {"bars": 16},
    "emotion": {"bars": 16},
    "groove": {"bars": 16},
    "harmony": {"bars": 16, "meter": ["4/4"]},
    "melody": {"form": ["AABA"], "phrase_bars": 4},
}
"""Composer -> options with which each score has 16 bars of 4/4."""


def main() -> None:
    """Measure, and print a table for each part."""
    options = _arguments()
    print(circumstances(options.rounds))
    told = {}
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        for part in options.parts:
            told[part] = _PARTS[part](Path(folder), options)
            print("\n".join(["", *_TABLES[part](told[part])]), flush=True)
    if options.json:
        options.json.write_text(json.dumps(told, indent=2))


def compose(folder: Path, options: argparse.Namespace) -> dict[str, dict[str, float]]:
    """Return composer -> scores per CPU second, composed alone and written too."""
    composers = {name: _composer(name, settings) for name, settings in BARS.items()}
    work: dict[tuple[str, str], Callable[[int], object]] = {}
    for name, composer in composers.items():
        _check(composer)
        work[name, "composed"] = lambda _, one=composer: [one.compose(i) for i in range(options.scores)]
        work[name, "written"] = lambda number, one=composer: write_scores(
            one, options.scores, folder / f"{one.name}-{number}", made_by="benchmark"
        )
    spent = _in_turns(work, options.rounds)
    found: dict[str, dict[str, float]] = defaultdict(dict)
    for (name, what), seconds in spent.items():
        found[name][what] = options.scores / seconds
    return dict(found)


def _composer(name: str, settings: Mapping[str, Any]) -> Composer[Any]:
    host = Host.load()
    return host.find("composer", name)(host.options_of("composer", name, settings), 0)


def _check(composer: Composer[Any]) -> None:
    """End the benchmark if a score has not 16 bars: its figure would be of something else."""
    score = composer.compose(0).score
    bars = len(score.bars(score.end))
    if bars != 16:
        raise SystemExit(f"{composer.name} composes {bars} bars, not 16")


def _in_turns(work: Mapping[Any, Callable[[int], object]], rounds: int) -> dict[Any, float]:
    """Return the median CPU seconds of pieces of work that take turns in this process, after one to warm up."""
    spent = defaultdict(list)
    for number in range(rounds + 1):
        for name, do in work.items():
            started = time.process_time()
            do(number)
            if number:
                spent[name].append(time.process_time() - started)
    return {name: median(seconds) for name, seconds in spent.items()}


def _table_of_composing(found: Mapping[str, Mapping[str, float]]) -> list[str]:
    lines = [f"{'composing 16 bars, scores per CPU second':<44}{'composed':>10}{'written':>10}"]
    lines += [f"  {name:<42}{told['composed']:>10.0f}{told['written']:>10.0f}" for name, told in found.items()]
    return lines


def _table_of_rendering(found: Mapping[str, Mapping[str, float]]) -> list[str]:
    lines = [f"{'rendering 12 notes in 4 s, CPU ms':<34}{'ours':>8}{'other':>8}{'ratio':>8}"]
    for name, told in found.items():
        lines.append(f"  {name:<32}{1000 * told['ours']:>8.0f}{1000 * told['other']:>8.0f}{told['ratio']:>8.2f}")
    return lines


_PARTS: Mapping[str, Callable[[Path, argparse.Namespace], Any]] = {
    "composing": compose,
    "reading": lambda _, options: reading(options.midi, options.rounds),
    "rendering": lambda _, options: rendering(options.vst3),
}
_TABLES: Mapping[str, Callable[[Any], list[str]]] = {
    "composing": _table_of_composing,
    "reading": table_of_reading,
    "rendering": _table_of_rendering,
}


def _arguments(words: Sequence[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3, help="how often each piece of work has its turn")
    parser.add_argument("--parts", nargs="+", choices=_PARTS, default=["composing"], help="what to measure")
    parser.add_argument("--midi", type=Path, metavar="FOLDER", help="files to read; default those of Debian's packages")
    parser.add_argument("--vst3", type=Path, metavar="FILE", help="a VST3 instrument to render with")
    parser.add_argument("--scores", type=int, default=200, help="composed in a round")
    parser.add_argument("--folder", type=Path, help="where to write; default the system's temporary folder")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures too")
    return parser.parse_args(words)


if __name__ == "__main__":
    main()
