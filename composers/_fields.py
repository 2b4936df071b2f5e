"""What several composers say of their scores, in the same words."""

from __future__ import annotations

from typing import Final, get_args

from tonesmith.composers._options import MeterName
from tonesmith.plan.annotated import AnnotationField

TEMPO: Final = AnnotationField("tempo_bpm", "number", "quarter notes per minute")
METER: Final = AnnotationField("meter", "choice", "time signature", get_args(MeterName))
BARS: Final = AnnotationField("bars", "whole", "number of bars")


def key_fields() -> tuple[AnnotationField, AnnotationField]:
    """Return the key, one of 24, and its mode."""
    from tonesmith.score.theory import Tonality

    modes = ("major", "minor")
    keys = tuple(str(Tonality(tonic, mode)) for mode in modes for tonic in range(12))
    return (
        AnnotationField("key", "choice", "tonic and mode", keys),
        AnnotationField("mode", "choice", "mode of the key", modes),
    )
