"""MIDI files, cut into phrases."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field, field_validator

from tonesmith.errors import ConfigError, ScoreError
from tonesmith.host.hookspecs import hookimpl
from tonesmith.host.roles import Composed, Composer, Options
from tonesmith.score.controllers import kinds_of

if TYPE_CHECKING:
    from tonesmith.composers._phrases import Collection
    from tonesmith.plan.annotated import AnnotationField


class FilesOptions(Options):
    """Options of :class:`Files`."""

    paths: tuple[Path, ...] = Field(
        default=(), description="MIDI files, folders and globs. In a TOML file, they are relative to its folder."
    )
    cut: Literal["bars", "time", "whole"] = Field(
        default="bars",
        description="bars: as many whole bars as fit; time: exactly the seconds of a phrase; whole: the beginning of "
        "each file.",
    )
    hop: float = Field(
        default=0.0,
        ge=0.0,
        le=86_400.0,
        description="From the beginning of a phrase to the next: bars, or seconds with cut = time. 0: they follow "
        "each other.",
    )
    parts: tuple[str, ...] = Field(
        default=(),
        description="Parts to play: General MIDI programs (0-127), ranges such as 32-39, or families such as bass. "
        "Empty: all.",
    )
    drums: Literal["without", "with", "only"] = Field(default="without", description="Whether drums are played.")
    alone: bool = Field(default=False, description="Make phrases of each part by itself.")
    controls: tuple[str, ...] = Field(
        default=("all",),
        description="Controllers that are kept: all, none, bend, modwheel, sustain, pressure, or numbers 0 to 127.",
    )
    notes: int = Field(default=1, ge=1, le=100_000, description="Fewest notes of a phrase.")
    range: tuple[int, int] = Field(
        default=(0, 127), description="Lowest and highest MIDI pitch. A phrase that leaves it is left out."
    )
    transpose: Literal["never", "octaves", "semitones"] = Field(
        default="never", description="How a phrase is moved into the range, never its drums."
    )

    @field_validator("controls")
    @classmethod
    def _are_controllers(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        try:
            kinds_of(names)
        except ScoreError as error:
            raise ValueError(str(error)) from None
        return names

    @field_validator("parts", "controls", mode="before")
    @classmethod
    def _numbers_are_names(cls, parts: Any) -> Any:
        """Take a program or a controller that is written as a number."""
        return tuple(str(p) if type(p) is int else p for p in parts) if isinstance(parts, (list, tuple)) else parts

    @field_validator("range")
    @classmethod
    def _rises(cls, pitches: tuple[int, int]) -> tuple[int, int]:
        if not 0 <= pitches[0] <= pitches[1] <= 127:
            raise ValueError("must be two MIDI pitches from 0 to 127, the lower one first.")
        return pitches


class Files(Composer[FilesOptions]):
    """The phrases of MIDI files, in the order of the files and of their bars.

    Cutting begins at the bar of a file's first note. A note belongs to the phrase in which it begins; one that began
    before is left out, and one that sounds at the end is let go there. Tempo, meter, key and controllers that are in
    force at the cut are stated at the beginning. Lyrics, markers and other texts are left out. Phrases without notes,
    and all but the first of equal ones, are left out.
    """

    name = "files"
    summary = "MIDI files, cut into phrases"
    Options = FilesOptions

    @classmethod
    def recorded(cls, options: FilesOptions) -> Mapping[str, Any]:
        """Return the options without the paths: a plan has the phrases themselves."""
        return options.model_dump(mode="json", exclude={"paths"})

    def set_up(self) -> None:
        """Refuse options that mean nothing together. No file is read before :meth:`collected`."""
        from tonesmith.score.programs import programs_of

        programs_of(self.options.parts)
        if not self.options.paths:
            raise ConfigError("the composer files has no paths. Give MIDI files, folders or globs.")
        if self.options.cut == "bars" and self.options.hop != int(self.options.hop):
            raise ConfigError(f"hop = {self.options.hop:g}: with cut = 'bars' it counts whole bars.")
        if self.options.cut == "whole" and self.options.hop:
            raise ConfigError("hop means nothing with cut = 'whole', which makes one phrase of each file.")
        if self.options.cut == "time" and self.seconds is None:
            raise ConfigError("cut = 'time' needs the seconds that a phrase lasts.")

    def fields(self) -> Sequence[AnnotationField]:
        """Return what a file states at the beginning of a phrase."""
        from tonesmith.plan.annotated import AnnotationField

        return (
            AnnotationField("tempo_bpm", "number", "beats (quarter notes) per minute at the beginning"),
            AnnotationField(
                "meter", "text", 'time signature at the beginning, such as "3/4"; "" if none is stated', (), 8
            ),
            AnnotationField(
                "key", "text", 'key signature at the beginning, such as "Eb major"; "" if none is stated', (), 16
            ),
        )

    def collected(self) -> Sequence[Composed]:
        """Return all phrases.

        Raises :class:`ConfigError` for a path that names no MIDI file, and if no phrase is found in any of them.
        """
        return self._collection.phrases

    def remarks(self) -> Sequence[str]:
        """Return what was left out of :meth:`collected`, and why: a sentence for each file that cannot be read."""
        return self._collection.remarks

    def compose(self, index: int) -> Composed:
        """Return a phrase; IndexError beyond the last one."""
        if not 0 <= index < len(self.collected()):
            raise IndexError(f"there is no phrase {index}; there are phrases 0..{len(self.collected()) - 1}")
        return self.collected()[index]

    @cached_property
    def _collection(self) -> Collection:
        from tonesmith.composers._phrases import collect

        return collect(self.options, self.seconds)


@hookimpl
def tonesmith_composers() -> Iterable[type[Composer[Any]]]:
    """Return the composer of this module."""
    return [Files]
