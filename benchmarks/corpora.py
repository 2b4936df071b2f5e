"""Corpora: how fast 100,000 items are opened, changed and queried, and MIDI files and recordings go through the steps.

The same steps by a script of muspy, pretty_midi and audiomentations run after them, in a process of their own.
"""

from __future__ import annotations

import argparse
import json
import random
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

EMOTIONS = ("happy", "sad", "angry", "tense", "calm", "tender", "fearful", "excited")
ROUNDS = 9
CHILDREN = 10
RATE = 44_100
Took = dict[str, tuple[float, ...]]
"""Step -> wall and CPU seconds."""


def main() -> None:
    """Run the parts that are asked for, and print what they took."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--items", type=int, default=100_000, help="items of the large corpus; 0 leaves it out")
    parser.add_argument("--files", type=int, default=200, help="composed MIDI files; 0 leaves them out")
    parser.add_argument("--folder", type=Path, help="MIDI files of your own, in the place of composed ones")
    parser.add_argument("--sounds", type=int, default=8, help="recordings; 0 leaves them out")
    parser.add_argument("--python", default=sys.executable, help="that has muspy, pretty_midi and audiomentations")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        if asked.items:
            large(Path(name), asked.items)
        files = asked.folder or Path(name) / "files"
        if asked.files and not asked.folder:
            compose(files, asked.files)
        if files.is_dir():
            steps(Path(name), files, asked.python)
        if asked.sounds:
            audio_steps(Path(name), asked.sounds, asked.python)


def large(folder: Path, count: int) -> None:
    """Print what one action takes on a large corpus: the median, and the peak of the process's memory."""
    from tonesmith.corpus import Corpus

    path = folder / "large"
    filled(path, count)
    size = (path / "corpus.sqlite").stat().st_size / 1e6
    print(f"{count:,} items with 13 annotations and three features each, in splits, {size:.0f} MB")
    show("open", lambda: Corpus(path).close())
    with Corpus(path) as corpus:
        names = iter(corpus.find())
        show("one change", lambda: corpus.label(next(names), "benchmark", emotion="sad"))
        show("query: an emotion", lambda: corpus.find(emotion="calm"))
        show("query: a range of tempo", lambda: corpus.find(tempo_bpm=(100.0, 110.0)))
        show("query: both", lambda: corpus.find(emotion="calm", tempo_bpm=(100.0, 110.0)))
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        started = time.perf_counter()
        items = sum(1 for _ in corpus)
        took, peak = time.perf_counter() - started, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        told = f"{items:,} items, {peak / 1024:.0f} MiB in all, {(peak - before) / 1024:.0f} of them for this"
        print(f"  {'read all items':<26} {took:8.1f} s   {told}")


def filled(path: Path, count: int) -> None:
    """Make a corpus whose tables are full, without files."""
    from tonesmith.corpus import Corpus
    from tonesmith.corpus.truth import database

    draw = random.Random(1)  # noqa: S311 - no secret
    with Corpus.new(path) as corpus, database.transaction(corpus.connection):
        for number in range(count):
            name = f"song_{number:06d}-{draw.getrandbits(32):08x}"
            medium = (name, "score", f"raw/midi/{name}.mid", name, name, "", 1000, 10.0, 0, "{}")
            corpus.connection.execute("INSERT INTO items(id, added) VALUES (?, '')", (name,))
            corpus.connection.execute("INSERT INTO media VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", medium)
            told = [(name, label, value) for label, value in annotations(draw)]
            query = "INSERT INTO annotations VALUES (?, ?, 'key', ?, '1', 0.9, 5, 'tonesmith', '', 1)"
            corpus.connection.executemany(query, told)
            corpus.connection.execute("INSERT INTO splits VALUES (?, ?)", (name, draw.choice(("train", "val", "test"))))
            made = [(name, feature, "", "", "", 1000, "") for feature in ("groove", "harmony", "notes")]
            corpus.connection.executemany("INSERT INTO features VALUES (?, ?, ?, ?, ?, ?, ?)", made)


def annotations(draw: random.Random) -> list[tuple[str, Any]]:
    """Return thirteen labels and their values."""
    numbers = {f"number_{place}": draw.random() for place in range(9)}
    named = {"emotion": draw.choice(EMOTIONS), "mode": draw.choice(("major", "minor")), "key": draw.choice("CDEFGAB")}
    return [*named.items(), ("tempo_bpm", round(draw.uniform(60, 180), 1)), *numbers.items()]


