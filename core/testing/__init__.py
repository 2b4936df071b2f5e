"""Tests for authors of plugins: contract classes for the roles, and a synth that misbehaves.

Subclass a contract, name the class under test, and run pytest::

    from tonesmith.testing import BackendContract

    class TestMySynth(BackendContract):
        name = "mysynth"

The fixture ``project`` (:mod:`tonesmith.testing.plugin`) is there wherever tonesmith is installed. pytest is
no dependency of tonesmith: it is asked for when a contract is first used.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tonesmith.testing.annotator import AnnotatorContract
    from tonesmith.testing.augmenter import AugmenterContract
    from tonesmith.testing.backend import BackendContract
    from tonesmith.testing.chaos import Chaos
    from tonesmith.testing.composer import ComposerContract
    from tonesmith.testing.executor import ExecutorContract
    from tonesmith.testing.feature import FeatureContract
    from tonesmith.testing.importer import ImporterContract
    from tonesmith.testing.model import ModelContract
    from tonesmith.testing.project import Finished, Project
    from tonesmith.testing.sampler import SamplerContract
    from tonesmith.testing.score_feature import ScoreFeatureContract
    from tonesmith.testing.sink import SinkContract
    from tonesmith.testing.sink_form import SinkFormContract
    from tonesmith.testing.validator import ValidatorContract

__all__ = [
    "AnnotatorContract",
    "AugmenterContract",
    "BackendContract",
    "Chaos",
    "ComposerContract",
    "ExecutorContract",
    "FeatureContract",
    "Finished",
    "ImporterContract",
    "ModelContract",
    "Project",
    "SamplerContract",
    "ScoreFeatureContract",
    "SinkContract",
    "SinkFormContract",
    "ValidatorContract",
]

_HOMES = {
    "AnnotatorContract": "annotator",
    "AugmenterContract": "augmenter",
    "BackendContract": "backend",
    "Chaos": "chaos",
    "ComposerContract": "composer",
    "ExecutorContract": "executor",
    "FeatureContract": "feature",
    "Finished": "project",
    "ImporterContract": "importer",
    "ModelContract": "model",
    "Project": "project",
    "SamplerContract": "sampler",
    "ScoreFeatureContract": "score_feature",
    "SinkContract": "sink",
    "SinkFormContract": "sink_form",
    "ValidatorContract": "validator",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'tonesmith.testing' has no attribute {name!r}")
    try:
        home = importlib.import_module(f"tonesmith.testing.{_HOMES[name]}")
    except ModuleNotFoundError as error:
        if error.name != "pytest":
            raise
        raise ImportError(f"tonesmith.testing.{name} needs pytest. Install it: pip install pytest") from error
    return getattr(home, name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
