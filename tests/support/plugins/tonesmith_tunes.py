"""Composers whose every note is known: one that composes, and one that plays a list. It is a third party."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field

from tonesmith import AnnotationField, Composed, Composer, Options, Score, hookimpl
from tonesmith.score.score import BEND, controls_of
from tonesmith.space.sampling import uniform

FIELDS = (
    AnnotationField("steps", "whole", "notes of the scale"),
    AnnotationField("start_s", "number", "seconds until the first note"),
    AnnotationField("rising", "flag", "whether it rises"),
    AnnotationField("mood", "choice", "what it is like", choices=("bright", "dark")),
    AnnotationField("name", "text", "its name", length=32),
)


def tune(seed, index, most):
    draw = uniform(seed, "tune", index, 0, 4)
    steps = 1 + int(draw[0] * most)
    rising, start = bool(draw[1] < 0.5), int(draw[2] * 4) / 64
    pitches = [60 + (step if rising else -step) for step in range(steps)]
    notes = [(start + step / 8, 1 / 8, pitch, 70 + 10 * step) for step, pitch in enumerate(pitches)]
    mood = "bright" if rising else "dark"
    said = {"steps": steps, "start_s": start / 2, "rising": rising, "mood": mood, "name": f"tune é {index}"}
    return Composed(Score.of(notes, bpm=120.0, resolution=64), said)


class TunesOptions(Options):
    most: int = Field(4, ge=1, description="notes of the longest tune")


class Tunes(Composer[TunesOptions]):
    name = "tunes"
    summary = "scales that rise or fall"
    Options = TunesOptions

    def fields(self):
        return FIELDS

    def compose(self, index):
        return tune(self.seed, index, self.options.most)


class ListedOptions(Options):
    count: int = Field(5, ge=0, description="tunes of the list")
    bend: bool = Field(False, description="whether the last one bends")
    folder: Path = Field(Path(), description="which decides nothing")


class Listed(Composer[ListedOptions]):
    name = "listed"
    summary = "a list of tunes"
    Options = ListedOptions

    @classmethod
    def recorded(cls, options):
        return options.model_dump(mode="json", exclude={"folder"})

    def fields(self):
        return FIELDS[:1]

    def collected(self):
        found = [tune(0, index, 4) for index in range(self.options.count)]
        found = [
            Composed(one.score, {"steps": one.annotations["steps"]}, f"{n // 2}.mid, bar {n}")
            for n, one in enumerate(found)
        ]
        if self.options.bend and found:
            last = found[-1].score
            bent = Score(last.resolution, last.notes, controls=controls_of([(0, 0, BEND, 4096)]))
            found[-1] = Composed(bent, found[-1].annotations, "bent.mid, bar 1")
        return found

    def remarks(self):
        return ("a file was left out.",) if self.options.count == 3 else ()

    def compose(self, index):
        return self.collected()[index]


@hookimpl
def tonesmith_composers():
    return [Tunes, Listed]
