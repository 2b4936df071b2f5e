"""What a match comes to: a patch, its sound, and a comparison with the nearest row, as JSON and as a table."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tonesmith.analysis.matching.neighbours import Pool
from tonesmith.analysis.matching.pitch import Pitch
from tonesmith.analysis.matching.trials import Heard, Trials
from tonesmith.analysis.matching.wanted import Settings, Wanted
from tonesmith.analysis.metrics import METRICS, metrics_of, sound_of
from tonesmith.dataset.export import label_of_patch, preset_of_patch
from tonesmith.dataset.reader import Dataset
from tonesmith.host.registry import Host
from tonesmith.plan.notes import note_to_json
from tonesmith.space.label import Label
from tonesmith.space.patch import Note, Patch
from tonesmith.space.pitches import pitch_name
from tonesmith.terminal.text import clock, counted, one_line

FORMAT = 1
"""Version of the JSON."""


@dataclass(frozen=True, eq=False)
class Nearest:
    """The row of the dataset that is nearest, as it sounds with the note of the match.

    Attributes:
        place: index of it in the dataset.
        heard: its trial.
    """

    place: int
    heard: Heard


@dataclass(frozen=True, eq=False)
class Match:
    """The patch that comes nearest to a sound.

    Attributes:
        dataset: whose synth plays it.
        wanted: the sound.
        settings: of the search.
        pitch: that was heard in the sound; None if none was.
        note: that plays all candidates.
        pool: the rows that were listened to.
        nearest: the row that was nearest before the search.
    """

    dataset: Dataset
    wanted: Wanted
    settings: Settings
    pitch: Pitch | None
    note: Note
    pool: Pool
    nearest: Nearest
    trials: Trials
    host: Host

    @property
    def best(self) -> Heard:
        """The best of all trials."""
        assert self.trials.best is not None
        return self.trials.best

    @property
    def label(self) -> Label:
        """The label of the match."""
        return self.dataset.space.encode(self.patch)

    @property
    def patch(self) -> Patch:
        """The patch of the match, with a value for every parameter of the synth."""
        return self.best.patch

    @property
    def audio(self) -> NDArray[np.float32]:
        """The sound of the match: float32 (channels, frames)."""
        return self.best.audio

    @property
    def target(self) -> NDArray[np.float32]:
        """The sound that was looked for, in the form of a row: float32 (channels, frames)."""
        return self.wanted.sound.audio

    @property
    def distance(self) -> float:
        """The distance of the match, in dB: see :class:`tonesmith.analysis.matching.distance.Distance`."""
        return self.best.trial.distance

    @property
    def history(self) -> list[tuple[int, float]]:
        """Each time that a nearer sound was found: the renders made by then, and its distance."""
        return self.trials.history

    @property
    def interrupted(self) -> bool:
        """Whether somebody wanted an end before the budget was spent."""
        return self.trials.interrupted

    @cached_property
    def metrics(self) -> dict[str, dict[str, float]]:
        """``nearest`` and ``match`` -> metric -> value of that sound against the target."""
        target = self.trials.distance.target
        sounds = {"nearest": self.nearest.heard.audio, "match": self.audio}
        return {name: metrics_of(target, sound_of(audio, target.sample_rate)) for name, audio in sounds.items()}

    def preset(self, name: str = "match", *, trust: bool = False) -> bytes:
        """Return the match as a preset of its synth.

        Args:
            name: shown as the preset's name.
            trust: whether to load what the plan names though this user has not used it.

        Raises :class:`ConfigError` if the backend cannot write presets, :class:`EngineError` if it cannot write this.
        """
        return preset_of_patch(self.dataset, self.patch, name, self.host, trust=trust)

    def readable_label(self) -> dict[str, Any]:
        """Return the label as a person reads it, and as ``tonesmith render`` does."""
        return label_of_patch(self.dataset.space, self.patch, self.note)

    def to_json(self) -> dict[str, Any]:
        """Return the comparison as JSON."""
        note, plan = self.note, self.dataset.plan
        row = int(self.dataset.rows[self.nearest.place])
        return {
            "format": FORMAT,
            "path": self.wanted.name,
            "like": str(self.dataset.storage.path or ""),
            "fingerprint": plan.fingerprint,
            "sound": self.wanted.sound.to_json(),
            "pitch": self.pitch.to_json() if self.pitch else None,
            "note": note_to_json(note),
            "seed": self.settings.seed,
            "level": self.settings.level,
            "rows": self.pool.listened,
            "renders": self.trials.done,
            "renders_failed": self.trials.failed,
            "seconds": round(self.trials.seconds, 3),
            "interrupted": self.interrupted,
            "metrics": {m.name: {"unit": m.unit, "doc": m.doc, "level": m.level, "best": m.best} for m in METRICS},
            "nearest": {"row": row, "distance": self.nearest.heard.trial.distance, **self.metrics["nearest"]},
            "match": {"distance": self.distance, **self.metrics["match"]},
            "history": [{"renders": done, "distance": distance} for done, distance in self.trials.history],
        }

    def lines(self) -> list[str]:
        """Return the table, of 80 columns."""
        return list(_lines(self, self.to_json()))


def _lines(match: Match, data: Mapping[str, Any]) -> Iterator[str]:
    sound, note = match.wanted.sound, match.note
    yield f"{one_line(match.wanted.name, 60)}, {match.dataset.plan.notes.duration:g} s"
    if sound.offset:
        yield f"  from      {sound.offset:.3f} s on, where the sound begins"
    held = f"velocity {note.velocity}, held for {note.hold:g} s"
    yield f"  note      {note.pitch} ({pitch_name(note.pitch)}), {held}"
    listened = counted(match.pool.listened, "row")
    of = f" of {match.pool.patches:,} patches" if match.pool.listened < match.pool.patches else ""
    yield f"  nearest   row {data['nearest']['row']}, of {listened} listened to{of}"
    failed = f", {data['renders_failed']:,} failed" if data["renders_failed"] else ""
    yield f"  renders   {match.trials.done:,} in {clock(match.trials.seconds)}{failed}"
    yield ""
    yield f"{'':<47}{'unit':<5}{'nearest row':>12}{'match':>10}"
    pair = (data["nearest"]["distance"], data["match"]["distance"])
    yield _line("distance", "mss, and a part of loudness", "dB", *pair)
    for metric in METRICS:
        pair = (data["nearest"][metric.name], data["match"][metric.name])
        yield _line(metric.name, metric.doc, metric.unit, *pair)
    yield "  0 is best, except rms, where 1 is. mss, sot and rms are blind to level."


def _line(name: str, doc: str, unit: str, nearest: float, match: float) -> str:
    return f"{name:<10}{doc:<37}{unit:<5}{nearest:>12.4g}{match:>10.4g}"
