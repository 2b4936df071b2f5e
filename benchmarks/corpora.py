"""Corpora: how fast 100,000 items are opened, changed and queried, and composed MIDI files go through the steps.

Each contender runs in a process of its own. Contenders that are not installed are left out and said.
"""

from __future__ import annotations

import argparse
import json
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

EMOTIONS = ("happy", "sad", "angry", "tense", "calm", "tender", "fearful", "excited")
ROUNDS = 9


def main() -> None:
    """Run the parts that are asked for, and print what they took."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--items", type=int, default=100_000, help="items of the large corpus; 0 leaves it out")
    parser.add_argument("--files", type=int, default=1000, help="composed MIDI files; 0 leaves them out")
    parser.add_argument("--only", help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.only:
        print(json.dumps(CONTENDERS[asked.only](asked.folder)))
        return
    with tempfile.TemporaryDirectory() as name:
        if asked.items:
            large(Path(name), asked.items)
        if asked.files:
            steps(Path(name), asked.files)


def large(folder: Path, count: int) -> None:
    """Print what one action takes on a large corpus: the median, and the peak of the process's memory."""
    from tonesmith.corpus import Corpus

    path = folder / "large"
    filled(path, count)
    size = (path / "corpus.sqlite").stat().st_size / 1e6
    print(f"{count:,} items with 13 annotations each, {size:.0f} MB")
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
        grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
        took = time.perf_counter() - started
        print(f"  {'read all items':<26} {took:8.1f} s   {items:,} items, +{grown:.0f} MiB")


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


def annotations(draw: random.Random) -> list[tuple[str, Any]]:
    """Return thirteen labels and their values."""
    numbers = {f"number_{place}": draw.random() for place in range(9)}
    named = {"emotion": draw.choice(EMOTIONS), "mode": draw.choice(("major", "minor")), "key": draw.choice("CDEFGAB")}
    return [*named.items(), ("tempo_bpm", round(draw.uniform(60, 180), 1)), *numbers.items()]


def show(what: str, action: Callable[[], object]) -> None:
    """Print the median of what an action takes, after one that is not counted."""
    action()
    took = []
    for _ in range(ROUNDS):
        started = time.perf_counter()
        action()
        took.append(time.perf_counter() - started)
    print(f"  {what:<26} {sorted(took)[ROUNDS // 2] * 1e3:8.2f} ms  (least {min(took) * 1e3:.2f})")


def steps(folder: Path, count: int) -> None:
    """Print wall and CPU a file of each contender, and the ratio of each to ours."""
    files = folder / "files"
    compose(files, count)
    print(f"{count:,} composed MIDI files: imported, annotated (key, tempo, swing, chords, dynamics), checked")
    figures = {name: run(name, files) for name in CONTENDERS}
    ours = figures["tonesmith"]
    for name, told in figures.items():
        if told is None or ours is None:
            print(f"  {name:<26} not installed, or failed")
            continue
        ratio = told["cpu"] / ours["cpu"]
        wall, cpu = (told[key] / count * 1e3 for key in ("wall", "cpu"))
        print(f"  {name:<26} {wall:8.2f} ms wall {cpu:8.2f} ms CPU  x{ratio:.1f}")


def compose(folder: Path, count: int) -> None:
    """Write scores of the composer ``emotion``."""
    from tonesmith.host.registry import Host
    from tonesmith.score.writer import midi_of

    folder.mkdir()
    cls = Host.load().find("composer", "emotion")
    composer = cls(cls.Options(), 7)
    for index in range(count):
        (folder / f"{index:05d}.mid").write_bytes(midi_of(composer.compose(index).score))


def run(name: str, files: Path) -> dict[str, float] | None:
    """Return wall and CPU seconds of a contender in a process of its own; None if it cannot run."""
    words = [sys.executable, __file__, "--only", name, "--folder", str(files)]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    return json.loads(done.stdout.splitlines()[-1]) if done.returncode == 0 else None


def timed(action: Callable[[], object]) -> dict[str, float]:
    """Return wall and CPU seconds of an action."""
    wall, cpu = time.perf_counter(), time.process_time()
    action()
    return {"wall": time.perf_counter() - wall, "cpu": time.process_time() - cpu}


def tonesmith(files: Path) -> dict[str, float]:
    """Time our own steps."""
    from tonesmith.corpus import Corpus

    with tempfile.TemporaryDirectory() as name, Corpus.new(Path(name) / "c") as corpus:

        def all_steps() -> None:
            corpus.add(files)
            corpus.annotate("key", "tempo", "groove", "chords", "dynamics")
            corpus.check()

        return timed(all_steps)


def muspy_and_pretty_midi(files: Path) -> dict[str, float]:
    """Time the nearest that two libraries have: read, key and tempo, the metrics of muspy, and a manifest in JSON."""
    import muspy
    import pretty_midi

    def one(path: Path) -> dict[str, Any]:
        midi, music = pretty_midi.PrettyMIDI(str(path)), muspy.read_midi(str(path))
        metrics = (muspy.pitch_range, muspy.pitch_class_entropy, muspy.polyphony, muspy.polyphony_rate)
        told = {metric.__name__: metric(music) for metric in metrics}
        return {**told, "tempo": midi.estimate_tempo(), "chroma": midi.get_pitch_class_histogram().tolist()}

    return timed(lambda: json.dumps([one(path) for path in sorted(files.glob("*.mid"))], default=float))


CONTENDERS: dict[str, Callable[[Path], dict[str, float]]] = {
    "tonesmith": tonesmith,
    "muspy + pretty_midi": muspy_and_pretty_midi,
}


if __name__ == "__main__":
    main()
