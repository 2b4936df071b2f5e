"""What a file is: a score, a recording, or nothing that a corpus takes, with the reason."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal

from tonesmith.errors import ScoreError, TonesmithError
from tonesmith.terminal.text import counted

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from tonesmith.host.roles.annotator import Recorded
    from tonesmith.score.score import Score

Kind = Literal["score", "audio"]
SUFFIXES: Final[Mapping[str, Kind]] = {
    **dict.fromkeys((".mid", ".midi", ".smf", ".kar", ".rmi"), "score"),
    **dict.fromkeys((".wav", ".wave", ".flac", ".aif", ".aiff", ".mp3", ".ogg"), "audio"),
}
"""What the name of a file says of it."""
LONGEST: Final = 6 * 3600.0
"""The most seconds of a recording."""
SILENT: Final = 10 ** (-80 / 20)
"""The peak below which a recording is silent: -80 dBFS."""
_BLOCK: Final = 1 << 20
_RATES: Final = (1000, 1_000_000)
_MOST_CHANNELS: Final = 64
_FEWEST: Final = 8
"""Notes from which two scores can be near-duplicates: shorter ones agree by chance."""


class Unfit(TonesmithError):  # noqa: N818 - a reason, not a failure
    """A file is not taken. The message is a clause that follows its name, such as "has no notes"."""


@dataclass(frozen=True, slots=True)
class Content:
    """What a file holds.

    Attributes:
        kind: score or audio.
        digest: of what is heard: of a score what it says in beats, of a recording its rate and samples.
        near: of a score, what it has in common with its transpositions and other tempi; "" for none.
        seconds: that it lasts.
        facts: notes and parts, or sample rate in Hz, channels, frames and peak.
        remarks: what was wrong in the file and put right, a sentence each.
    """

    kind: Kind
    digest: str
    near: str
    seconds: float
    facts: Mapping[str, Any]
    remarks: tuple[str, ...] = ()


def kind_of(name: str) -> Kind | None:
    """Return what the name of a file says it is; None if it says nothing that a corpus takes."""
    return SUFFIXES.get(Path(name).suffix.lower())


def content_of(path: Path, kind: Kind) -> Content:
    """Return what a file holds. Raises :class:`Unfit` with the reason for one that is not taken."""
    return _score(path) if kind == "score" else _audio(path)


def _score(path: Path) -> Content:
    from tonesmith.score.reader import midi_reading

    try:
        reading = midi_reading(path.read_bytes())
    except ScoreError as error:
        raise Unfit(f"cannot be read as MIDI: {str(error).removesuffix('.')}") from None
    except OSError as error:
        raise Unfit(f"cannot be read: {error.strerror}") from None
    if not len(reading.score):
        raise Unfit("has no notes")
    remarks = list(reading.mended)
    if reading.never_released:
        remarks.append(f"{counted(reading.never_released, 'note')} never released, and left out.")
    return _of_score(reading.score, tuple(remarks))


def content_of_made(score: Score, data: bytes) -> Content | None:
    """Return what the file of a score holds that was made here; None if it has to be read to know.

    Args:
        score: that was made.
        data: its file.
    """
    from tonesmith.score.reader import is_read_back

    return _of_score(score, ()) if is_read_back(score, data) else None


def _of_score(score: Score, remarks: tuple[str, ...]) -> Content:
    facts = {"notes": len(score), "parts": len(score.parts), "beats": float(score.beats)}
    return Content("score", score.digest, near_of(score), score.duration, facts, remarks)


def near_of(score: Score) -> str:
    """Return 32 digits that a score shares with its transpositions, at any tempo, with any velocities.

    They are of its notes in the order of their onsets on a grid of quarter beats: steps of the grid, and semitones from
    note to note; drums count by their pitch. "" for fewer than eight notes.
    """
    import numpy as np

    notes = score.notes
    if len(notes) < _FEWEST:
        return ""
    places = np.floor(notes["onset"] * 4 / score.resolution + 0.5).astype(np.int64)
    drums = np.array([part.drums for part in score.parts], bool)[notes["part"]]
    order = np.lexsort((notes["pitch"], drums, places))
    places, drums, pitches = places[order], drums[order], notes["pitch"][order].astype(np.int64)
    pitched = pitches[~drums]
    told = [np.diff(places), drums.astype(np.int64), np.diff(pitched), pitches[drums]]
    digest = hashlib.sha256()
    for array in told:
        digest.update(np.ascontiguousarray(array, "<i8").tobytes() + b"/")
    return digest.hexdigest()[:32]


def _audio(path: Path) -> Content:
    import numpy as np

    digest, peak, frames = hashlib.sha256(), 0.0, 0
    with recording(path) as file:
        rate, channels, told = round(file.samplerate), file.num_channels, file.frames
        _check_form(rate, channels, told)
        digest.update(f"{rate} {channels} ".encode())
        for audio in blocks(file):
            peak = max(peak, float(np.abs(audio).max()))
            digest.update(np.ascontiguousarray(audio.T, "<f4").tobytes())
            frames += audio.shape[1]
    if not frames:
        raise Unfit("has no samples")
    if peak < SILENT:
        raise Unfit("is silent")
    facts = {"sample_rate": rate, "channels": channels, "frames": frames, "peak": peak}
    remarks = () if frames == told else (f"it is cut off: {frames:,} of {told:,} frames are there.",)
    return Content("audio", digest.hexdigest(), "", frames / rate, facts, remarks)


def _check_form(rate: int, channels: int, frames: int) -> None:
    if not _RATES[0] <= rate <= _RATES[1]:
        raise Unfit(f"has {rate:,} samples per second; expected 1,000 to 1,000,000")
    if not 1 <= channels <= _MOST_CHANNELS:
        raise Unfit(f"has {channels:,} channels; expected 1 to {_MOST_CHANNELS}")
    if frames > LONGEST * rate:
        raise Unfit(f"lasts {frames / rate / 3600:,.0f} hours; at most {LONGEST / 3600:.0f} are taken")


def _first_line(error: Exception, path: Path) -> str:
    told = str(error).split("\n", maxsplit=1)[0].replace(f'file "{path}"', "it")
    return (told[:120].rstrip(".") or type(error).__name__).replace("\t", " ")


def read_score(path: Path) -> Score:
    """Return the score in a file of the corpus. Raises :class:`ScoreError`."""
    from tonesmith.score.reader import read_midi

    return read_midi(path).score


def read_recording(path: Path, seconds: float) -> Recorded:
    """Return the recording in a file of the corpus, up to a length. Raises :class:`Unfit` if it cannot be read."""
    import numpy as np

    from tonesmith.host.roles.annotator import Recorded

    with recording(path) as file:
        rate = round(file.samplerate)
        return Recorded(np.asarray(file.read(min(file.frames, round(seconds * rate))), np.float32), rate)


@contextmanager
def recording(path: Path) -> Iterator[Any]:
    """Open a recording with pedalboard. Raises :class:`Unfit` if it cannot be read, also where that fails within."""
    from pedalboard.io import AudioFile

    try:
        with AudioFile(str(path)) as file:
            yield file
    except (ValueError, RuntimeError, OSError, MemoryError) as error:
        if isinstance(error, Unfit):
            raise
        raise Unfit(f"cannot be read as audio: {_first_line(error, path)}") from None


def blocks(file: Any) -> Iterator[NDArray[np.float32]]:
    """Yield float32 (channels, frames) of an open recording, about a million frames at once, up to where it is cut off.

    Raises :class:`Unfit` for samples that are no numbers.
    """
    import numpy as np

    frames = 0
    while frames < file.frames:
        audio = np.asarray(file.read(min(_BLOCK, file.frames - frames)), np.float32)
        if not audio.shape[1]:
            return
        if not np.isfinite(audio).all():
            raise Unfit("has samples that are NaN or infinite")
        yield audio
        frames += audio.shape[1]
