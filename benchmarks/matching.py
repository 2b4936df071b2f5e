"""How near `tonesmith match` comes to held-out sounds, beside the nearest row of a dataset.

Makes a dataset of random patches, and matches some of its rows, each without its own patch. Needs Linux and cmaes.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from tonesmith import generate, match, open_dataset


def main() -> None:
    """Match, and print a line for each row, and the medians."""
    options = _arguments()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "d.zarr"
        _make(path, options)
        ds = open_dataset(path)
        print("  row  nearest     best  of nearest  renders", flush=True)
        print(_summary(np.array([_matched(ds, row, options) for row in range(options.targets)])))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--voice", default="", help="Faust voice, such as subtractive; default Vital, tier 1")
    parser.add_argument("--patches", type=int, default=300, help="of the dataset")
    parser.add_argument("--targets", type=int, default=20, help="rows to match")
    parser.add_argument("--renders", type=int, default=500, help="for each")
    parser.add_argument("--sample-rate", type=int, default=44100, help="Hz")
    parser.add_argument("--hold", type=float, default=1.5, help="seconds")
    parser.add_argument("--tail", type=float, default=0.5, help="seconds")
    return parser.parse_args()


def _make(path: Path, options: argparse.Namespace) -> None:
    voice = {"name": "dawdreamer", "instrument": options.voice}
    notes = {"pitches": [60], "hold": options.hold, "tail": options.tail}
    backend: Any = voice if options.voice else {"name": "vita", "tier": 1}
    generate(path, patches=options.patches, backend=backend, sample_rate=options.sample_rate, notes=notes)


def _matched(ds: Any, row: int, options: argparse.Namespace) -> tuple[float, float, float]:
    """Return MSS of the nearest row and of the match in dB, and the seconds that it took."""
    began = time.monotonic()
    found = match(ds[row], ds, renders=options.renders)
    nearest, best = (found.metrics[name]["mss"] for name in ("nearest", "match"))
    print(f"{row:5}{nearest:9.2f}{best:9.2f}{best / nearest:12.2f}{found.trials.done:9}", flush=True)
    return nearest, best, time.monotonic() - began


def _summary(found: Any) -> str:
    nearest, best, seconds = np.median(found, axis=0)
    ratios = found[:, 1] / found[:, 0]
    return (
        f"medians: nearest {nearest:.2f} dB, best {best:.2f} dB, {np.median(ratios):.2f} of the nearest; "
        f"nearer in {int((ratios < 1.0).sum())} of {len(ratios)}; {seconds:.0f} s each"
    )


if __name__ == "__main__":
    main()
