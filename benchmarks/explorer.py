"""How near models of `tonesmith explore` come to sounds, what a fit costs, and how fast sound is made.

The set is fixed: 40 recordings of Debian's package sonic-pi-samples (CC0), 24 patches of Vital, and 8 noises that are
filtered. Every sixth of them is held out. Errors are mean differences of log-magnitudes over windows of 512 to 4096
samples with a floor of -80 dB, and spectral convergence, of up to a second of each sound. The vae is as it came out of
its trial: where it does not describe held-out sounds better, `fit` keeps the atlas. The incumbent is a chunk VAE on
log-mel pictures with Griffin-Lim, see ``explorer_incumbent.py``; without torch, both are left out.
"""

from __future__ import annotations

import argparse
import importlib.util
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
from explorer_incumbent import Incumbent
from numpy.typing import NDArray

from tonesmith import generate, open_dataset
from tonesmith.dsp.spectrum import magnitudes
from tonesmith.explorer import Model, fit, make
from tonesmith.explorer.frames import RATE, spectrum
from tonesmith.explorer.measured import log_error
from tonesmith.explorer.sounds import Recorded, read_sound
from tonesmith.explorer.stream import whole

HELD_OUT = 6
RECORDINGS, PATCHES, NOISES = 40, 24, 8

Maker = Callable[[Recorded, bool], NDArray[np.float32]]
"""Makes a sound again; whether it is one of those that the model was fitted on."""


def main() -> None:
    """Fit, measure, make, and print a table."""
    options = _arguments()
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        files = _material(options.folder, folder / "sounds")
        held_out, own = files[::HELD_OUT], [file for place, file in enumerate(files) if place % HELD_OUT]
        sets = (own, held_out)
        print(f"{len(own)} own sounds, {len(held_out)} held out; {options.exemplars} exemplars")
        print(f"{'':24}{'own':>14}{'held out':>16}{'fit':>12}{'a second':>12}")
        print(f"{'':24}{'dB':>8}{'SC':>6}{'dB':>9}{'SC':>7}{'CPU s':>12}{'CPU s':>12}", flush=True)
        model, spent = _timed(lambda: fit(folder / "atlas", own))
        _row("phase alone", _phase, sets, 0.0)
        _row("atlas", _atlas(model, options.exemplars), sets, spent)
        if importlib.util.find_spec("torch"):
            _vae(folder, sets, options)
            chunks = [read_sound(file).mid[:RATE] for file in own]
            incumbent, spent = _timed(lambda: Incumbent(chunks, options.training))
            _row("incumbent", lambda sound, _: incumbent.made(sound.mid[:RATE]), sets, spent)
        _, spent = _timed(lambda: fit(folder / "five", own[:5]))
        print(f"fit of 5 sounds: {spent:.1f} CPU s")
        _speed(model, folder, options.seconds)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, default=Path("/usr/share/sonic-pi/samples"), help="of recordings")
    parser.add_argument("--seconds", type=float, default=20.0, help="to make, for the speed")
    parser.add_argument("--training", type=float, default=60.0, help="CPU seconds of the incumbent's training")
    parser.add_argument("--preset", default="small", help="of the vae")
    parser.add_argument("--exemplars", type=int, default=4, help="of the atlas")
    return parser.parse_args()


def _material(recordings: Path, folder: Path) -> list[Path]:
    """Return the files of the set, in an order that mixes its kinds."""
    folder.mkdir()
    found = sorted(recordings.glob("*.flac"))
    files = [found[place] for place in np.linspace(0, len(found) - 1, RECORDINGS).round().astype(int)]
    settings: dict[str, Any] = {"backend": {"name": "vita", "tier": 2}, "notes": {"pitches": [57]}, "sample_rate": RATE}
    generate(folder / "vital", patches=PATCHES, **settings)
    sounds = [row.audio.T for row in open_dataset(folder / "vital")]
    sounds += [_noise(number) for number in range(NOISES)]
    for number, sound in enumerate(sounds):
        files.append(folder / f"made-{number:02}.wav")
        soundfile.write(files[-1], sound, RATE, subtype="PCM_24")
    order = np.random.default_rng(0).permutation(len(files))
    return [files[place] for place in order]


