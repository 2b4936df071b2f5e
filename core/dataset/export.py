"""One row of a dataset, or any other label of it, as files that other programs open."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import numpy as np

from tonesmith.dataset.reader import Dataset
from tonesmith.dataset.row import Row, parameters_of
from tonesmith.engine.client import Engine
from tonesmith.errors import ConfigError, EngineError
from tonesmith.host.registry import Host
from tonesmith.host.trust import check_trusted
from tonesmith.plan.notes import note_to_json
from tonesmith.score.phrase import Phrase
from tonesmith.score.writer import midi_of
from tonesmith.space.patch import Note, Patch
from tonesmith.space.preset import told_presets
from tonesmith.space.space import ParameterSpace


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
    check_writes_presets(dataset, host)
    chosen = dataset[row]
    try:
        return preset_of_patch(dataset, chosen.patch, name, host, trust=trust)
    except EngineError as error:
        made_of = told_presets(chosen.patch, dataset.plan.presets)
        raise EngineError(f"row {chosen.row}{f', made of {made_of}' if made_of else ''}: {error}") from error


def check_writes_presets(dataset: Dataset, host: Host) -> str:
    """Return the suffix of the presets of a dataset's synth. Raises :class:`ConfigError` if it cannot write any."""
    backend = host.find("backend", dataset.plan.backend.name)
    if not backend.preset_suffix:
        raise ConfigError(f"the backend {backend.name!r} cannot write presets")
    return backend.preset_suffix


def preset_of_patch(dataset: Dataset, patch: Patch, name: str, host: Host, *, trust: bool = False) -> bytes:
    """Return the preset of any patch of a dataset's space. Arguments and errors as for :func:`preset_of`.

    Args:
        dataset: that has the assets which the patch names.
        patch: with a value for every parameter.
        name: shown as the preset's name.
        host: finds the backend.
        trust: whether to load what the plan names though this user has not used it.
    """
    plan, assets = dataset.plan, {name: dataset.storage.asset(name) for name in set(patch.assets.values()) if name}
    backend = host.find("backend", plan.backend.name)
    if not backend.preset_needs_engine:
        return backend.preset(patch, assets, name)
    check_trusted(plan, host, trust=trust)
    with Engine(plan.backend, plan.audio, 1, plan.isolation, assets.__getitem__) as engine:
        return engine.save_preset(patch, name, plan.timeout)


def label_of(row: Row, split: str = "") -> dict[str, Any]:
    """Return what a row is, as a person reads it: note, origin, measurements, and every parameter with its unit.

    Args:
        row: to tell of.
        split: that it is in, if any.
    """
    presets = {preset.sha256: preset for preset in row.plan.presets}
    return {
        "row": row.row,
        "patch": row.patch_id,
        "attempt": row.attempt,
        "origin": row.origin,
        **({"split": split} if split else {}),
        "presets": [asdict(presets[sha]) for sha in (row.preset, row.mate) if sha in presets],
        **({"joined": row.joined} if row.joined else {}),
        **({"annotations": row.annotations} if row.annotations else {}),
        "measured": {name: value for name, value in row.measured.items() if np.isfinite(value)},
        **label_of_patch(row.plan.space, row.patch, row.plays),
    }


def label_of_patch(space: ParameterSpace, patch: Patch, note: Note | Phrase) -> dict[str, Any]:
    """Return a patch and its note as a person reads them: what :func:`tonesmith.dataset.label_file.read_label` reads.

    Args:
        space: of the patch.
        patch: with a value for every parameter.
        note: the note or phrase that plays it.
    """
    told = zip(parameters_of(space, patch).items(), space.audible(patch).tolist(), strict=True)
    return {
        "note": note_to_json(note),
        **({"score": note.score.to_json()} if isinstance(note, Phrase) else {}),
        "parameters": {
            name: {"raw": value.raw, "value": value.value, "unit": value.unit, "text": value.text, "audible": audible}
            for (name, value), audible in told
        },
        "modulations": [asdict(m) for m in patch.modulations],
        "assets": dict(patch.assets),
    }


def midi_of_row(row: Row) -> bytes:
    """Return what a row plays as a MIDI file: its score, or its note in a score of its own."""
    return midi_of(row.as_score)
