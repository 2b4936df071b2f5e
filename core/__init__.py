"""Labelled sound datasets from real synthesizers, whose every row renders again from its label."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tonesmith import errors
    from tonesmith.api import convert, generate, merge, split
    from tonesmith.block import Rejection, Render, Verdict
    from tonesmith.config import Config, load_config
    from tonesmith.converting import Transferred
    from tonesmith.dataset import Dataset, Row, Rows, open_dataset
    from tonesmith.errors import (
        ConfigError,
        DatasetError,
        DatasetNotFoundError,
        EngineError,
        OtherPlanError,
        PathTakenError,
        PluginError,
        RunError,
        SpaceError,
        TonesmithError,
    )
    from tonesmith.hookspecs import hookimpl
    from tonesmith.host import Host
    from tonesmith.importance import Importance, importance_of
    from tonesmith.notes import Notes
    from tonesmith.parameter import Parameter
    from tonesmith.patch import Candidate, Modulation, Note, Patch
    from tonesmith.plan import Plan
    from tonesmith.preset import Preset, PresetRef
    from tonesmith.roles import Backend, FileSet, Measure, Options, Sampler, Sink, Storage, Validator
    from tonesmith.routing import Routing
    from tonesmith.shape import ModulationShape, SpaceShape
    from tonesmith.space import Label, ParameterSpace
    from tonesmith.splits import Splits
    from tonesmith.watch import Summary, Watcher

    __version__: str

__all__ = [
    "Backend",
    "Candidate",
    "Config",
    "ConfigError",
    "Dataset",
    "DatasetError",
    "DatasetNotFoundError",
    "EngineError",
    "FileSet",
    "Host",
    "Importance",
    "Label",
    "Measure",
    "Modulation",
    "ModulationShape",
    "Note",
    "Notes",
    "Options",
    "OtherPlanError",
    "Parameter",
    "ParameterSpace",
    "Patch",
    "PathTakenError",
    "Plan",
    "PluginError",
    "Preset",
    "PresetRef",
    "Rejection",
    "Render",
    "Routing",
    "Row",
    "Rows",
    "RunError",
    "Sampler",
    "Sink",
    "SpaceError",
    "SpaceShape",
    "Splits",
    "Storage",
    "Summary",
    "TonesmithError",
    "Transferred",
    "Validator",
    "Verdict",
    "Watcher",
    "__version__",
    "convert",
    "errors",
    "generate",
    "hookimpl",
    "importance_of",
    "load_config",
    "merge",
    "open_dataset",
    "split",
]

_HOMES = {
    "api": ("convert", "generate", "merge", "split"),
    "block": ("Rejection", "Render", "Verdict"),
    "config": ("Config", "load_config"),
    "converting": ("Transferred",),
    "dataset": ("Dataset", "Row", "Rows", "open_dataset"),
    "errors": (
        "ConfigError",
        "DatasetError",
        "DatasetNotFoundError",
        "EngineError",
        "OtherPlanError",
        "PathTakenError",
        "PluginError",
        "RunError",
        "SpaceError",
        "TonesmithError",
    ),
    "hookspecs": ("hookimpl",),
    "host": ("Host",),
    "importance": ("Importance", "importance_of"),
    "notes": ("Notes",),
    "parameter": ("Parameter",),
    "patch": ("Candidate", "Modulation", "Note", "Patch"),
    "plan": ("Plan",),
    "preset": ("Preset", "PresetRef"),
    "roles": ("Backend", "FileSet", "Measure", "Options", "Sampler", "Sink", "Storage", "Validator"),
    "routing": ("Routing",),
    "shape": ("ModulationShape", "SpaceShape"),
    "space": ("Label", "ParameterSpace"),
    "splits": ("Splits",),
    "watch": ("Summary", "Watcher"),
}
"""Module -> names: each module is imported when one of its names is first used, so that
``import tonesmith`` costs no NumPy and a plugin file may import from here."""

_MODULE_OF = {name: module for module, names in _HOMES.items() for name in names}


def __getattr__(name: str) -> Any:
    if name == "__version__":
        from importlib.metadata import version

        value: Any = version("tonesmith")
    elif name == "errors":
        value = importlib.import_module("tonesmith.errors")
    elif name in _MODULE_OF:
        value = getattr(importlib.import_module(f"tonesmith.{_MODULE_OF[name]}"), name)
    else:
        raise AttributeError(f"module 'tonesmith' has no attribute {name!r}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
