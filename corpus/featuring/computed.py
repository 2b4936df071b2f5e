"""Features of one item: read, computed, and written as JSON of numbers and npz of arrays."""

from __future__ import annotations

import hashlib
import io
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tonesmith.corpus.featuring.asked import Asked
from tonesmith.corpus.media import read_recording, read_score
from tonesmith.errors import TonesmithError
from tonesmith.host.computing import computed_of_score, computed_of_sound, planned, planned_of_score
from tonesmith.host.roles import Feature, ScoreFeature
from tonesmith.plan.feature import Sound, StoredFeature
from tonesmith.plan.plan import Audio
from tonesmith.terminal.text import one_line

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Subject:
    """One medium of an item.

    Attributes:
        item: name of it.
        kind: score or audio.
        path: of the file, below the corpus.
        sha256: of the file.
    """

    item: str
    kind: str
    path: str
    sha256: str


class Computing:
    """Computes features of media, and writes the files of each.

    Args:
        folder: of the corpus.
        asked: features.
    """

    def __init__(self, folder: Path, asked: Sequence[Asked]) -> None:
        self._folder = folder
        self._features = [(one, one.feature()) for one in asked]
        self._scores: dict[str, tuple[StoredFeature, str]] = {}

    def of(self, subject: Subject, names: Sequence[str]) -> dict[str, Any]:
        """Return name -> what the truth keeps of a feature that is written now, or ``refused``: why it is not."""
        wanted = [(one, feature) for one, feature in self._features if one.name in names]
        heard: dict[float, Any] = {}
        made: dict[str, Any] = {}
        for one, feature in wanted:
            try:
                seconds = one.seconds if subject.kind == "audio" else 0.0
                if seconds not in heard:
                    heard[seconds] = self._read(subject, seconds)
                made[one.name] = self._one(one, feature, subject, heard[seconds])
            except (TonesmithError, OSError, MemoryError) as error:
                made[one.name] = {"refused": one_line(_told(error))}
            except Exception as error:  # noqa: BLE001 - whatever a feature does, the others go on
                made[one.name] = {"refused": f"{type(error).__name__}: {one_line(error)}"}
        return made

    def _read(self, subject: Subject, seconds: float) -> Any:
        path = self._folder / subject.path
        if not path.is_file():
            raise FileNotFoundError(f"{subject.path} is missing: copy the original there.")
        if subject.kind == "score":
            return read_score(path)
        audio, rate = read_recording(path, seconds)
        audio.flags.writeable = False
        return Sound(audio, rate)

    def _one(self, asked: Asked, feature: Feature[Any], subject: Subject, heard: Any) -> dict[str, Any]:
        if isinstance(feature, ScoreFeature):
            stored, definition = self._defined(asked, feature)
            values = computed_of_score(feature, stored, heard)
        else:
            stored = planned(feature, Audio(heard.sample_rate, *heard.audio.shape))
            definition = _definition(asked, stored)
            values = computed_of_sound(feature, stored, heard)
        named = hashlib.sha256(definition.encode()).hexdigest()[:16]
        files = contents(subject, stored, values, named)
        digest, size = hashlib.sha256(), 0
        for suffix, content in files.items():
            write_aside(self._folder / place(asked.name, subject.item, suffix), content)
            digest.update(content)
            size += len(content)
        return {"definition": named, "told": definition, "nbytes": size, "sha256": digest.hexdigest()}

    def _defined(self, asked: Asked, feature: ScoreFeature[Any]) -> tuple[StoredFeature, str]:
        """Return what a feature of scores is, which is one for all of them."""
        if asked.name not in self._scores:
            stored = planned_of_score(feature)
            self._scores[asked.name] = (stored, _definition(asked, stored))
        return self._scores[asked.name]


def _told(error: Exception) -> str:
    return (error.strerror or str(error)) if isinstance(error, OSError) else str(error) or type(error).__name__


def _definition(asked: Asked, stored: StoredFeature) -> str:
    """Return what a feature is, as JSON: name, options and definition, without what differs from item to item."""
    told = stored.to_json()
    told["arrays"] = [{**array, "shape": None} for array in told["arrays"]]
    heard = {"seconds": asked.seconds} if asked.kind == "audio" else {}
    return json.dumps({**told, "of": asked.of, **heard}, sort_keys=True, indent=1)


def place(name: str, item: str, suffix: str) -> str:
    """Return where a file of a feature lies, below the corpus."""
    return f"processed/features/{name}/{item}{suffix}"


def contents(
    subject: Subject, stored: StoredFeature, values: Mapping[str, NDArray[Any]], definition: str
) -> dict[str, bytes]:
    """Return suffix -> bytes of the files of a feature: ``.npz`` if it has arrays, and ``.json``, which is last."""
    import numpy as np

    numbers = {name: _plain(value) for name, value in values.items() if not value.shape}
    arrays = {name: value for name, value in values.items() if value.shape}
    told = {"item": subject.item, "feature": stored.name, "definition": definition, "of": subject.sha256}
    shapes = {name: list(value.shape) for name, value in arrays.items()}
    text = json.dumps({**told, "values": numbers, "arrays": shapes}, indent=1, ensure_ascii=False)
    if not arrays:
        return {".json": text.encode() + b"\n"}
    packed = io.BytesIO()
    np.savez(packed, allow_pickle=False, **arrays)
    return {".npz": packed.getvalue(), ".json": text.encode() + b"\n"}


def _plain(value: NDArray[Any]) -> float | int | bool | None:
    """Return a number in the fewest digits that give it back; None for NaN."""
    if value.dtype.kind in "iub":
        whole: int | bool = value.item()
        return whole
    number = float(str(value))
    return None if math.isnan(number) else number


def write_aside(path: Path, content: bytes) -> None:
    """Put a file in its place whole. That it lasts is seen to by whoever notes it in the truth, or made again."""
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_name(f".{path.name}.new")
    aside.write_bytes(content)
    aside.replace(path)
