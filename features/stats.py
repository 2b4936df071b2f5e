"""Numbers that describe a spectrum and an envelope."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field

from tonesmith.features._spectral import SpectralOptions
from tonesmith.host.hookspecs import hookimpl
from tonesmith.host.roles import Feature
from tonesmith.plan.feature import FeatureArray

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tonesmith.plan.feature import Sound
    from tonesmith.plan.plan import Audio

_STEP = 0.001
"""Seconds between two points of the envelope."""
_SPECTRAL = {
    "centroid": ("Hz", "mean frequency, weighted with the magnitude", 0.5),
    "spread": ("Hz", "standard deviation of the frequency, weighted with the magnitude", 0.5),
    "flatness": ("1", "geometric over arithmetic mean of the power: near 0 for a tone, higher for noise", 1e-3),
    "rolloff": ("Hz", "frequency below which 85 % of the magnitude lies", 50.0),
}
"""Array -> unit, meaning, and by how much it may differ on another machine: the rolloff by a few bins."""
_TEMPORAL = {
    "onset": "seconds until the envelope first reaches a tenth of its peak",
    "attack": "seconds from a tenth to nine tenths of the peak of the envelope",
    "release": "seconds after the end of the note until the envelope has fallen to a tenth for good",
}


class StatsOptions(SpectralOptions):
    """Options of :class:`Stats`."""

    channels: Literal["mix"] = Field(
        default="mix", description="mix: spectra are those of the mean of all channels. The envelope is that of all."
    )
    over_time: Literal["mean", "frames"] = Field(
        default="mean",
        description="What is stored of spectra. mean: one number, windows weighted with their energy. frames: a number "
        "of each window.",
    )
    envelope: float = Field(default=0.01, gt=0.0, le=1.0, description="Window of the envelope, in seconds.")
    rolloff: float = Field(default=0.85, gt=0.0, lt=1.0, description="Share of the magnitude below the rolloff.")


class Stats(Feature[StatsOptions]):
    """Centroid, spread, flatness and rolloff of the spectrum; onset, attack and release time of the envelope.

    ::

        [features.stats]
        over_time = "mean"

    Sources: Peeters 2004, "A large set of audio features for sound description in the CUIDADO project"; Johnston 1988
    for the flatness.
    """

    name = "stats"
    summary = "centroid, spread, flatness, rolloff; onset, attack and release time"
    Options = StatsOptions

    def arrays(self, audio: Audio) -> Sequence[FeatureArray]:
        """Return an array for each number: () or (time,) for those of the spectrum, () for times."""
        from tonesmith.dsp.spectrum import times

        self.options.check_size(audio)
        frames = self.options.over_time == "frames"
        shape = (times(audio.frames, self.options.lengths(audio.sample_rate)[1]),) if frames else ()
        dims = ("time",) if frames else ()
        spectral = [
            FeatureArray(name, shape, dims, unit, doc, tolerance=tolerance, missing=True)
            for name, (unit, doc, tolerance) in _SPECTRAL.items()
        ]
        temporal = [
            FeatureArray(name, (), (), "s", doc, tolerance=2 * _STEP, missing=True) for name, doc in _TEMPORAL.items()
        ]
        return (*spectral, *temporal)

    def definition(self, audio: Audio) -> Mapping[str, Any]:
        """Return how each number is made."""
        return {
            "version": 1,
            **self.options.definition(audio),
            "centroid": "sum(f * |X|) / sum(|X|) of each window; NaN where nothing sounds",
            "spread": "sqrt(sum((f - centroid) ** 2 * |X|) / sum(|X|))",
            "flatness": "exp(mean(log(P))) / mean(P), P = max(|X| ** 2, 1e-10)",
            "rolloff": f"first f up to which sum(|X|) is at least {self.options.rolloff:g} of the whole",
            "over_time": "weighted with sum(|X| ** 2) of each window" if self.options.over_time == "mean" else "none",
            "envelope": f"RMS over all channels in windows of {self.options.envelope:g} s around points {_STEP:g} s "
            "apart from 0 s; beyond the sound is silence",
            "onset": "first point at 0.1 of the peak",
            "attack": "from there to the first point at 0.9 of the peak",
            "release": "from note off, or without a note from the last point at 0.9 of the peak, to the last point "
            "at 0.1 of the level at that moment; NaN if that is the end of the sound",
        }

    def compute(self, sound: Sound) -> Mapping[str, NDArray[Any]]:
        """Return the numbers."""
        import numpy as np

        return {name: np.asarray(value, np.float32) for name, value in {**self._of(sound), **self._in(sound)}.items()}

    def _of(self, sound: Sound) -> dict[str, Any]:
        """Return the numbers of the spectrum."""
        import numpy as np

        from tonesmith.dsp.moments import centroid_and_spread, flatness, rolloff, weighted_mean
        from tonesmith.dsp.spectrum import bin_hertz, powers

        window, hop = self.options.lengths(sound.sample_rate)
        power = powers(self.options.heard(sound.audio), window, hop)[0]
        magnitude, hertz = np.sqrt(power), bin_hertz(window, sound.sample_rate)
        centroid, spread = centroid_and_spread(magnitude, hertz)
        made = {
            "centroid": centroid,
            "spread": spread,
            "flatness": flatness(power),
            "rolloff": rolloff(magnitude, hertz, self.options.rolloff),
        }
        if self.options.over_time == "frames":
            return made
        weights = power.sum(axis=1)
        return {name: weighted_mean(values, weights) for name, values in made.items()}

    def _in(self, sound: Sound) -> dict[str, float]:
        """Return the times of the envelope."""
        from tonesmith.dsp.envelope import envelope_of, onset_and_attack, release

        envelope = envelope_of(sound.audio, sound.sample_rate, self.options.envelope, _STEP)
        onset, attack = onset_and_attack(envelope)
        note_off = None if sound.note is None else sound.note.hold
        return {"onset": onset, "attack": attack, "release": release(envelope, note_off)}


@hookimpl
def tonesmith_features() -> Iterable[type[Feature[Any]]]:
    """Return the feature of this module."""
    return [Stats]
