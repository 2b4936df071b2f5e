"""One row of a dataset as files that other programs open."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import numpy as np

from tonesmith.dataset.reader import Dataset
from tonesmith.dataset.row import Row
from tonesmith.errors import ConfigError, EngineError
from tonesmith.host.registry import Host
from tonesmith.space.preset import told_presets


def preset_of(dataset: Dataset, row: int, name: str, host: Host) -> bytes:
    """Return the preset of a row: the file that sounds like it in its synth, and renders it again bit for bit.

    Raises :class:`ConfigError` if the backend cannot write presets, and :class:`EngineError` with the row, and the
    preset that it came from, if it cannot write this one. The synth itself need not be installed.
    """
    backend = host.find("backend", dataset.plan.backend.name)
    if not backend.preset_suffix:
        raise ConfigError(f"the backend {backend.name!r} cannot write presets")
    chosen, assets = dataset[row], dataset.assets_of(row)
    try:
        content: bytes = backend.preset(chosen.patch, assets, name)
    except EngineError as error:
        made_of = told_presets(chosen.patch, dataset.plan.presets)
        raise EngineError(f"row {chosen.row}{f', made of {made_of}' if made_of else ''}: {error}") from error
    return content


def label_of(row: Row, split: str = "") -> dict[str, Any]:
    """Return what a row is, as a person reads it: note, origin, measurements, and every parameter with its unit.

    Args:
        row: to tell of.
        split: that it is in, if any.
    """
    note = row.note
    presets = {preset.sha256: preset for preset in row.plan.presets}
    return {
        "row": row.row,
        "patch": row.patch_id,
        "attempt": row.attempt,
        "origin": row.origin,
        **({"split": split} if split else {}),
        "presets": [asdict(presets[sha]) for sha in (row.preset, row.mate) if sha in presets],
        "note": {"pitch": note.pitch, "velocity": note.velocity, "hold": note.hold, "tail": note.tail},
        "measured": {name: value for name, value in row.measured.items() if np.isfinite(value)},
        "parameters": {
            name: {"raw": value.raw, "value": value.value, "unit": value.unit, "text": value.text, "audible": audible}
            for (name, value), audible in zip(row.parameters.items(), row.audible.tolist(), strict=True)
        },
        "modulations": [asdict(m) for m in row.label.modulations],
    }
