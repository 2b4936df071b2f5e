"""What features of mel bands share: their options, and the words in which a definition tells them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field

from tonesmith.features._spectral import SpectralOptions, check_band

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tonesmith.dsp.mel import MelBank
    from tonesmith.plan.feature import Sound
    from tonesmith.plan.plan import Audio


class BandOptions(SpectralOptions):
    """Options of a feature of mel bands."""

    bands: int = Field(default=128, ge=1, le=1024, description="Number of mel bands.")
    low: float = Field(default=0.0, ge=0.0, description="Lower edge of the first band, in Hz.")
    high: float | None = Field(
        default=None, gt=0.0, description="Upper edge of the last band, in Hz. Unset: half the sample rate."
    )
    scale: Literal["slaney", "htk"] = Field(
        default="slaney",
        description="Mel scale. slaney: linear to 1 kHz and logarithmic above. htk: 2595 log10(1 + f / 700).",
    )
    norm: Literal["peak", "area"] = Field(
        default="peak", description="What is the same for all triangular bands: their peak, 1, or their area, 1."
    )
    floor: float = Field(default=-100.0, ge=-200.0, le=0.0, description="Lowest level, in dB re a full-scale sine.")

    def bank(self, sample_rate: int) -> MelBank:
        """Return the bands."""
        from tonesmith.dsp.mel import mel_bank

        window, _ = self.lengths(sample_rate)
        return mel_bank(self.bands, sample_rate, window, self.low, self.high, self.scale, self.norm)

    def levels(self, sound: Sound) -> NDArray[Any]:
        """Return the log-mel spectrogram, float32 (1 or channels, bands, time), in dB."""
        from tonesmith.dsp.spectrum import powers

        power = powers(self.heard(sound.audio), *self.lengths(sound.sample_rate))
        return self.bank(sound.sample_rate).levels(power, self.floor)

    def check(self, audio: Audio) -> None:
        """Raise :class:`ConfigError` if there are no such bands in audio of that form."""
        check_band(self.low, self.high, audio.sample_rate)
        self.check_size(audio)

    def definition(self, audio: Audio) -> dict[str, Any]:
        """Return the words and numbers that define the bands, with their edges."""
        from tonesmith.dsp.mel import band_edges

        top = check_band(self.low, self.high, audio.sample_rate)
        height = "height 1" if self.norm == "peak" else "height 2 / (edges[i + 2] - edges[i])"
        return {
            **super().definition(audio),
            "power": 2,
            "bands": self.bands,
            "scale": self.scale,
            "norm": self.norm,
            "filters": "band i is a triangle over frequency in Hz, 0 at edges[i], highest at edges[i + 1], 0 at "
            f"edges[i + 2], of {height}; the squared magnitudes are summed with its values at the bins",
            "edges": [round(float(edge), 9) for edge in band_edges(self.bands, self.low, top, self.scale)],
            "level": f"10 * log10(max(sum, 10 ** (floor / 10))), floor {self.floor:g} dB",
            "floor": self.floor,
            "reference": "1.0: a sine of full scale has about 0 dB with norm peak",
        }
