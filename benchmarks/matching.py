"""How near `tonesmith match` comes to held-out sounds, beside two baselines of the same dataset.

Makes a dataset of random patches, and matches some of its rows, each without its own patch. Needs Linux and cmaes.
The baselines are the row that is nearest by features, the coarse log-mel spectrogram that the search starts from, and
the row that is nearest by MSS, of the 200 that are nearest by features.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tonesmith import generate, match, open_dataset
from tonesmith.analysis.metrics import sound_of
from tonesmith.analysis.metrics.sounds import mss


def main() -> None:
    """Match, and print a line for each row, and the medians."""
    options = _arguments()
    with tempfile.TemporaryDirectory() as folder:
        path = options.dataset or Path(folder) / "d.zarr"
        if not path.exists():
            _make(path, options)
        ds, rows = open_dataset(path), range(options.first, options.first + options.targets)
        print("  row  by features  by MSS    match  renders", flush=True)
        print(_summary(np.array([_matched(ds, row, options) for row in rows])))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--voice", default="", help="Faust voice, such as subtractive; default Vital, tier 1")
    parser.add_argument("--patches", type=int, default=300, help="of the dataset")
    parser.add_argument("--targets", type=int, default=20, help="rows to match")
    parser.add_argument("--first", type=int, default=0, help="the first of them")
    parser.add_argument("--dataset", type=Path, help="kept and used again; default a temporary one")
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


def _matched(ds: Any, row: int, options: argparse.Namespace) -> tuple[float, ...]:
    """Return MSS in dB of the rows nearest by features and by MSS, and of the match, and the seconds."""
    began = time.monotonic()
    found = match(ds[row], ds, renders=options.renders)
    target, featured = (
        sound_of(ds[place].audio, ds.plan.audio.sample_rate) for place in (row, int(found.pool.rows[0]))
    )
    values = (mss(target, featured), *(found.metrics[name]["mss"] for name in ("nearest", "match")))
    print(f"{row:5}{values[0]:13.2f}{values[1]:8.2f}{values[2]:9.2f}{found.trials.done:9}", flush=True)
    return *values, time.monotonic() - began


def _summary(found: NDArray[np.float64]) -> str:
    """Return the medians, and the share of each baseline's distance that is left."""
    best = found[:, 2]
    told = [f"medians: match {np.median(best):.2f} dB, {np.median(found[:, 3]):.0f} s each"]
    for place, name in enumerate(("nearest by features", "nearest by MSS")):
        base = found[:, place]
        told.append(
            f"{name}: {np.median(base):.2f} dB, {np.median(best / base):.2f} of it is left in the median; "
            f"nearer in {int((best < base).sum())} of {len(best)}, at most half in {int((best <= base / 2).sum())}"
        )
    return "\n".join(told)


if __name__ == "__main__":
    main()