def show(what: str, action: Callable[[], object]) -> None:
    """Print the medians of what an action takes, after one that is not counted."""
    took = [tuple(timed({what: action})[what]) for _ in range(ROUNDS + 1)][1:]
    wall, cpu = (sorted(column)[ROUNDS // 2] * 1e3 for column in zip(*took, strict=True))
    print(f"  {what:<26} {wall:8.2f} ms wall {cpu:8.2f} ms CPU")


def steps(folder: Path, files: Path, python: str) -> None:
    """Print wall and CPU of each step, of ours and of a script of other libraries, and the ratios."""
    count = sum(1 for _ in files.glob("*.mid"))
    print(f"{count:,} MIDI files, ms a file: read and added once, key, tempo, swing, chords and dynamics said, numbers")
    print(f"computed, {CHILDREN} variants each, checked; beside muspy + pretty_midi")
    compared(ours_of_midi(files), theirs(python, "midi", files, folder), count)


def audio_steps(folder: Path, count: int, python: str) -> None:
    """Print the same of recordings, each with variants at other pitches, speeds and levels, and with noise."""
    files = folder / "sounds"
    recordings(files, count)
    print(f"{count:,} recordings of 5 s at 44.1 kHz, {CHILDREN} variants each, ms a recording; beside audiomentations")
    compared(ours_of_audio(files), theirs(python, "audio", files, folder), count)


def compared(ours: Took, others: Took, count: int) -> None:
    """Print what each step took, a file, and what all that both have took together."""
    print(f"  {'step':<14}{'wall':>10}{'CPU':>10}{'theirs: wall':>15}{'CPU':>10}{'ratio of CPU':>15}")
    both = [name for name in ours if name in others]
    rows = [*ours.items()]
    if len(both) > 1:
        rows.append(("all", tuple(sum(ours[name][n] for name in both) for n in (0, 1))))
        others = {**others, "all": tuple(sum(others[name][n] for name in both) for n in (0, 1))}
    for name, took in rows:
        wall, cpu = (value / count * 1e3 for value in took)
        if name in others:
            their_wall, their_cpu = (value / count * 1e3 for value in others[name])
            told = f"{their_wall:>15.2f}{their_cpu:>10.2f}{their_cpu / cpu:>14.1f}x"
        else:
            told = f"{'-':>15}"
        print(f"  {name:<14}{wall:>10.2f}{cpu:>10.2f}{told}")
    if not others:
        print("  the other libraries are not installed, or failed: --python names one that has them")


def recordings(folder: Path, count: int) -> None:
    """Write tones with overtones, of 5 seconds."""
    import numpy as np

    from tonesmith.dataset.wav import wav_of

    folder.mkdir()
    time_s = np.arange(5 * RATE) / RATE
    for number in range(count):
        tone = sum(np.sin(2 * np.pi * (110 + 7 * number) * k * time_s) / k for k in range(1, 9))
        (folder / f"{number:04d}.wav").write_bytes(wav_of(0.2 * tone[None].astype(np.float32), RATE))


def compose(folder: Path, count: int) -> None:
    """Write scores of the composer ``emotion``."""
    from tonesmith.host.registry import Host
    from tonesmith.score.writer import midi_of

    folder.mkdir()
    cls = Host.load().find("composer", "emotion")
    composer = cls(cls.Options(), 7)
    for index in range(count):
        (folder / f"{index:05d}.mid").write_bytes(midi_of(composer.compose(index).score))


def cpu_seconds() -> float:
    """Return the CPU seconds of this process and of those that it has ended."""
    told = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in told)


def timed(actions: Mapping[str, Callable[[], object]]) -> Took:
    """Return step -> wall and CPU seconds of actions that follow each other."""
    took = {}
    for name, action in actions.items():
        wall, cpu = time.perf_counter(), cpu_seconds()
        action()
        took[name] = (time.perf_counter() - wall, cpu_seconds() - cpu)
    return took


def ours_of_midi(files: Path) -> Took:
    """Time the steps in one process, as the other libraries have, after a few files that load what they need."""
    with tempfile.TemporaryDirectory() as name:
        few = Path(name) / "few"
        few.mkdir()
        for path in sorted(files.glob("*.mid"))[:2]:
            shutil.copyfile(path, few / path.name)
        steps_of_midi(few, Path(name) / "warm")
        return steps_of_midi(files, Path(name) / "c")


def steps_of_midi(files: Path, folder: Path) -> Took:
    from tonesmith.corpus import Corpus

    with Corpus.new(folder) as corpus:
        return timed(
            {
                "import": lambda: corpus.add(files),
                "annotate": lambda: corpus.annotate("key", "tempo", "groove", "chords", "dynamics"),
                "features": lambda: corpus.features("notes", "harmony", "groove", workers=1),
                "augment": lambda: corpus.augment("transpose", "tempo", "velocity", "jitter", "dropout", n=CHILDREN),
                "check": corpus.check,
            }
        )


def ours_of_audio(files: Path) -> Took:
    from tonesmith.corpus import Corpus

    with tempfile.TemporaryDirectory() as name, Corpus.new(Path(name) / "c") as corpus:
        return timed(
            {
                "import audio": lambda: corpus.add(files),
                "augment audio": lambda: corpus.augment("pitch", "stretch", "gain", "noise", n=CHILDREN),
            }
        )


def theirs(python: str, what: str, files: Path, folder: Path) -> Took:
    """Return step -> wall and CPU seconds of other libraries in a process of its own; nothing if they are missing."""
    made = folder / f"theirs_{what}"
    made.mkdir()
    words = [python, str(Path(__file__).with_name("_corpus_contenders.py")), what, str(files), str(made)]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    if done.returncode:
        print(f"  {done.stderr.strip().splitlines()[-1]}")
    told = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    return {one["step"]: (one["wall"], one["cpu"]) for one in told}


if __name__ == "__main__":
    main()
