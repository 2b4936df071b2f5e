"""Sinks whose rows are an audio file and a JSON label each."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from tonesmith.errors import DatasetError
from tonesmith.host.roles import Footprint, Options
from tonesmith.sinks.base.block_layout import Layout
from tonesmith.sinks.base.blocks import BlockSink, Part
from tonesmith.sinks.base.shares import FLAC

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tonesmith.plan.plan import Plan
    from tonesmith.plan.schema import Column
    from tonesmith.sinks.base.block_storage import BlockStorage
    from tonesmith.sinks.rows.audio import AudioForm

O = TypeVar("O", bound=Options)  # noqa: E741 - the options type of a plugin


class LabelSink(BlockSink[O]):
    """A sink with an option ``audio``: the form of its audio files."""

    divides = True
    extra: ClassVar[str]
    """Of tonesmith, that installs what FLAC needs."""
    lossless: ClassVar[str]
    """The form that loses nothing."""

    def __init__(self, options: O, path: Path) -> None:
        super().__init__(options, path)
        self._check_form(self.form)

    @property
    def form(self) -> AudioForm:
        """The form of the audio files."""
        form: AudioForm = self.options.audio  # type: ignore[attr-defined]
        return form

    @classmethod
    def open(cls, path: Path) -> BlockStorage:
        """Return the dataset at a path, for reading, while others may be writing to it."""
        cls._check_form(cls.form_at(path))
        return super().open(path)

    @classmethod
    def form_at(cls, path: Path) -> AudioForm:
        """Return the form of the audio files of the dataset at a path. Raise :class:`DatasetError` if it is none."""
        told = cls.required_layout(path).options
        try:
            form: AudioForm = cls.Options.model_validate(dict(told)).audio  # type: ignore[attr-defined]
        except ValueError:
            raise DatasetError(f"{path}: its record has options that the sink {cls.name!r} does not have") from None
        return form

    def check_audio(self, layout: Layout) -> None:
        """Raise :class:`ConfigError` if FLAC is to hold the audio, and cannot."""
        if self.form == "flac":
            from tonesmith.sinks.rows.audio import check_flac_holds

            check_flac_holds(layout, self.lossless)

    @classmethod
    def columns(cls, plan: Plan, splits: Sequence[str]) -> Sequence[Column]:
        """Return the audio, and what a label has."""
        from tonesmith.sinks.rows.labels import label_columns

        audio = [column for column in plan.schema if column.name == "audio"]
        return (*audio, *label_columns(plan.schema, split=bool(splits)))

    def footprint(self, columns: int) -> Footprint:
        """Return about what a dataset takes: a file and a marker a block."""
        return Footprint(FLAC if self.lossy else 1.0)

    @property
    def lossy(self) -> bool:
        """Whether the form leaves the audio other than it was."""
        from tonesmith.sinks.rows.audio import is_lossy

        return is_lossy(self.form)

    def stored(self, audio: NDArray[Any]) -> NDArray[Any]:
        """Return float32 audio as it will be read back, in the same shape."""
        from tonesmith.sinks.rows.audio import stored_audio

        return stored_audio(audio, self.form)

    def encoded(self, layout: Layout, part: Part) -> Iterator[tuple[bytes, dict[str, Any]]]:
        """Yield the audio file and the label of each row of a part."""
        from tonesmith.sinks.rows.audio import encode_audio
        from tonesmith.sinks.rows.labels import Labels, origins_of

        labels = Labels(layout.columns, origins_of(layout.attributes)).pack(part.rows, part.columns)
        split = {"split": part.split} if part.split else {}
        for audio, label in zip(part.columns["audio"], labels, strict=True):
            content, scale = encode_audio(audio, self.form, layout.sample_rate)
            yield content, {"row": label.pop("row"), **split, "scale": scale, **label}

    @classmethod
    def _check_form(cls, form: str) -> None:
        if form == "flac":
            from tonesmith.errors import check_libraries

            check_libraries(f"the sink {cls.name!r} with audio = 'flac'", ("soundfile",), cls.extra)
