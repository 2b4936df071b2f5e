"""How near the atlas of `tonesmith explore` comes to sounds, how long a fit takes, and how fast sound is made.

Reads a folder of recordings, such as those of Debian's package sonic-pi-samples (CC0), which is the default. Every
sixth of them is held out. Errors are mean differences of log-magnitudes over windows of 512 to 4096 samples with a
floor of -80 dB, and spectral convergence, of up to a second of each sound.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tonesmith.dsp.spectrum import magnitudes
from tonesmith.explorer import Model, fit, make
from tonesmith.explorer.frames import RATE, spectrum
from tonesmith.explorer.measured import log_error
from tonesmith.explorer.sounds import Recorded, read_sound
from tonesmith.explorer.stream import whole

HELD_OUT = 6


def main() -> None:
    """Fit, measure, make, and print a table."""
    options = _arguments()
    files = sorted(options.folder.glob("*.flac"))
    files = [files[place] for place in np.linspace(0, len(files) - 1, options.sounds).round().astype(int)]
    held_out = files[::HELD_OUT]
    own = [file for file in files if file not in held_out]
    with tempfile.TemporaryDirectory() as folder:
        start = time.process_time()
        model = fit(Path(folder) / "m", own)
        spent = time.process_time() - start
        seconds = sum(sound.seconds for sound in model.atlas.sounds)
        print(f"fit of {len(own)} sounds, {seconds:.0f} s: {spent:.1f} CPU s", flush=True)
        five = time.process_time()
        fit(Path(folder) / "five", own[:5])
        print(f"fit of 5 sounds: {time.process_time() - five:.1f} CPU s", flush=True)
        _speed(model, Path(folder), options.seconds)
    print(f"{'of each sound, up to a second':32} {'log dB':>7} {'SC':>6}")
    for name, some in (("own", own), ("held out", held_out)):
        for exemplars in (None, 4, 0):
            _row(model, name, some, exemplars)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, default=Path("/usr/share/sonic-pi/samples"), help="of recordings")
    parser.add_argument("--sounds", type=int, default=72, help="to use, evenly over the names")
    parser.add_argument("--seconds", type=float, default=20.0, help="to make, for the speed")
    return parser.parse_args()


def _speed(model: Model, folder: Path, seconds: float) -> None:
    for name, density in (("a walk", None), ("4 events per second", 4.0)):
        start = time.process_time()
        made = make(model, folder / f"{name}.wav", seconds=seconds, density=density)
        spent = time.process_time() - start
        told = f"{spent / seconds:.3f} CPU s for a second of sound, {seconds / spent:.1f} times real time"
        print(f"{name}, {made.written.channels} channels: {told}", flush=True)


def _row(model: Model, name: str, files: Sequence[Path], exemplars: int | None) -> None:
    """Print the mean errors of some sounds; with no number of exemplars, of their true magnitudes."""
    found = np.array([_errors(model, read_sound(file), exemplars) for file in files])
    what = "phase alone" if exemplars is None else f"{exemplars} exemplars"
    log, convergence = found.mean(axis=0)
    print(f"{f'{name}, {what}':32} {log:7.2f} {convergence:6.2f}", flush=True)


def _errors(model: Model, sound: Recorded, exemplars: int | None) -> tuple[float, float]:
    mid = sound.mid[:RATE]
    latent = model.atlas.encode(sound).latent.astype(np.float32)
    true = np.abs(spectrum(sound.mid))
    magnitude = true if exemplars is None else model.atlas.decode(latent, None, exemplars)
    made = whole(magnitude[: len(mid) // 256 + 9], len(mid))
    return log_error(mid, made), _convergence(mid, made)


def _convergence(sound: NDArray[np.float32], made: NDArray[np.float32]) -> float:
    one, other = (magnitudes(each[None], 2048, 256) for each in (sound, made))
    return float(np.linalg.norm(one - other) / np.linalg.norm(one))


if __name__ == "__main__":
    main()
