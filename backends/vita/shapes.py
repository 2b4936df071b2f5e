"""The three tiers: which of Vital's controls vary, and the bounds that keep patches from being silent.

Of patches drawn over every range, 84 % are silent: the envelope starts too late, the oscillator is routed to
an effect that is off, a level or an equaliser cuts it away. The ranges below leave the timbre free.
Levels and times are Vital's raw values: a level of 0.7 is shown as its square, a time as its fourth power.
"""

from __future__ import annotations

from tonesmith.space.shape import ModulationShape, SpaceShape, Value

OVERSAMPLING = "oversampling"


def tempo_control(bpm: float) -> float:
    """Return the raw value of ``beats_per_minute``: beats a second, as float32 holds it."""
    import struct

    return float(struct.unpack("f", struct.pack("f", bpm / 60.0))[0])


_HELD: dict[str, Value] = {
    # No sound of their own in a single note, or their only effect is on the cost of a render.
    "bypass": 0.0,
    "mpe_enabled": "Off",
    OVERSAMPLING: "2x",
    "pitch_wheel": 0.0,
    "mod_wheel": 0.0,
    "pitch_bend_range": 2,
    "polyphony": 8,
    "beats_per_minute": 2.0,
    # Something must sound.
    "osc_1_on": "On",
}

_AUDIBLE: dict[str, tuple[float, float]] = {
    "env_1_delay": (0.0, 0.5),  # up to 62 ms
    "env_1_attack": (0.0, 0.75),  # up to 0.32 s
    "env_1_hold": (0.0, 1.0),  # up to 1 s
    "env_1_sustain": (0.3, 1.0),
    "osc_*_destination": (0, 4),  # filters, effects or straight out: never into one effect, which may be off
    "osc_*_level": (0.5, 1.0),
    "osc_*_transpose": (-24, 24),
    "volume": (3844.0, 5776.0),  # -18 to -4 dB
}

_WHOLE_PATCH: dict[str, tuple[float, float]] = {
    "voice_amplitude": (0.5, 1.0),
    "voice_transpose": (-12, 12),
    "eq_*_gain": (-6.0, 15.0),
    "filter_fx_mix": (0.0, 0.7),
}

# Ring modulation by an oscillator or sample that is off is silence.
_WEIGHTS = {
    "osc_*_distortion_type": dict.fromkeys(
        ("None", "Sync", "Formant", "Quantize", "Bend", "Squeeze", "Pulse", "FM <- Osc", "FM <- Osc 2", "FM <- Sample"),
        1.0,
    )
}

TIER_1 = SpaceShape(
    include=("osc_1_*", "osc_2_*", "filter_1_*", "env_1_*", "volume"),
    fix={"osc_1_on": "On"},
    ranges=_AUDIBLE,
    weights=_WEIGHTS,
)
TIER_2 = SpaceShape(fix=_HELD, ranges={**_AUDIBLE, **_WHOLE_PATCH}, weights=_WEIGHTS)

TIER_3 = TIER_2.model_copy(update={"modulations": ModulationShape()})

_SIMPLE = ("level", "wave_frame", "transpose", "tune", "unison_voices", "unison_detune")
VITAL_SIMPLE = SpaceShape(
    include=(
        *(f"osc_{i}_{control}" for i in (1, 2) for control in _SIMPLE),
        "osc_2_on",
        *(f"filter_1_{control}" for control in ("cutoff", "resonance", "drive", "model")),
        *(f"env_1_{control}" for control in ("attack", "hold", "decay", "sustain", "release")),
        "volume",
    ),
    fix={"osc_1_on": "On", "filter_1_on": "On"},
    ranges=_AUDIBLE,
)
"""The controls that carry most of a sound."""

SHAPES = {"tier 1": TIER_1, "tier 2": TIER_2, "tier 3": TIER_3, "vital_simple": VITAL_SIMPLE}
