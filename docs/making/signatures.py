"""What a class or function looks like from outside: its signature, its members, and their docstrings."""

from __future__ import annotations

import ast
import inspect
import itertools
import re
import textwrap
from collections.abc import Callable, Iterator
from typing import Any

from making.prose import code, document

_LONGEST = 100
"""Letters of a signature on one line."""


def signature(function: Callable[..., Any], name: str, *, bound: bool = False) -> list[str]:
    """Return a signature as the lines of a block of Python.

    Args:
        function: or class.
        name: as it is called.
        bound: whether to leave out the first parameter, ``self`` or ``cls``.
    """
    try:
        read = inspect.signature(function)
    except (TypeError, ValueError):
        return ["```python", name, "```", ""]
    given = list(read.parameters.values())[1 if bound else 0 :]
    parts = list(_parts(given))
    returned = (
        "" if read.return_annotation is read.empty or inspect.isclass(function) else _type(read.return_annotation)
    )
    end = f") -> {returned}" if returned else ")"
    line = f"{name}({', '.join(parts)}{end}"
    lines = [line] if len(line) <= _LONGEST else [f"{name}(", *(f"    {part}," for part in parts), end]
    return ["```python", *lines, "```", ""]


def _parts(parameters: list[inspect.Parameter]) -> Iterator[str]:
    """Yield the parameters as they are written, with the bare star before those that go by name alone."""
    starred = False
    for parameter in parameters:
        if parameter.kind is parameter.KEYWORD_ONLY and not starred:
            starred = True
            yield "*"
        starred = starred or parameter.kind is parameter.VAR_POSITIONAL
        stars = {parameter.VAR_POSITIONAL: "*", parameter.VAR_KEYWORD: "**"}.get(parameter.kind, "")
        typed = "" if parameter.annotation is parameter.empty else f": {_type(parameter.annotation)}"
        equals = " = " if typed else "="
        default = "" if parameter.default is parameter.empty else f"{equals}{_default(parameter.default)}"
        yield f"{stars}{parameter.name}{typed}{default}"


def _type(annotation: Any) -> str:
    text = annotation if isinstance(annotation, str) else inspect.formatannotation(annotation)
    return re.sub(r"\b(?:tonesmith|collections|typing|pathlib|numpy)(?:\.\w+)*\.(?=\w)", "", text)


def _default(value: Any) -> str:
    text = repr(value)
    return "..." if text.startswith("<") or " object at " in text else text


def members(kind: type, level: int) -> list[str]:
    """Return the public methods, properties and documented attributes of a class, those of its bases in tonesmith too.

    Args:
        kind: the class.
        level: of the headings.
    """
    lines: list[str] = []
    for name, member in _public(kind).items():
        function = getattr(member, "__func__", None) or getattr(member, "fget", None) or getattr(member, "func", None)
        title = [f"{'#' * level} {kind.__name__}.{name}", ""]
        if function is None and not inspect.isfunction(member):
            continue
        if isinstance(member, property) or hasattr(member, "attrname"):
            lines += [*title, *document(member.__doc__)]
        else:
            shown = signature(function or member, name, bound=not isinstance(member, staticmethod))
            lines += [*title, *shown, *document((function or member).__doc__)]
    return lines


def _public(kind: type) -> dict[str, Any]:
    """Return the public members of a class by name, those of its bases in tonesmith first."""
    bases = [base for base in reversed(kind.__mro__) if base.__module__.startswith("tonesmith.")]
    found = {name: member for base in bases for name, member in vars(base).items() if not name.startswith("_")}
    return {name: member for name, member in found.items() if not name.startswith("model_")}


def attributes(kind: type) -> list[tuple[str, str]]:
    """Return name and docstring of the class attributes that have one, those of the bases in tonesmith first."""
    found: dict[str, str] = {}
    for base in reversed(kind.__mro__):
        if base.__module__.startswith("tonesmith."):
            found |= _attributes_of(base)
    return [(code(name), text) for name, text in found.items()]


def _attributes_of(kind: type) -> dict[str, str]:
    (tree,) = ast.parse(textwrap.dedent(inspect.getsource(kind))).body
    body = tree.body if isinstance(tree, ast.ClassDef) else []
    found = {}
    for line, after in itertools.pairwise(body):
        named = line.target.id if isinstance(line, ast.AnnAssign) and isinstance(line.target, ast.Name) else ""
        if named and isinstance(after, ast.Expr) and isinstance(after.value, ast.Constant):
            found[named] = inspect.cleandoc(str(after.value.value)).replace("\n\n", " ").replace("\n", " ")
    return found
