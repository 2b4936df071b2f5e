"""What a class must be to be a plugin of a role."""

from __future__ import annotations

import inspect
import re
from collections.abc import Mapping
from typing import Any, get_args

from tonesmith.errors import nearest
from tonesmith.host.roles import (
    Annotator,
    Augmenter,
    Backend,
    Composer,
    Executor,
    Feature,
    Importer,
    Model,
    Options,
    Plugin,
    Sampler,
    Sink,
    Validator,
)
from tonesmith.plan.promises import Determinism, Isolation
from tonesmith.score.controllers import PLAYABLE

ROLES: Mapping[str, type[Plugin[Any]]] = {
    "backend": Backend,
    "sampler": Sampler,
    "validator": Validator,
    "feature": Feature,
    "composer": Composer,
    "model": Model,
    "sink": Sink,
    "executor": Executor,
    "importer": Importer,
    "annotator": Annotator,
    "augmenter": Augmenter,
}

_NAME = re.compile(r"[a-z][a-z0-9_-]*")


def fault_of(role: str, plugin: Any) -> str:
    """Return what is wrong with what a hook handed over as a plugin of a role; "" if nothing is."""
    base = ROLES[role]
    if not (inspect.isclass(plugin) and issubclass(plugin, base)):
        return f"is not a subclass of tonesmith.{base.__name__}"
    name = getattr(plugin, "name", None)
    if not (isinstance(name, str) and _NAME.fullmatch(name)):
        return f"has name = {name!r}, which is not a lower-case word of letters, digits, - and _"
    summary = getattr(plugin, "summary", None)
    if not (isinstance(summary, str) and summary.strip() and "\n" not in summary):
        return "has no one-line summary"
    if inspect.isabstract(plugin):
        return f"does not define {', '.join(sorted(plugin.__abstractmethods__))}"
    return _role_fault(plugin) or _options_fault(getattr(plugin, "Options", None))


def _role_fault(plugin: type[Plugin[Any]]) -> str:
    """Return what is wrong with what only plugins of its role have, or ""."""
    if issubclass(plugin, Backend):
        return promise_fault({name: getattr(plugin, name, None) for name in _PROMISES}) or _playing_fault(plugin)
    if issubclass(plugin, Validator) and not isinstance(getattr(plugin, "measures", None), tuple):
        return "has no tuple of measures"
    if issubclass(plugin, Augmenter) and getattr(plugin, "takes", None) not in {"score", "audio"}:
        return f"has takes = {getattr(plugin, 'takes', None)!r}, which is neither 'score' nor 'audio'"
    return ""


def _playing_fault(plugin: type[Backend[Any]]) -> str:
    """Return what is wrong with what a backend says that it plays, or ""."""
    if plugin.plays not in {"notes", "scores"}:
        return f"has plays = {plugin.plays!r}, which is neither 'notes' nor 'scores'"
    own = plugin.render_score is not Backend.render_score or plugin.score_pieces is not Backend.score_pieces
    if plugin.plays == "scores" and not own:
        return "plays scores, and does not define render_score"
    controls: Any = plugin.controls
    known = isinstance(controls, frozenset) and controls <= PLAYABLE
    return "" if known else "has controls that are no frozenset of kinds of controllers that can be played"


_PROMISES: Mapping[str, tuple[str, ...]] = {
    "isolation": get_args(Isolation),
    "fallback": tuple(word for word in get_args(Isolation) if word != "snapshot"),  # where there is no fork
    "determinism": get_args(Determinism),
    "fallback_determinism": get_args(Determinism),
}


def promise_fault(promises: Mapping[str, object]) -> str:
    """Return which promise is none of the words that it may be, with the nearest; "" if all are."""
    for name, words in _PROMISES.items():
        value = promises[name]
        if value not in words:
            near = nearest(str(value), words)
            hint = f". Did you mean {near!r}?" if near else ""
            return f"has {name} = {value!r}, which is none of {', '.join(map(repr, words))}{hint}"
    return ""


def _options_fault(options: Any) -> str:
    if not (inspect.isclass(options) and issubclass(options, Options)):
        return "has no Options class derived from tonesmith.Options"
    required = [name for name, field in options.model_fields.items() if field.is_required()]
    if required:
        return f"has options without a default: {', '.join(required)}"
    return (
        "has an option called name, which is reserved for the plugin's name" if "name" in options.model_fields else ""
    )
