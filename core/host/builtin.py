"""The modules of the built-in plugins, which come through the same door as those of third parties."""

from __future__ import annotations

from typing import Final

BUILTINS: Final = (
    "tonesmith.backends.dawdreamer",
    "tonesmith.backends.vita",
    "tonesmith.backends.vst3",
    "tonesmith.samplers.breed",
    "tonesmith.samplers.lhs",
    "tonesmith.samplers.mix",
    "tonesmith.samplers.perturb",
    "tonesmith.samplers.presets",
    "tonesmith.samplers.sobol",
    "tonesmith.samplers.uniform",
    "tonesmith.composers.chords",
    "tonesmith.composers.dynamics",
    "tonesmith.composers.emotion",
    "tonesmith.composers.files",
    "tonesmith.composers.groove",
    "tonesmith.composers.harmony",
    "tonesmith.composers.melody",
    "tonesmith.validators.level",
    "tonesmith.validators.loudness",
    "tonesmith.features.embedding",
    "tonesmith.features.f0",
    "tonesmith.features.mel",
    "tonesmith.features.mfcc",
    "tonesmith.features.perceptual",
    "tonesmith.features.stats",
    "tonesmith.features.stft",
    "tonesmith.sinks.folder",
    "tonesmith.sinks.hdf5",
    "tonesmith.sinks.lmdb",
    "tonesmith.sinks.parquet",
    "tonesmith.sinks.webdataset",
    "tonesmith.sinks.zarr",
    "tonesmith.executors.local",
    "tonesmith.executors.ray",
    "tonesmith.importers.archive",
    "tonesmith.importers.folder",
    "tonesmith.importers.manifest",
    "tonesmith.corpus",
)
"""Dotted paths, by role and name."""
