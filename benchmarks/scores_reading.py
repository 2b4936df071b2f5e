"""What real MIDI files cost to read: against mido and pretty_midi, which read the same files, and whether notes agree.

The files are those of Debian's packages openttd-openmsx, planetblupi-music-midi and mma, or of a folder that is named.
CPU seconds of this process for all of them, in turns.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from statistics import median

from tonesmith.score.files import midi_files
from tonesmith.score.reader import Reading, read_midi

PACKAGES = ("/usr/share/games/openttd", "/usr/share/planetblupi", "/usr/share/games/planetblupi", "/usr/share/mma")
MOST = 100


def reading(folder: Path | None, rounds: int) -> dict[str, float]:
    """Return reader -> CPU seconds for all files; ``files``, and how many of them have the notes of each other reader.

    Args:
        folder: of MIDI files; None for those of the packages.
        rounds: how often each reader has its turn.
    """
    import mido
    import pretty_midi

    places = [folder] if folder else [Path(place) for place in PACKAGES if Path(place).is_dir()]
    if not places:
        raise SystemExit("no MIDI files: install openttd-openmsx, or name a folder with --midi")
    paths = [file.path for file in midi_files(places)][:MOST]
    readers: Mapping[str, Callable[[Path], object]] = {
        "tonesmith": read_midi,
        "mido": lambda path: mido.MidiFile(path, clip=True),
        "pretty_midi": lambda path: pretty_midi.PrettyMIDI(str(path)),
    }
    spent: dict[str, list[float]] = defaultdict(list)
    for number in range(rounds + 1):
        for name, read in readers.items():
            started = time.process_time()
            for path in paths:
                read(path)
            if number:
                spent[name].append(time.process_time() - started)
    ours = [read_midi(path) for path in paths]
    return {
        **{name: median(seconds) for name, seconds in spent.items()},
        "files": len(paths),
        "as mido": sum(
            _struck(mido.MidiFile(path, clip=True)) == _known(of) for path, of in zip(paths, ours, strict=True)
        ),
        "as pretty_midi": sum(
            _onsets(pretty_midi.PrettyMIDI(str(path))) == _heard(of) for path, of in zip(paths, ours, strict=True)
        ),
    }


def table(found: Mapping[str, float]) -> list[str]:
    """Return the lines of the table."""
    head = f"reading {found['files']} files"
    lines = [f"{head:<44}{'seconds':>10}{'times ours':>12}"]
    lines += [
        f"  {name:<42}{found[name]:>10.3f}{found[name] / found['tonesmith']:>12.1f}"
        for name in ("tonesmith", "mido", "pretty_midi")
    ]
    lines += [f"  {'with the notes of ' + name:<42}{found[f'as {name}']:>10.0f}" for name in ("mido", "pretty_midi")]
    return lines


def _struck(file: object) -> int:
    """Return how many notes mido reads: keys that are struck."""
    tracks: Sequence[Sequence[object]] = file.tracks  # type: ignore[attr-defined]
    return sum(
        message.type == "note_on" and message.velocity > 0  # type: ignore[attr-defined]
        for track in tracks
        for message in track
    )


def _known(reading: Reading) -> int:
    return len(reading.score) + reading.never_released


def _onsets(file: object) -> list[tuple[int, int]]:
    """Return pitch and millisecond of each note of pretty_midi, which leaves out those without length."""
    instruments = file.instruments  # type: ignore[attr-defined]
    return sorted((note.pitch, round(1000 * note.start)) for one in instruments for note in one.notes)


def _heard(reading: Reading) -> list[tuple[int, int]]:
    score = reading.score
    long = score.notes["duration"] > 0
    onsets = (1000 * score.onsets[long]).round().astype(int).tolist()
    return sorted(zip(score.notes["pitch"][long].tolist(), onsets, strict=True))
