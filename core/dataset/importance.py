"""How much each continuous parameter matters to the sound: what was measured, and the loss weights it gives."""

from __future__ import annotations

import json
import math
import os
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal, Self, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from tonesmith.buckets.address import place_of
from tonesmith.dataset.beside import beside, write_beside
from tonesmith.document import parsed, read_plain
from tonesmith.errors import ConfigError, DatasetError, unknown_name, unreadable

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

FORMAT: Final = 1
"""Version of the stored form. A reader refuses another one."""

Metric = Literal["log_mel", "stft"]


class Stored(BaseModel):
    """Base of what is written as JSON: every number finite, every key known."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


S = TypeVar("S", bound=Stored)


class Moved(Stored):
    """What became of the sound of a base when one parameter moved up and down: means over the moves.

    Attributes:
        log_mel: distance in dB.
        stft: multi-resolution distance.
        peak: largest difference of any sample; 0 if no move changed one.
        step: size of the moves as rendered, in units of the label.
        moves: how many there were: two, or one where the range ends.
    """

    log_mel: float
    stft: float
    peak: float
    step: float
    moves: int


class BaseRecord(Stored):
    """What was measured around one base patch.

    Attributes:
        number: its place among the bases.
        patch: its index in the plan.
        attempt: which draw of the patch it is.
        failure: why nothing could be measured around it, or "".
        gated: the parameters that its gates leave inaudible.
        moved: the parameters that were moved.
        skipped: parameter -> why a move of it could not be rendered.
    """

    number: int
    patch: int
    attempt: int = 0
    failure: str = ""
    gated: tuple[str, ...] = ()
    moved: Mapping[str, Moved] = {}
    skipped: Mapping[str, str] = {}


class Change(Stored):
    """How much the sound changes, in one distance.

    Attributes:
        mean: over the bases; one that leaves the parameter inaudible counts as 0. None if no base could tell.
        error: standard error of the mean, the bases being independent; None with fewer than two.
        audible: mean over the bases that leave it audible; None without any.
    """

    mean: float | None
    error: float | None
    audible: float | None


class ParameterImportance(Stored):
    """How much one parameter matters.

    Attributes:
        log_mel: change in dB.
        stft: change in the multi-resolution distance.
        bases: that could tell.
        audible: the share of them whose gates leave it audible.
        changed: the share of them in which a move changed a sample.
        step: mean size of the moves as rendered, in units of the label; None if none was.
        skipped: bases around which a move of it could not be rendered.
        weight: the change in log-mel over its mean over all parameters.
    """

    name: str
    log_mel: Change
    stft: Change
    bases: int
    audible: float
    changed: float
    step: float | None
    skipped: int
    weight: float = 0.0

    def change(self, metric: Metric) -> Change:
        """Return the change in one of the two distances."""
        return self.log_mel if metric == "log_mel" else self.stft


class Importance(Stored):
    """How much each continuous parameter of a plan matters to the sound.

    Attributes:
        settings: of the measurement; two with equal settings give equal results.
        made_with: versions of what measured and of the engine.
        bases: around which something could be measured.
        skipped: why others could not be used -> how many.
        failures: why moves could not be rendered -> how many pairs of base and parameter.
        parameters: in the order of ``space.continuous``.
    """

    format: Literal[1] = FORMAT
    settings: Mapping[str, Any]
    made_with: Mapping[str, str]
    bases: int
    skipped: Mapping[str, int]
    failures: Mapping[str, int]
    parameters: tuple[ParameterImportance, ...]

    @classmethod
    def of(
        cls,
        names: Sequence[str],
        records: Iterable[BaseRecord],
        settings: Mapping[str, Any],
        made_with: Mapping[str, str],
    ) -> Self:
        """Return what the records of all bases come to, taken in the order of their numbers."""
        ordered = sorted(records, key=lambda record: record.number)
        good = [record for record in ordered if not record.failure]
        found = [_parameter(name, good) for name in names]
        changes = _changes(found, "log_mel")
        weights = _weights(changes) if any(changes) else changes
        return cls(
            settings=settings,
            made_with=made_with,
            bases=len(good),
            skipped=Counter(record.failure for record in ordered if record.failure),
            failures=Counter(reason for record in good for reason in record.skipped.values()),
            parameters=tuple(p.model_copy(update={"weight": w}) for p, w in zip(found, weights, strict=True)),
        )

    @property
    def names(self) -> tuple[str, ...]:
        """The parameters, in the order of ``space.continuous``."""
        return tuple(p.name for p in self.parameters)

    @property
    def never_audible(self) -> tuple[str, ...]:
        """The parameters that the gates of every base leave inaudible, and that changed nothing."""
        return tuple(p.name for p in self.parameters if p.bases and not p.changed and not p.audible)

    @property
    def never_changed(self) -> tuple[str, ...]:
        """The parameters that some base leaves audible, and no move of which changed a sample."""
        return tuple(p.name for p in self.parameters if p.bases and not p.changed and p.audible)

    def __getitem__(self, name: str) -> ParameterImportance:
        """Return what was found of a parameter; an unknown one is a :class:`ConfigError`."""
        for parameter in self.parameters:
            if parameter.name == name:
                return parameter
        raise ConfigError(unknown_name("parameter", name, self.names))

    def weights(self, names: Iterable[str] | None = None, metric: Metric = "log_mel") -> NDArray[np.float32]:
        """Return loss weights, float32 (names,): ``change[i] / mean(change)``, so that their mean is 1.

        A parameter that never sounds has 0. One that no base could tell of counts as the mean, which is 1.

        Args:
            names: of parameters, in the order wanted; None for ``space.continuous``.
            metric: "log_mel" or "stft", the distance whose mean over all bases is the change.

        Raises :class:`ConfigError` for an unknown name, and if none of the parameters changed the sound.
        """
        import numpy as np

        chosen = self.parameters if names is None else tuple(self[name] for name in names)
        if metric not in {"log_mel", "stft"}:
            raise ConfigError(unknown_name("metric", metric, ("log_mel", "stft")))
        changes = _changes(chosen, metric)
        if not any(changes):
            raise ConfigError("none of these parameters changed the sound, so they have no weights")
        return np.array(_weights(changes), np.float32)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Self:
        """Return what ``tonesmith importance`` wrote to a file.

        Raises :class:`DatasetError` if the file is missing, damaged or of another version.
        """
        return read_stored(cls, place_of(path))

    def save(self, path: Path) -> None:
        """Write the file whole, or not at all."""
        write_stored(path, self)


def importance_path(target: str | os.PathLike[str]) -> Path:
    """Return where the importance of a dataset or a composition is kept: ``d.zarr.importance.json`` beside it."""
    return beside(place_of(target), ".importance.json")


def importance_of(target: str | os.PathLike[str]) -> Importance | None:
    """Return the importance measured for a dataset or a composition, or None if none lies beside it.

    Raises :class:`DatasetError` if the file is damaged or of another version.
    """
    path = importance_path(target)
    return Importance.load(path) if path.is_file() else None


def read_stored(model: type[S], path: Path) -> S:
    """Return what a file holds, checked. Raises :class:`DatasetError`."""
    try:
        data = parsed(read_plain(path), str(path))
    except PermissionError as error:
        raise unreadable(path, error) from None
    except OSError as error:
        raise DatasetError(f"cannot read {path}: {error.strerror}. `tonesmith importance` writes it.") from None
    except DatasetError:
        data = None
    if isinstance(data, dict) and isinstance(data.get("format"), int) and data["format"] > FORMAT:
        raise DatasetError(
            f"{path} has format {data['format']}; this version of tonesmith reads {FORMAT}. Upgrade tonesmith."
        )
    try:
        return model.model_validate(data)
    except ValidationError:
        raise DatasetError(
            f"{path} is damaged, or was not written by `tonesmith importance`. Delete it, or choose another file."
        ) from None


def write_stored(path: Path, stored: Stored) -> None:
    """Write a file of JSON, whole or not at all.

    Raises :class:`DatasetError` if that fails, or a link is there.
    """
    told = json.dumps(stored.model_dump(mode="json"), indent=1, allow_nan=False)
    write_beside(path, f"{told}\n".encode())


def _parameter(name: str, records: Sequence[BaseRecord]) -> ParameterImportance:
    told = [record for record in records if name in record.moved or name in record.gated]
    told = [record for record in told if name not in record.skipped]
    rendered = [record.moved[name] for record in told if name in record.moved]
    audible = [name not in record.gated for record in told]
    moves = sum(moved.moves for moved in rendered)
    return ParameterImportance(
        name=name,
        log_mel=_change([record.moved[name].log_mel if name in record.moved else 0.0 for record in told], audible),
        stft=_change([record.moved[name].stft if name in record.moved else 0.0 for record in told], audible),
        bases=len(told),
        audible=sum(audible) / max(len(told), 1),
        changed=sum(moved.peak > 0 for moved in rendered) / max(len(told), 1),
        step=math.fsum(moved.step * moved.moves for moved in rendered) / moves if moves else None,
        skipped=sum(name in record.skipped for record in records),
    )


def _change(values: Sequence[float], audible: Sequence[bool]) -> Change:
    heard = [value for value, is_heard in zip(values, audible, strict=True) if is_heard]
    mean = _mean(values)
    if mean is None or len(values) < 2:
        return Change(mean=mean, error=None, audible=_mean(heard))
    variance = math.fsum((value - mean) ** 2 for value in values) / (len(values) - 1)
    return Change(mean=mean, error=math.sqrt(variance / len(values)), audible=_mean(heard))


def _mean(values: Sequence[float]) -> float | None:
    return math.fsum(values) / len(values) if values else None


def _changes(parameters: Iterable[ParameterImportance], metric: Metric) -> list[float]:
    """Return the change of each parameter; the mean of the others for one that no base could tell of."""
    means = [parameter.change(metric).mean for parameter in parameters]
    typical = _mean([mean for mean in means if mean is not None]) or 0.0
    return [typical if mean is None else mean for mean in means]


def _weights(changes: Sequence[float]) -> list[float]:
    mean = math.fsum(changes) / len(changes)
    return [change / mean for change in changes]
