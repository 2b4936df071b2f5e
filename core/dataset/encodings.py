"""What the audio of a dataset went through on its way into it: the sinks that store with loss."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tonesmith.dataset.reader import Dataset
from tonesmith.errors import DatasetError
from tonesmith.host.registry import Host
from tonesmith.host.roles import Sink


class Encodings:
    """What the audio of each patch went through on its way into a dataset."""

    def __init__(self, dataset: Dataset, path: Path, host: Host) -> None:
        self._merged = dataset.attributes.get("merged", ())
        self._all = [*dataset.attributes.get("stored_through", ()), dataset.plan.sink.to_json()]
        self._path = path
        self._host = host
        self._sinks: dict[str, Sink[Any]] = {}

    def stored(self, audio: NDArray[np.float32], patch: int = -1) -> NDArray[np.float32]:
        """Return audio as it is read back.

        Args:
            audio: float32 (channels, frames).
            patch: index of the patch that it is of, which tells what it went through before a merge; -1 for a new one.
        """
        try:
            own = next((entry["stored_through"] for entry in self._merged if patch in range(*entry["patches"])), ())
            sinks = [self._sink(encoding) for encoding in (*own, *self._all)]
        except (LookupError, TypeError, AttributeError) as error:
            told = "the attribute 'merged' or 'stored_through' is not as tonesmith writes it"
            raise DatasetError(f"{self._path}: {told}, so no row can be compared with a render.") from error
        for sink in sinks:
            audio = sink.stored(audio)
        return audio

    def _sink(self, encoding: Mapping[str, Any]) -> Sink[Any]:
        key = json.dumps(encoding, sort_keys=True)
        if key not in self._sinks:
            self._sinks[key] = self._host.sink_at(encoding["name"], encoding["options"], self._path)
        return self._sinks[key]
