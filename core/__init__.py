"""Labelled sound datasets from real synthesizers, whose every row renders again from its label."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tonesmith import errors
    from tonesmith.analysis import metrics
    from tonesmith.analysis.calls import compare, match, report
    from tonesmith.analysis.holes import Hole, holes
    from tonesmith.api import add_features, convert, finish, generate, merge, split, stream
    from tonesmith.dataset.importance import Importance, importance_of
    from tonesmith.dataset.opening import open_dataset
    from tonesmith.dataset.reader import Dataset
    from tonesmith.dataset.row import Row, Rows
    from tonesmith.dataset.splits import Splits
    from tonesmith.errors import (
        ConfigError,
        DatasetError,
        DatasetNotFoundError,
        EngineError,
        OtherPlanError,
        PathTakenError,
        PluginError,
        ResourceError,
        RunError,
        SpaceError,
        TonesmithError,
        TrustError,
    )
    from tonesmith.host.composition import load_config
    from tonesmith.host.config import Config
    from tonesmith.host.hookspecs import hookimpl
    from tonesmith.host.registry import Host
    from tonesmith.host.roles import (
        Annotation,
        Annotator,
        Augmenter,
        Backend,
        Composed,
        Composer,
        Executor,
        Feature,
        FileSet,
        Footprint,
        Found,
        Frames,
        Importer,
        Material,
        Model,
        Options,
        Recorded,
        Refused,
        Relabelled,
        Sampler,
        ScoreFeature,
        Sink,
        Storage,
        Subject,
        Unsuited,
        Validator,
    )
    from tonesmith.plan.annotated import AnnotationField
    from tonesmith.plan.feature import FeatureArray, Sound, StoredFeature
    from tonesmith.plan.notes import Notes
    from tonesmith.plan.plan import Audio, Plan
    from tonesmith.plan.rejection import Rejection
    from tonesmith.plan.render import Render, Verdict
    from tonesmith.plan.schema import Measure
    from tonesmith.plan.summary import Summary
    from tonesmith.run.finish import Finished
    from tonesmith.run.watch import Watcher
    from tonesmith.score.draws import Draws
    from tonesmith.score.phrase import Phrase
    from tonesmith.score.score import Score
    from tonesmith.space.parameter import Parameter
    from tonesmith.space.patch import Candidate, Modulation, Note, Patch
    from tonesmith.space.preset import Preset, PresetRef
    from tonesmith.space.routing import Routing
    from tonesmith.space.shape import ModulationShape, SpaceShape
    from tonesmith.space.space import Label, ParameterSpace
    from tonesmith.transfer.add_features import FeaturesAdded
    from tonesmith.transfer.destination import Transferred

    __version__: str

__all__ = [
    "Annotation",
    "AnnotationField",
    "Annotator",
    "Audio",
    "Augmenter",
    "Backend",
    "Candidate",
    "Composed",
    "Composer",
    "Config",
    "ConfigError",
    "Dataset",
    "DatasetError",
    "DatasetNotFoundError",
    "Draws",
    "EngineError",
    "Executor",
    "Feature",
    "FeatureArray",
    "FeaturesAdded",
    "FileSet",
    "Finished",
    "Footprint",
    "Found",
    "Frames",
    "Hole",
    "Host",
    "Importance",
    "Importer",
    "Label",
    "Material",
    "Measure",
    "Model",
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
    "Phrase",
    "Plan",
    "PluginError",
    "Preset",
    "PresetRef",
    "Recorded",
    "Refused",
    "Rejection",
    "Relabelled",
    "Render",
    "ResourceError",
    "Routing",
    "Row",
    "Rows",
    "RunError",
    "Sampler",
    "Score",
    "ScoreFeature",
    "Sink",
    "Sound",
    "SpaceError",
    "SpaceShape",
    "Splits",
    "Storage",
    "StoredFeature",
    "Subject",
    "Summary",
    "TonesmithError",
    "Transferred",
    "TrustError",
    "Unsuited",
    "Validator",
    "Verdict",
    "Watcher",
    "__version__",
    "add_features",
    "compare",
    "convert",
    "errors",
    "finish",
    "generate",
    "holes",
    "hookimpl",
    "importance_of",
    "load_config",
    "match",
    "merge",
    "metrics",
    "open_dataset",
    "report",
    "split",
    "stream",
]

_MODULES = {"errors": "errors", "metrics": "analysis.metrics"}

_HOMES = {
    "errors": (
        "ConfigError",
        "DatasetError",
        "DatasetNotFoundError",
        "EngineError",
        "OtherPlanError",
        "PathTakenError",
        "PluginError",
        "ResourceError",
        "RunError",
        "SpaceError",
        "TonesmithError",
        "TrustError",
    ),
    "space.parameter": ("Parameter",),
    "space.space": (
        "Label",
        "ParameterSpace",
    ),
    "space.shape": (
        "ModulationShape",
        "SpaceShape",
    ),
    "space.routing": ("Routing",),
    "space.patch": (
        "Candidate",
        "Modulation",
        "Note",
        "Patch",
    ),
    "space.preset": (
        "Preset",
        "PresetRef",
    ),
    "score.draws": ("Draws",),
    "score.phrase": ("Phrase",),
    "score.score": ("Score",),
    "plan.annotated": ("AnnotationField",),
    "plan.feature": (
        "FeatureArray",
        "Sound",
        "StoredFeature",
    ),
    "plan.notes": ("Notes",),
    "plan.plan": (
        "Audio",
        "Plan",
    ),
    "plan.render": (
        "Render",
        "Verdict",
    ),
    "plan.rejection": ("Rejection",),
    "plan.schema": ("Measure",),
    "plan.summary": ("Summary",),
    "host.roles": (
        "Annotation",
        "Annotator",
        "Augmenter",
        "Backend",
        "Composed",
        "Composer",
        "Executor",
        "Feature",
        "FileSet",
        "Footprint",
        "Found",
        "Frames",
        "Importer",
        "Material",
        "Model",
        "Options",
        "Recorded",
        "Refused",
        "Relabelled",
        "Sampler",
        "ScoreFeature",
        "Sink",
        "Storage",
        "Subject",
        "Unsuited",
        "Validator",
    ),
    "host.hookspecs": ("hookimpl",),
    "host.registry": ("Host",),
    "host.config": ("Config",),
    "host.composition": ("load_config",),
    "dataset.opening": ("open_dataset",),
    "dataset.reader": ("Dataset",),
    "dataset.row": (
        "Row",
        "Rows",
    ),
    "dataset.splits": ("Splits",),
    "dataset.importance": (
        "Importance",
        "importance_of",
    ),
    "run.finish": ("Finished",),
    "analysis.holes": (
        "Hole",
        "holes",
    ),
    "run.watch": ("Watcher",),
    "transfer.add_features": ("FeaturesAdded",),
    "transfer.destination": ("Transferred",),
    "analysis.calls": (
        "compare",
        "match",
        "report",
    ),
    "api": (
        "add_features",
        "convert",
        "finish",
        "generate",
        "merge",
        "split",
        "stream",
    ),
}
"""Module -> names: each module is imported when one of its names is first used, so that
``import tonesmith`` costs no NumPy and a plugin file may import from here."""

_MODULE_OF = {name: module for module, names in _HOMES.items() for name in names}


def __getattr__(name: str) -> Any:
    if name == "__version__":
        from importlib.metadata import version

        value: Any = version("tonesmith")
    elif name in _MODULES:
        value = importlib.import_module(f"tonesmith.{_MODULES[name]}")
    elif name in _MODULE_OF:
        value = getattr(importlib.import_module(f"tonesmith.{_MODULE_OF[name]}"), name)
    else:
        raise AttributeError(f"module 'tonesmith' has no attribute {name!r}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
