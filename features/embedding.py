"""What a model of the user's makes of a sound."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field, field_validator

from tonesmith.errors import ConfigError
from tonesmith.features._model import identity_of, is_file, model_of
from tonesmith.host.hookspecs import hookimpl
from tonesmith.host.roles import Feature, Options
from tonesmith.plan.feature import FeatureArray

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from tonesmith.plan.feature import Sound
    from tonesmith.plan.plan import Audio


class EmbeddingOptions(Options):
    """Options of :class:`Embedding`."""

    model: str = Field(
        default="",
        description="Model to run: package.module:callable, which is imported, or the path of a .onnx file. Required.",
    )
    sample_rate: int | None = Field(
        default=None,
        ge=1000,
        le=192000,
        description="Sample rate that the model expects, in Hz; sounds are resampled to it. Unset: the dataset's.",
    )
    channels: Literal["mix", "each"] = Field(
        default="mix", description="What the model is given: the mean of the channels, (1, frames), or all of them."
    )
    tolerance: float = Field(
        default=1e-2, ge=0.0, description="By how much a value may differ when it is computed again."
    )

    @field_validator("model")
    @classmethod
    def _named(cls, model: str) -> str:
        if is_file(model):
            return str(Path(model).expanduser().absolute())
        module, colon, attribute = model.partition(":")
        if model and not (colon and all(p.isidentifier() for p in (*module.split("."), *attribute.split(".")))):
            raise ValueError(f"{model!r} is neither package.module:callable nor the path of a .onnx file")
        return model


class Embedding(Feature[EmbeddingOptions]):
    """The array that a model returns for a sound: one that you have, for nothing is downloaded.

    ::

        [features.embedding]
        model = "mymodels.clap:embed"
        sample_rate = 48000

    A callable is given float32 (channels, frames) and the sample rate in Hz, and returns an array that has the same
    shape for every sound of that length. An ONNX model has one input: (frames), (channels, frames) or
    (1, channels, frames). To name a model is to let it run; a dataset that names one is only read.
    """

    name = "embedding"
    summary = "what a model of yours makes of a sound: an import path or an ONNX file"
    Options = EmbeddingOptions

    def __init__(self, options: EmbeddingOptions) -> None:
        super().__init__(options)
        if not options.model:
            raise ConfigError(
                "features.embedding.model: the model is missing. Name package.module:callable, or a .onnx file."
            )
        self._model = model_of(options.model)

    @classmethod
    def loads(cls, options: EmbeddingOptions) -> tuple[str, ...]:
        """Return the model."""
        return (options.model,) if options.model else ()

    def arrays(self, audio: Audio) -> Sequence[FeatureArray]:
        """Return the array, whose shape is that for silence: a model tells it in no other way."""
        import numpy as np

        silence = np.zeros((audio.channels, audio.frames), np.float32)
        try:
            shape = self._of(silence, audio.sample_rate).shape
        except Exception as error:
            raise ConfigError(f"the model {self.options.model!r} failed: {type(error).__name__}: {error}.") from error
        if not shape or 0 in shape or len(shape) > 4:
            raise ConfigError(
                f"the model {self.options.model!r} returned an array of shape {shape}, not of 1 to 4 axes."
            )
        dims = ("value",) if len(shape) == 1 else tuple(f"axis_{axis}" for axis in range(len(shape)))
        doc = "what the model returns"
        return (FeatureArray("embedding", shape, dims, "1", doc, tolerance=self.options.tolerance),)

    def definition(self, audio: Audio) -> Mapping[str, Any]:
        """Return which model it is, and what it is given."""
        rate = self.options.sample_rate or audio.sample_rate
        model = Path(self.options.model).name if is_file(self.options.model) else self.options.model
        return {
            "version": 1,
            "model": model,
            **identity_of(self.options.model),
            "channels": "mean of all" if self.options.channels == "mix" else "all",
            "sample_rate": rate,
            "resampling": "none"
            if rate == audio.sample_rate
            else "polyphase: scipy.signal.resample_poly, Kaiser window, beta 5",
        }

    def compute(self, sound: Sound) -> Mapping[str, NDArray[Any]]:
        """Return the array."""
        return {"embedding": self._of(sound.audio, sound.sample_rate)}

    def _of(self, audio: NDArray[np.float32], sample_rate: int) -> NDArray[np.float32]:
        import numpy as np

        from tonesmith.dsp.resample import resampled

        given = audio.mean(axis=0, dtype=np.float32, keepdims=True) if self.options.channels == "mix" else audio
        rate = self.options.sample_rate or sample_rate
        given = resampled(given, sample_rate, rate)
        return np.asarray(self._model(np.array(given, np.float32, order="C"), rate), np.float32)


@hookimpl
def tonesmith_features() -> Iterable[type[Feature[Any]]]:
    """Return the feature of this module."""
    return [Embedding]
