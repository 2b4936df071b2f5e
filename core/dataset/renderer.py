"""One engine that plays patches as the rows of a dataset were played: for its own rows, and for any other label."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from tonesmith.dataset.encodings import Encodings
from tonesmith.dataset.installed import installed
from tonesmith.dataset.reader import Dataset
from tonesmith.engine.client import Engine
from tonesmith.engine.summing import slots_for
from tonesmith.errors import SpaceError
from tonesmith.host.registry import Host
from tonesmith.host.trust import check_trusted
from tonesmith.score.phrase import Phrase
from tonesmith.space.patch import Note, Patch


@dataclass(frozen=True, slots=True)
class Rendered:
    """What became of a patch.

    Attributes:
        audio: float32 (channels, frames) as the dataset would store it; zeros if it could not be rendered.
        patch: that was played.
        failure: why it could not be rendered, or "".
        held: parameter -> raw value, where the synth holds another one than it was told: ``patch`` has these.
    """

    audio: NDArray[np.float32]
    patch: Patch
    failure: str = ""
    held: Mapping[str, float] = field(default_factory=dict)


class Renderer:
    """Plays patches on an engine of a dataset, in a process of its own that is started when it is first needed.

    Args:
        dataset: whose synth plays, in the form of whose rows, with whose assets.
        path: of the dataset.
        host: finds its plugins.
        trust: whether to load what its plan names though this user has not used it.

    Raises :class:`PluginError` if its backend is not installed, :class:`TrustError` if its plan names a plugin that
    this user does not know.
    """

    def __init__(self, dataset: Dataset, path: Path, host: Host, *, trust: bool = False) -> None:
        self.plan = installed(dataset, path, host, ("backend",)).plan
        check_trusted(self.plan, host, trust=trust)
        self._encodings = Encodings(dataset, path, host)
        slots = slots_for(self.plan.backend, self.plan.audio, 1) if self.plan.phrases else 1
        self._engine = Engine(self.plan.backend, self.plan.audio, slots, self.plan.isolation, dataset.storage.asset)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._engine.close()

    def render(self, patch: Patch, note: Note | Phrase, patch_id: int = -1) -> Rendered:
        """Return what a patch sounds like. A crash or a hang costs this patch alone.

        Args:
            patch: with a value for every parameter of the synth.
            note: the note or phrase that plays it, as long as the rows of the dataset.
            patch_id: index of the patch in the plan, of a stored one; -1 of any other.

        Raises :class:`EngineError` if no engine can be loaded, and :class:`DatasetError` for an asset that is damaged.
        """
        played = patch

        def relabelled(held: Mapping[str, float]) -> Patch:
            nonlocal played
            space = self.plan.space
            label = space.encode(replace(patch, values={**patch.values, **held}))
            played = space.decode(label, patch.origin, patch.preset, patch.mate)
            return played

        try:
            outcome = self._engine.play(patch, [note], self.plan.timeout, relabelled=relabelled)[0]
        except SpaceError as error:
            return self._failed(patch, f"error: the synth holds other values than the label: {error}")
        form = (self.plan.audio.channels, self.plan.audio.frames)
        if outcome.failure:
            return self._failed(patch, f"{outcome.failure}: {outcome.detail}")
        if outcome.shape != form:
            return self._failed(patch, f"shape: render returned {outcome.shape}; in this dataset it must be {form}")
        audio = self._encodings.stored(self._engine.audio[0].copy(), patch_id)
        if not np.isfinite(audio).all():
            return self._failed(patch, "not finite: a sample is NaN or infinite")
        return Rendered(audio, played, held=outcome.held)

    def _failed(self, patch: Patch, failure: str) -> Rendered:
        form = (self.plan.audio.channels, self.plan.audio.frames)
        return Rendered(np.zeros(form, np.float32), patch, failure)
