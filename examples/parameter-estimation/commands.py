"""The commands of tonesmith that make the sounds, score the predictions, and write some of them as files."""

from __future__ import annotations

import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np

from tonesmith import Host, open_dataset

SPLITS = ("train", "val", "test")
SCORED, COMPARED = 300, 50
"""Predictions that are rendered, and those of them that baselines are rendered for: some seconds of work."""


class CommandFailedError(Exception):
    """A command of tonesmith ended with a status other than 0, and has said why."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


def tonesmith(*arguments: object) -> None:
    """Show a command as one would type it, and run it."""
    words = [str(argument) for argument in arguments]
    print(f"$ tonesmith {shlex.join(words)}", flush=True)
    process = subprocess.Popen([sys.executable, "-m", "tonesmith", *words])
    while process.poll() is None:
        try:
            process.wait()
        except KeyboardInterrupt:  # it has been told as well, and stops in good order
            continue
    if process.returncode:
        raise CommandFailedError(process.returncode)


def make_data(data: Path, config: Path, patches: int | None, workers: int) -> None:
    """Render the sounds of a plan, and split them by patch. What is there is not rendered again."""
    fewer = () if patches is None else ("-n", patches)
    tonesmith("generate", "--config", config, *fewer, "--workers", workers, data)
    tonesmith("split", data)


def score(data: Path, predictions: Path, scored: Path, workers: int) -> None:
    """Render predictions as a dataset of their own, and compare its sounds with the true ones.

    Args:
        data: the dataset.
        predictions: of some of its rows, as npz.
        scored: where the predicted sounds go. Those of an earlier time are deleted.
        workers: processes; 0 for one per CPU core.
    """
    if scored.exists():
        shutil.rmtree(scored)
    few = ("--rows", SCORED, "--baseline-rows", COMPARED)
    tonesmith("score", data, predictions, "--out", scored, *few, "--workers", workers, "--force")


def export(data: Path, scored: Path, folder: Path) -> None:
    """Write the best, the median and the worst prediction by MSS, each beside its target.

    A prediction is a WAV file, a readable label that ``tonesmith render`` plays, and, where its synth has preset files,
    one of these.

    Args:
        data: with the targets.
        scored: what :func:`score` made.
        folder: for the files.
    """
    from scipy.io import wavfile

    dataset, predicted = open_dataset(data), open_dataset(scored)
    suffix = Host.load().find("backend", dataset.plan.backend.name).preset_suffix
    folder.mkdir(exist_ok=True)
    order = np.argsort(predicted.column("mss"), kind="stable")
    for name, row in (("best", order[0]), ("median", order[len(order) // 2]), ("worst", order[-1])):
        target = np.searchsorted(dataset.rows, predicted.attributes["scored"]["rows"][row])
        audio = dataset[target].audio
        wavfile.write(folder / f"{name}-target.wav", dataset.plan.audio.sample_rate, audio.T)
        files = [("--audio", ".wav"), ("--label", ".json"), *([("--preset", suffix)] if suffix else [])]
        named = [word for flag, end in files for word in (flag, folder / f"{name}-predicted{end}")]
        tonesmith("export", scored, "--row", row, *named, "--force")
