"""Charts played: chords with their notes and strokes, as scores."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tonesmith.composers._charts import Chart
from tonesmith.composers._strokes import Stroke, strokes
from tonesmith.composers._voicings import BASE, voiced
from tonesmith.errors import ConfigError, ScoreError
from tonesmith.score.score import Meter, Score, notes_of
from tonesmith.score.theory.tonality import Tonality
from tonesmith.score.timing import Tempos

if TYPE_CHECKING:
    from tonesmith.composers.chords import ChordsOptions

_RESOLUTION: Final = 960
_LOUDER: Final = 20
"""MIDI velocity that an accent adds."""
_Row = tuple[int, int, int, int, int]


def beat_of(bpm: float) -> int:
    """Return the whole microseconds of a beat, rounded down: what fits into a time still does."""
    return int(60e6 / bpm + 1e-6)


def played(chart: Chart, options: ChordsOptions) -> Score:
    """Return the score of a chart. Raises :class:`ConfigError` for chords that cannot be played so."""
    sounding = [placed for placed in chart.chords if placed.chord is not None]
    try:
        positions = voiced([placed.chord for placed in sounding if placed.chord is not None], options.voicing)
    except ScoreError as error:
        raise ConfigError(f"{chart.text!r} with the voicing {options.voicing!r}: {error}") from None
    notes = [
        row
        for placed, position in zip(sounding, positions, strict=True)
        for stroke in strokes(placed, _moved(position, options.octave, placed.symbol), options.rhythm, options.beats)
        for row in _struck(stroke, options)
    ]
    if not notes:
        raise ConfigError(f"the rhythm {options.rhythm!r} strikes none of the chords {chart.text!r}.")
    keys = (Tonality.parse(options.key).signature(),) if options.key else ()
    tempos = Tempos.of([(0, beat_of(options.bpm))])
    return Score(_RESOLUTION, notes_of(notes), tempos=tempos, meters=(Meter(0, options.beats, 4),), keys=keys)


def _moved(pitches: list[int], octave: int, symbol: str) -> list[int]:
    moved = [pitch + 12 * (octave - BASE) for pitch in pitches]
    if moved[0] < 0 or moved[-1] > 127:
        far = moved[0] if moved[0] < 0 else moved[-1]
        raise ConfigError(f"octave {octave}: {symbol} would have the pitch {far}, outside 0 to 127.")
    return moved


def _struck(stroke: Stroke, options: ChordsOptions) -> list[_Row]:
    """Return the notes of a stroke, each of a strum later than the one below it; they end together."""
    start = round(stroke.onset * _RESOLUTION)
    end = max(start + 1, round((stroke.onset + stroke.beats) * _RESOLUTION))
    end = start + max(1, round((end - start) * options.gate))
    later = round(options.strum_ms * 1e3 / beat_of(options.bpm) * _RESOLUTION)
    if start + later * (len(stroke.pitches) - 1) >= end:
        raise ConfigError(
            f"strum_ms = {options.strum_ms:g}: {len(stroke.pitches)} notes take longer than the shortest stroke, "
            f"{(end - start) * beat_of(options.bpm) / 1e3 / _RESOLUTION:.4g} ms."
        )
    velocity = min(127, options.velocity + _LOUDER * stroke.accent)
    return [(start + later * n, end - start - later * n, pitch, velocity, 0) for n, pitch in enumerate(stroke.pitches)]
