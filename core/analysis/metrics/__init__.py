"""How near a predicted sound is to its target, as the field publishes it: each metric with definition and source.

::

    from tonesmith.analysis.metrics import METRICS, sound_of

    target, predicted = sound_of(row.audio, 44100), sound_of(audio, 44100)
    print({metric.name: metric.of(target, predicted) for metric in METRICS})
"""

from tonesmith.analysis.metrics.sound import Sound, sound_of
from tonesmith.analysis.metrics.sounds import (
    METRICS,
    Metric,
    f0,
    loudness,
    lsd,
    metrics_of,
    mss,
    mss_level,
    rms,
    sc,
    sot,
    voicing,
    wmfcc,
)

__all__ = [
    "METRICS",
    "Metric",
    "Sound",
    "f0",
    "loudness",
    "lsd",
    "metrics_of",
    "mss",
    "mss_level",
    "rms",
    "sc",
    "sot",
    "sound_of",
    "voicing",
    "wmfcc",
]
