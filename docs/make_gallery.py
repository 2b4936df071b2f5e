"""Makes the pictures of docs/gallery.md: what commands show in a terminal of 80 columns, and what they draw.

::

    python docs/make_gallery.py           # all of them, in two minutes
    python docs/make_gallery.py errors    # those whose name has the word

Each picture is the output of the commands beside it, in a folder of their own; nothing is touched up.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from making.terminal import drawn, typed

IMAGES = Path(__file__).parent / "images"
GENERATE = "tonesmith generate -n 48 --backend dawdreamer --backend.instrument fm fm.zarr"
TERMINALS = {
    "terminal-run": [GENERATE, "tonesmith verify fm.zarr --render 20"],
    "terminal-inspect": ["tonesmith inspect fm.zarr --params"],
    "terminal-errors": [
        "tonesmith generate --backend.teir 2 --backend vita",
        "tonesmith generate -n 0 --notes.pitches 60,200",
        "tonesmith inspect fm.zar",
    ],
    "terminal-doctor": ["tonesmith doctor dawdreamer --quick"],
}
PLOTS = {
    "plot-pitches.png": "tonesmith plot pca fm.zarr --by pitch -o plot-pitches.png --quiet",
    "plot-coverage.png": "tonesmith plot coverage fm.zarr --only op_1 --only op_2 -o plot-coverage.png",
}


CHORDS = "--chords Dm7,G7,Cmaj7,A7 --composer.rhythm updown --phrases.seconds 8"
SCORES = {
    "plot-row.png": [
        f"tonesmith generate -n 6 --backend dawdreamer --backend.instrument fm {CHORDS} chords.zarr --quiet",
        "tonesmith plot row chords.zarr --row 1 -o plot-row.png",
    ],
}


def main(wanted: str) -> None:
    """Make the pictures whose name has a word; all for ""."""
    os.environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        made = False
        for name, commands in TERMINALS.items():
            if wanted in name:
                made = made or name == "terminal-run" or _made(folder)
                lines = [line for command in commands for line in (*typed(command, folder), "")]
                (IMAGES / f"{name}.svg").write_text(drawn(lines[:-1], "tonesmith"), encoding="utf-8")
        for name, command in PLOTS.items():
            if wanted in name:
                made = made or _made(folder)
                subprocess.run(command.split(), cwd=folder, check=True)
                (IMAGES / name).write_bytes((folder / name).read_bytes())
        for name, commands in SCORES.items():
            if wanted in name:
                for command in commands:
                    subprocess.run(command.split(), cwd=folder, check=True)
                (IMAGES / name).write_bytes((folder / name).read_bytes())


def _made(folder: Path) -> bool:
    """Make the dataset that the other commands look at."""
    subprocess.run([*GENERATE.split(), "--quiet"], cwd=folder, check=True, stdout=subprocess.DEVNULL)
    return True


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "")
