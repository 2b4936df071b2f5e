"""What a script of muspy, pretty_midi and audiomentations does instead of a corpus, step by step.

It needs no tonesmith, so that it can run in a Python of its own. A file is read once by each library, and what
pretty_midi read is kept in memory for the steps that follow. Each step prints a line of JSON: its name, and its wall
and CPU seconds.
"""

from __future__ import annotations

import copy
import hashlib
import json
import random
import shutil
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

PROFILES = (
    (5.0, 2.0, 3.5, 2.0, 4.5, 4.0, 2.0, 4.5, 2.0, 3.5, 1.5, 4.0),
    (5.0, 2.0, 3.5, 4.5, 2.0, 4.0, 2.0, 4.5, 3.5, 2.0, 1.5, 4.0),
)
"""Temperley 1999, as our annotator has them."""
TRIADS = {"": (0, 4, 7), "m": (0, 3, 7), "dim": (0, 3, 6), "aug": (0, 4, 8), "7": (0, 4, 7, 10), "m7": (0, 3, 7, 10)}
CHILDREN = 10


def timed(name: str, action: Callable[[], Any]) -> Any:
    """Print what a step takes, and return what it gives."""
    wall, cpu = time.perf_counter(), time.process_time()
    made = action()
    told = {"step": name, "wall": time.perf_counter() - wall, "cpu": time.process_time() - cpu}
    print(json.dumps(told), flush=True)
    return made


def midi(files: Path, folder: Path) -> None:
    """Import, annotate, measure, augment and check scores."""
    import muspy
    import numpy as np
    import pretty_midi

    read = timed("import", lambda: list(imported(sorted(files.glob("*.mid")), folder, pretty_midi.PrettyMIDI)))
    timed("annotate", lambda: save(folder / "labels.json", {name: labels(score, np) for name, score in read}))
    timed("features", lambda: [save(folder / f"{name}.json", measured(folder / name, muspy)) for name, _ in read])
    timed("augment", lambda: [vary(name, score, folder) for name, score in read])
    timed("check", lambda: check(folder))


def imported(files: list[Path], folder: Path, read: Callable[[str], Any]) -> Any:
    """Copy files that can be read, each content once, and yield their names and scores."""
    seen = set()
    for path in files:
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        if digest in seen:
            continue
        seen.add(digest)
        try:
            score = read(str(path))
        except Exception as error:  # noqa: BLE001 - it refuses some files
            print(f"{path.name}: {error}", file=sys.stderr)
            continue
        shutil.copyfile(path, folder / path.name)
        yield path.name, score


def save(path: Path, told: Any) -> None:
    path.write_text(json.dumps(told, default=float), encoding="utf-8")


def labels(score: Any, np: Any) -> dict[str, Any]:
    """Return key, tempo, meter, swing, chords and dynamics."""
    histogram = score.get_pitch_class_histogram(use_duration=True)
    fits = [np.corrcoef(histogram, np.roll(profile, tonic))[0, 1] for profile in PROFILES for tonic in range(12)]
    notes = [note for part in score.instruments for note in part.notes]
    beats = score.get_beats()
    onsets = np.sort([note.start for note in notes])
    place = np.interp(onsets, beats, np.arange(len(beats))) % 1.0 if len(beats) > 1 else np.zeros(0)
    off = place[(place > 0.4) & (place < 0.85)]
    times, tempos = score.get_tempo_changes()
    velocities = [note.velocity for note in notes]
    return {
        "key": int(np.argmax(fits)),
        "tempo": tempos[np.argmax(np.diff(np.append(times, score.get_end_time())))],
        "meter": [(meter.numerator, meter.denominator) for meter in score.time_signature_changes],
        "swing": float(np.median(off)) if len(off) else None,
        "chords": [chord_of(column) for column in score.get_chroma(times=beats).T],
        "dynamics": [float(np.median(velocities)), *np.percentile(velocities, [10, 90]).tolist()],
    }


def chord_of(chroma: Any) -> str:
    """Return the chord whose tones hold most of a beat."""
    shares = {
        (root, name): chroma[[(root + t) % 12 for t in tones]].mean()
        for root in range(12)
        for name, tones in TRIADS.items()
    }
    root, name = max(shares, key=lambda key: shares[key])
    return f"{root}{name}"


def measured(path: Path, muspy: Any) -> dict[str, float]:
    """Return the metrics that muspy has of those that our features have."""
    music = muspy.read_midi(str(path))
    metrics = (
        muspy.pitch_range,
        muspy.n_pitches_used,
        muspy.n_pitch_classes_used,
        muspy.polyphony,
        muspy.polyphony_rate,
        muspy.pitch_entropy,
        muspy.pitch_class_entropy,
        muspy.scale_consistency,
        muspy.empty_beat_rate,
    )
    return {metric.__name__: metric(music) for metric in metrics}


def vary(name: str, score: Any, folder: Path) -> None:
    """Write ten variants: transposed, faster or slower, struck harder, jittered, with some notes left out."""
    for number in range(CHILDREN):
        draw = random.Random(f"{name} {number}")  # noqa: S311 - no secret
        child = copy.deepcopy(score)
        steps, factor, force = draw.choice([-3, -2, -1, 1, 2, 3]), draw.uniform(0.9, 1.1), draw.uniform(0.8, 1.2)
        for part in child.instruments:
            part.notes = [note for note in part.notes if draw.random() >= 0.02]
            for note in part.notes:
                late = draw.gauss(0, 0.005)
                note.start = max(0.0, note.start / factor + late)
                note.end = max(note.start + 0.001, note.end / factor + late)
                note.velocity = min(127, max(1, round(note.velocity * force)))
                if not part.is_drum:
                    note.pitch = min(127, max(0, note.pitch + steps))
        child.write(str(folder / f"{Path(name).stem}-{number}.mid"))


def check(folder: Path) -> dict[str, Any]:
    """Count labels and files."""
    told = json.loads((folder / "labels.json").read_text(encoding="utf-8"))
    sizes = [path.stat().st_size for path in folder.glob("*.mid")]
    return {"keys": Counter(one["key"] for one in told.values()), "files": len(sizes), "empty": sizes.count(0)}


def audio(files: Path, folder: Path) -> None:
    """Write ten variants of each recording with audiomentations."""
    import audiomentations as am
    import soundfile

    chain = am.Compose(
        [
            am.PitchShift(-2, 2, p=1.0),
            am.TimeStretch(0.9, 1.1, leave_length_unchanged=False, p=1.0),
            am.Gain(-6, 6, p=1.0),
            am.AddGaussianNoise(0.001, 0.01, p=1.0),
        ]
    )

    def vary_all() -> None:
        for path in sorted(files.glob("*.wav")):
            sound, rate = soundfile.read(path, dtype="float32", always_2d=True)
            for number in range(CHILDREN):
                made = chain(sound.T.copy(), sample_rate=rate)
                soundfile.write(folder / f"{path.stem}-{number}.wav", made.T, rate, subtype="FLOAT")

    warm, rate = soundfile.read(min(files.glob("*.wav")), dtype="float32", always_2d=True)
    chain(warm.T.copy(), sample_rate=rate)  # numba compiles at the first call
    timed("augment audio", vary_all)


if __name__ == "__main__":
    {"midi": midi, "audio": audio}[sys.argv[1]](Path(sys.argv[2]), Path(sys.argv[3]))
