"""One row of a dataset as files that other programs open."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import numpy as np

from tonesmith.dataset.reader import Dataset
from tonesmith.dataset.row import Row
from tonesmith.engine.client import Engine
from tonesmith.errors import ConfigError, EngineError
from tonesmith.host.registry import Host
from tonesmith.host.trust import check_trusted
from tonesmith.space.preset import told_presets


def preset_of(dataset: Dataset, row: int, name: str, host: Host, *, trust: bool = False) -> bytes:
    """Return the preset of a row: the file that sounds like it in its synth, and renders it again bit for bit.

    The synth itself need not be installed, except where only it can write its presets.

    Args:
        dataset: of the row.
        row: which.
        name: shown as the preset's name.
        host: finds the backend.
        trust: whether to load what the plan names though this user has not used it.

    Raises :class:`ConfigError` if the backend cannot write presets, :class:`EngineError` with the row, and the
    preset that it came from, if it cannot write this one, and :class:`TrustError` if the plan names a plugin to load
    that this user does not know.
    """
    plan = dataset.plan
    backend = host.find("backend", plan.backend.name)
    if not backend.preset_suffix:
        raise ConfigError(f"the backend {backend.name!r} cannot write presets")
    chosen, assets = dataset[row], dataset.assets_of(row)
    if backend.preset_needs_engine:
        check_trusted(plan, host, trust=trust)
    try:
        if backend.preset_needs_engine:
            with Engine(plan.backend, plan.audio, 1, plan.isolation, assets.__getitem__) as engine:
                return engine.save_preset(chosen.patch, name, plan.timeout)
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
