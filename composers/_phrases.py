"""The phrases of MIDI files: read, chosen, cut, moved, and counted where they are left out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

import numpy as np

from tonesmith.errors import ConfigError, ScoreError
from tonesmith.host.roles import Composed
from tonesmith.plan.annotated import Value
from tonesmith.score.controllers import kinds_of
from tonesmith.score.cutting import Window, Windows, bar_windows, first_window, pieces, time_windows, with_parts
from tonesmith.score.files import midi_files
from tonesmith.score.fitting import fitted
from tonesmith.score.programs import programs_of
from tonesmith.score.reader import decoded, read_midi
from tonesmith.score.score import Key, Score
from tonesmith.score.theory.spelling import name_at
from tonesmith.terminal.text import counted

if TYPE_CHECKING:
    from tonesmith.composers.files import FilesOptions

_STEPS: Final = {"never": 0, "octaves": 12, "semitones": 1}


@dataclass(frozen=True, slots=True)
class Collection:
    """What was found in files.

    Attributes:
        phrases: in the order of the files and of their bars.
        remarks: what was left out and why, a sentence each.
    """

    phrases: tuple[Composed, ...]
    remarks: tuple[str, ...]


@dataclass(slots=True)
class _LeftOut:
    """What is left out.

    Attributes:
        unread: a sentence for each file that cannot be read.
        counts: why -> phrases.
        shortest: seconds of the shortest bar that is too long for a phrase; 0.0 without any.
    """

    unread: list[str] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    shortest: float = 0.0

    def add_windows(self, windows: Windows) -> None:
        if windows.too_long:
            self.counts["too long"] += windows.too_long
            self.shortest = min(self.shortest or windows.shortest, windows.shortest)

    def sentences(self, options: FilesOptions) -> tuple[str, ...]:
        low, high = options.range
        told = {
            "too long": ("bar", f"longer than a phrase may be; the shortest lasts {self.shortest:.6g} s"),
            "few": ("phrase", f"with fewer than {options.notes} notes"),
            "range": ("phrase", f"that cannot be moved into the pitches {low} to {high}"),
            "copies": ("phrase", "equal to another one"),
        }
        counts = ((why, self.counts[why]) for why in told if self.counts[why])
        return (*self.unread, *(f"left out: {counted(n, told[why][0])} {told[why][1]}." for why, n in counts))


def collect(options: FilesOptions, seconds: float | None) -> Collection:
    """Return the phrases of the files that the options name.

    Raises :class:`ConfigError` for a path that names no MIDI file, if none can be read, and if no phrase is found.
    """
    left_out = _LeftOut()
    found: dict[str, Composed] = {}
    files = midi_files(options.paths)
    for file in files:
        try:
            for composed in _phrases(read_midi(file.path).score, file.label, options, seconds, left_out):
                left_out.counts["copies"] += composed.score.digest in found
                found.setdefault(composed.score.digest, composed)
        except ScoreError as error:
            left_out.unread.append(_told(file.label, str(file.path), error))
    remarks = left_out.sentences(options)
    if not found:
        raise ConfigError(_nothing(len(files), left_out, remarks))
    return Collection(tuple(found.values()), remarks)


def _phrases(
    score: Score, label: str, options: FilesOptions, seconds: float | None, left_out: _LeftOut
) -> Iterator[Composed]:
    kept = np.isin(score.controls["kind"], sorted(kinds_of(options.controls)))
    for voice, name in _voices(replace(score, texts=(), controls=score.controls[kept]), options):
        windows = _windows(voice, options, seconds)
        left_out.add_windows(windows)
        for window, piece in zip(windows.found, pieces(voice, windows.found), strict=True):
            moved = fitted(piece, *options.range, _STEPS[options.transpose])
            if len(piece) == 0:
                continue
            if len(piece) < options.notes:
                left_out.counts["few"] += 1
            elif moved is None:
                left_out.counts["range"] += 1
            else:
                yield Composed(moved, _annotations(moved), label + _place(voice, window, options) + name)


def _voices(score: Score, options: FilesOptions) -> Iterator[tuple[Score, str]]:
    """Yield what is cut: the chosen parts together, or each by itself, with its name."""
    programs = programs_of(options.parts)
    chosen = [
        options.drums != "without"
        if part.drums
        else options.drums != "only" and (not programs or part.program in programs)
        for part in score.parts
    ]
    if not options.alone:
        if any(chosen):
            yield with_parts(score, chosen), ""
        return
    for number, part in enumerate(score.parts):
        if chosen[number]:
            alone = [place == number for place in range(len(score.parts))]
            called = decoded(part.name).strip()
            named = f" ({called})" if called else ""
            yield with_parts(score, alone), f", part {number + 1}{named}"


def _windows(score: Score, options: FilesOptions, seconds: float | None) -> Windows:
    if options.cut == "bars":
        return bar_windows(score, seconds, int(options.hop))
    if options.cut == "time" and seconds is not None:
        return time_windows(score, seconds, options.hop)
    return first_window(score, seconds)


def _place(score: Score, window: Window, options: FilesOptions) -> str:
    if options.cut == "time":
        return f", {float(score.seconds(window.start)):.6g} s"
    return f", bar {window.bar}"


def _annotations(score: Score) -> dict[str, Value]:
    meters = [f"{meter.beats}/{meter.unit}" for meter in score.meters if meter.time == 0]
    keys = [_named(key) for key in score.keys if key.time == 0]
    return {
        "tempo_bpm": round(60e6 / int(score.tempos.microseconds[0]), 3),
        "meter": meters[-1] if meters else "",
        "key": keys[-1] if keys else "",
    }


def _named(key: Key) -> str:
    return f"{name_at(key.sharps + 3 * key.minor)} {'minor' if key.minor else 'major'}"


def _told(label: str, path: str, error: ScoreError) -> str:
    message = str(error)
    return message.replace(path, label, 1) if path in message else f"{label} is left out: {message}"


def _nothing(files: int, left_out: _LeftOut, remarks: Sequence[str]) -> str:
    if len(left_out.unread) == files:
        return f"no MIDI file can be read of {files:,}: {left_out.unread[0]}"
    if left_out.shortest and len(remarks) == 1:
        return (
            f"no bar is as short as a phrase: the shortest lasts {left_out.shortest:.6g} s. "
            "Give phrases more seconds, or cut = 'time'."
        )
    why = " ".join(remarks) or "No part of them is chosen, or none plays a note."
    return f"there is no phrase in {files:,} MIDI files. {why}"