def _noise(number: int) -> NDArray[np.float32]:
    """Return two seconds of noise with a slope of its own, whose level wavers."""
    random = np.random.default_rng(number)
    shape = np.fft.rfft(random.standard_normal(2 * RATE))
    hertz = np.fft.rfftfreq(2 * RATE, 1 / RATE)
    sound = np.fft.irfft(shape * np.maximum(hertz, 50.0) ** -(number / (NOISES - 1)))
    sound *= 1.0 + 0.5 * np.sin(2 * np.pi * (1 + number) * np.arange(2 * RATE) / RATE)
    return np.asarray(0.3 * sound / np.abs(sound).max(), np.float32)


def _timed(work: Callable[[], Any]) -> tuple[Any, float]:
    start = time.process_time()
    return work(), time.process_time() - start


def _vae(folder: Path, sets: Sequence[Sequence[Path]], options: argparse.Namespace) -> None:
    chosen = {"preset": options.preset, "device": "cpu"}
    model, spent = _timed(lambda: fit(folder / "vae", sets[0], model="vae", options=chosen))
    trial = model.atlas.trial
    kept = "kept" if model.atlas.coded is not None else "not kept"
    _row(f"vae ({kept})", _atlas(model, options.exemplars), sets, spent)
    if trial is not None:
        told = f"{trial.model_levels:.2f} dB, atlas {trial.atlas_levels:.2f} dB of levels"
        print(f"  in its trial, held out: vae {told}", flush=True)


def _atlas(model: Model, exemplars: int) -> Maker:
    def made(sound: Recorded, own: bool) -> NDArray[np.float32]:
        latent = model.atlas.encode(sound).latent.astype(np.float32)
        magnitude = model.atlas.decode(latent, None, exemplars if own else 0)
        length = min(len(sound.mid), RATE)
        return whole(magnitude[: length // 256 + 9], length)

    return made


def _phase(sound: Recorded, own: bool) -> NDArray[np.float32]:
    del own
    length = min(len(sound.mid), RATE)
    return whole(np.abs(spectrum(sound.mid))[: length // 256 + 9], length)


def _row(name: str, made: Maker, sets: Sequence[Sequence[Path]], spent: float) -> None:
    """Print the mean errors of what is made of own sounds and of those held out."""
    found, seconds = [], 0.0
    for files, is_own in zip(sets, (True, False), strict=True):
        sounds = [read_sound(file) for file in files]
        start = time.process_time()
        again = [made(sound, is_own) for sound in sounds]
        seconds += time.process_time() - start
        pairs = [(sound.mid[:RATE], one) for sound, one in zip(sounds, again, strict=True)]
        found.append(np.mean([(log_error(a, b), _convergence(a, b)) for a, b in pairs], axis=0))
    length = sum(min(read_sound(file).seconds, 1.0) for files in sets for file in files)
    (a, b), (c, d) = found
    print(f"{name:24}{a:>8.2f}{b:>6.2f}{c:>9.2f}{d:>7.2f}{spent:>12.1f}{seconds / length:>12.3f}", flush=True)


def _convergence(sound: NDArray[np.float32], made: NDArray[np.float32]) -> float:
    one, other = (magnitudes(each[None], 2048, 256) for each in (sound, made))
    return float(np.linalg.norm(one - other) / np.linalg.norm(one))


def _speed(model: Model, folder: Path, seconds: float) -> None:
    for name, density in (("a walk", None), ("4 events per second", 4.0)):
        start = time.process_time()
        made = make(model, folder / f"{name}.wav", seconds=seconds, density=density)
        spent = time.process_time() - start
        told = f"{spent / seconds:.3f} CPU s for a second of sound, {seconds / spent:.1f} times real time"
        print(f"{name}, {made.written.channels} channels: {told}", flush=True)


if __name__ == "__main__":
    main()
