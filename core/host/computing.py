"""Computing the features that a plan names: from their options to definitions, and from sounds to columns."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from tonesmith.errors import ConfigError, PluginError, RunError, TonesmithError
from tonesmith.plan.feature import PREFIX, FeatureArray, Sound, StoredFeature
from tonesmith.terminal.text import one_line

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tonesmith.host.registry import Host
    from tonesmith.host.roles import Feature, ScoreFeature
    from tonesmith.plan.plan import Audio
    from tonesmith.score.score import Score

_SHOWN = 3


def feature_of(host: Host, name: str, options: Mapping[str, Any]) -> Feature[Any]:
    """Return a feature, made anew.

    Raises :class:`PluginError` if it is not there, :class:`ConfigError` for wrong options and missing libraries.
    """
    cls = host.find("feature", name)
    validated: Any = host.options_of("feature", name, options)
    return cls(validated)


def planned(feature: Feature[Any], audio: Audio) -> StoredFeature:
    """Return a feature as a plan records it for audio of some form.

    Raises :class:`ConfigError` if it cannot be computed of such audio.
    """
    if feature.of == "score":
        raise ConfigError(
            f"the feature {feature.name!r} is computed of scores, and the rows of a dataset are sounds. Compute it of "
            f"the scores of a corpus: tonesmith corpus features PATH --add {feature.name}"
        )
    try:
        arrays, definition = tuple(feature.arrays(audio)), feature.definition(audio)
    except ConfigError as error:
        raise ConfigError(f"features.{feature.name}: {error}") from None
    if not arrays:
        raise PluginError(f"the feature {feature.name!r} names no arrays.")
    return StoredFeature(feature.name, feature.options.model_dump(mode="json"), dict(definition), arrays)


def planned_of_score(feature: ScoreFeature[Any]) -> StoredFeature:
    """Return a feature of scores as it is stored. Raises :class:`PluginError` if it names no arrays."""
    arrays, definition = tuple(feature.score_arrays()), feature.score_definition()
    if not arrays:
        raise PluginError(f"the feature {feature.name!r} names no arrays.")
    return StoredFeature(feature.name, feature.options.model_dump(mode="json"), dict(definition), arrays)


def computed_of_score(feature: ScoreFeature[Any], stored: StoredFeature, score: Score) -> dict[str, NDArray[Any]]:
    """Return name -> array of a score, as they are stored.

    Raises :class:`RunError` for a feature that fails, or returns what its definition does not promise.
    """
    return _promised(stored, _computed(stored.name, lambda: feature.compute_score(score)))


def computed_of_sound(feature: Feature[Any], stored: StoredFeature, sound: Sound) -> dict[str, NDArray[Any]]:
    """Return name -> array of a sound, as they are stored. Raises :class:`RunError` as :func:`computed_of_score`."""
    return _promised(stored, _computed(stored.name, lambda: feature.compute(sound)))


def _promised(stored: StoredFeature, made: Mapping[str, Any]) -> dict[str, NDArray[Any]]:
    if set(made) != {array.name for array in stored.arrays}:
        raise _wrong(stored.name, f"returned the arrays {_listed(made)}, not {_listed_of(stored.arrays)}")
    return {array.name: _checked(stored.name, array, made[array.name]) for array in stored.arrays}


class Computer:
    """Computes the features of a plan, each of which is the one that the plan defines.

    Args:
        features: as the plan records them.
        audio: the form of every sound.
        host: finds the plugins.

    Raises :class:`PluginError` if one is not installed, or is defined otherwise in the version that is.
    """

    def __init__(self, features: Iterable[StoredFeature], audio: Audio, host: Host) -> None:
        self._audio = audio
        self._features = [(stored, _same(stored, audio, host)) for stored in features]

    def __bool__(self) -> bool:
        return bool(self._features)

    def of(self, sound: Sound) -> dict[str, NDArray[Any]]:
        """Return key -> array of a sound, such as ``mel`` and ``stats.centroid``.

        Raises :class:`RunError` for a feature that fails, or returns what its definition does not promise.
        """
        found: dict[str, NDArray[Any]] = {}
        for stored, feature in self._features:
            made = computed_of_sound(feature, stored, sound)
            found |= {stored.key(array): made[array.name] for array in stored.arrays}
        return found

    def columns(self, columns: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        """Return the columns of all features for rows whose audio and notes are given as columns.

        Args:
            columns: at least ``audio``, ``pitch``, ``velocity``, ``hold``, ``tail``, each (rows, ...); with ``patch``,
                an error tells of which patch it is.

        Raises :class:`RunError` as :meth:`of` does.
        """
        import numpy as np

        rows = len(columns["audio"])
        made = {
            column.name: np.empty((rows, *column.shape), column.dtype)
            for stored, _ in self._features
            for column in stored.columns()
        }
        for row in range(rows if self else 0):
            try:
                found = self.of(self._sound(columns, row))
            except RunError as error:
                raise RunError(f"{error} {_where(columns, row)}") from error.__cause__
            for key, array in found.items():
                made[f"{PREFIX}{key}"][row] = array
        return made

    def _sound(self, columns: Mapping[str, NDArray[Any]], row: int) -> Sound:
        from tonesmith.plan.notes import EXPRESSION, NOTE_COLUMNS, note_from

        note = note_from({name: columns[name][row] for name in (*NOTE_COLUMNS, *EXPRESSION) if name in columns})
        audio = columns["audio"][row].view()
        audio.flags.writeable = False
        return Sound(audio, self._audio.sample_rate, note)


def _same(stored: StoredFeature, audio: Audio, host: Host) -> Feature[Any]:
    """Return the feature that a plan records, if it is still defined so."""
    try:
        feature = feature_of(host, stored.name, stored.options)
        now = planned(feature, audio)
    except ConfigError as error:
        raise ConfigError(f"the feature {stored.name!r} cannot be computed here: {error}") from None
    if now.to_json() != stored.to_json():
        raise PluginError(
            f"the feature {stored.name!r} is defined differently in the version that is installed here "
            f"({_differences(stored, now)}). Install the version that made the dataset."
        )
    return feature


def _differences(stored: StoredFeature, now: StoredFeature) -> str:
    pairs = [
        (key, stored.definition.get(key), now.definition.get(key)) for key in {**stored.definition, **now.definition}
    ]
    changed = [one_line(f"{key}: {old} -> {new}") for key, old, new in pairs if old != new]
    return "; ".join(changed[:_SHOWN]) or "other options or arrays"


def _computed(name: str, compute: Callable[[], Any]) -> Mapping[str, Any]:
    try:
        made = compute()
    except TonesmithError as error:
        raise _wrong(name, f"failed: {error}") from error
    except Exception as error:
        raise _wrong(name, f"failed: {type(error).__name__}: {one_line(error)}") from error
    if not isinstance(made, Mapping):
        raise _wrong(name, f"returned a {type(made).__name__}, not a mapping of arrays")
    return made


def _checked(feature: str, array: FeatureArray, value: Any) -> NDArray[Any]:
    """Return an array as it is stored. Raises :class:`RunError` if it is not what was promised."""
    import numpy as np

    try:
        found = np.asarray(value)
        made = found.astype(array.dtype, casting="same_kind")
    except (TypeError, ValueError):
        raise _wrong(feature, f"returned {array.name} of a type that is not {array.dtype}") from None
    if made.shape != array.shape:
        raise _wrong(feature, f"returned {array.name} of shape {made.shape}, not {array.shape}")
    if made.dtype.kind == "f":
        if not array.missing and np.isnan(made).any():
            raise _wrong(feature, f"returned NaN in {array.name}")
        if np.isinf(made).any():
            raise _wrong(feature, f"returned infinity in {array.name}")
    return made


def _wrong(feature: str, told: str) -> RunError:
    return RunError(f"the feature {feature!r} {told.rstrip('.')}.")


def _where(columns: Mapping[str, NDArray[Any]], row: int) -> str:
    if "patch" not in columns:
        return f"It was given row {row}."
    return f"It was given the sound of patch {columns['patch'][row]}, pitch {columns['pitch'][row]}."


def _listed(names: Iterable[Any]) -> str:
    return one_line(", ".join(sorted(map(str, names)))) or "none"


def _listed_of(arrays: Sequence[FeatureArray]) -> str:
    return _listed(array.name for array in arrays)
