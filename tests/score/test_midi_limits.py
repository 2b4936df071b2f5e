"""No MIDI file takes more than 5 s of a processor or 500 MB, however it is made: each is read in a child process."""

from __future__ import annotations

import subprocess
import sys
import timeit
from pathlib import Path

import pytest
from support.midi_files import AWKWARD, REFUSED, midi, track

from tonesmith.score.chunks import LARGEST

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="peak memory is read from /proc")

USUAL = 250e-6
"""Seconds that the loop takes on a usual machine: a slower one is given more."""
SECONDS, MEGABYTES = 5.0 * max(1.0, min(timeit.repeat(lambda: sum(range(10_000)), number=100)) / 100 / USUAL), 500.0

READ = """
import re, sys, time
from tonesmith.errors import ScoreError
from tonesmith.score.reader import read_midi

for path in sys.argv[1:]:
    began = time.process_time()
    try:
        read_midi(path)
    except ScoreError:
        pass
    peak = re.search(r"VmHWM:\\s+(\\d+)", open("/proc/self/status").read())[1]  # that of getrusage is of the parent too
    print(time.process_time() - began, int(peak) / 1024, path)
"""

EVENTS = {
    "notes": b"\x00\x90\x3c\x40\x01\x90\x3c\x00",
    "notes with running status": b"\x90" + b"\x00\x3c\x40\x01\x3c\x00" * 1000,
    "chords": b"\x00\x90\x3c\x40" + b"\x00\x40\x40\x00\x43\x40" + b"\x01\x3c\x00\x00\x40\x00\x00\x43\x00",
    "notes that nothing ends": b"\x00\x90\x3c\x40\x00\x90\x3d\x40",
    "controllers": b"\x00\xb0\x07\x40\x01\xb0\x07\x41",
    "bends": b"\x00\xe0\x00\x40\x01\xe0\x00\x41",
    "pressures": b"\x00\xd0\x01\x01\xd0\x02",
    "pressures of keys": b"\x00\xa0\x3c\x01\x01\xa0\x3d\x02",
    "texts": b"\x00\xff\x01\x01\x41",
    "texts and notes": b"\x00\xff\x05\x01\x41\x00\x90\x3c\x40\x01\x80\x3c\x00",
    "tempos": b"\x01\xff\x51\x03\x07\xa1\x20\x01\xff\x51\x03\x07\xa1\x21",
    "meters": b"\x01\xff\x58\x04\x04\x02\x18\x08\x01\xff\x58\x04\x03\x02\x18\x08",
    "programs": b"\x00\xc0\x01\x00\x90\x3c\x40\x01\x80\x3c\x00\x00\xc0\x02\x00\x90\x3c\x40\x01\x80\x3c\x00",
    "system exclusive": b"\x00\xf0\x01\xf7",
}


def spent(paths: list[Path]) -> list[tuple[float, float, str]]:
    """Return the CPU seconds and the peak megabytes of reading each file, in one child process."""
    command = [sys.executable, "-c", READ, *map(str, paths)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=True)
    lines = (line.split(" ", 2) for line in done.stdout.splitlines())
    return [(float(seconds), float(megabytes), path) for seconds, megabytes, path in lines]


@pytest.mark.long
@pytest.mark.parametrize("name", EVENTS)
@pytest.mark.parametrize("tracks", [1, 16])
def test_as_many_events_as_a_file_may_hold(name: str, tracks: int, tmp_path: Path) -> None:
    events = EVENTS[name]
    room = (LARGEST - 100 * tracks) // tracks
    whole = [events * (room // len(events)) for _ in range(tracks)]
    path = tmp_path / "large.mid"
    path.write_bytes(midi(*[track(bytes(part)) for part in whole]))

    ((seconds, megabytes, _),) = spent([path])
    assert path.stat().st_size > 0.9 * LARGEST
    assert seconds < SECONDS
    assert megabytes < MEGABYTES


def test_no_file_made_by_hand_takes_long(tmp_path: Path) -> None:
    paths = []
    for number, case in enumerate((*AWKWARD.values(), *REFUSED.values())):
        paths.append(tmp_path / f"{number}.mid")
        paths[-1].write_bytes(case[0])

    found = spent(paths)
    assert len(found) == len(paths)
    assert max(seconds for seconds, _, _ in found) < SECONDS
    assert max(megabytes for _, megabytes, _ in found) < MEGABYTES
