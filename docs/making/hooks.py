"""The page of the hooks and of what each role must do, from their docstrings and contract tests."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from typing import Any

from making.prose import document, inline, table
from making.signatures import attributes, members, signature
from tonesmith import testing
from tonesmith.host import hookspecs
from tonesmith.host.conformance import ROLES

HEAD = """\
# Hooks and roles

Every hook, and every method and promise of the roles whose classes hooks return. [Writing plugins](../plugins.md) is
the guide, and [the tutorial](../writing-a-plugin.md) writes one of each.
`tonesmith plugins new ROLE NAME` writes a start.

## Hooks
"""


def page() -> str:
    """Return the page."""
    lines = [HEAD]
    for name, hook in vars(hookspecs).items():
        if name.startswith("tonesmith_"):
            lines += [f"### {name}", "", *signature(hook, name), *document(hook.__doc__)]
    for role, kind in ROLES.items():
        lines += [f"## The role {role}", "", f"Base class: `tonesmith.{kind.__name__}`.", "", *document(kind.__doc__)]
        must = ", ".join(f"`{name}`" for name in _abstract(kind))
        lines += [f"A plugin must have {must}. It may override the rest.", ""]
        rows = [(name, inline(text)) for name, text in attributes(kind)]
        lines += [*table(("attribute", "meaning"), rows), *members(kind, 3), *_contract(kind)]
    return "\n".join(lines).rstrip() + "\n"


def _abstract(kind: Any) -> list[str]:
    """Return the methods that a class of a role must have, in the order of its base."""
    defined = [name for base in kind.__mro__ for name in vars(base)]
    return sorted(kind.__abstractmethods__, key=defined.index)


def _contract(kind: Any) -> list[str]:
    contract = getattr(testing, f"{kind.__name__}Contract")
    title = f"### The contract of a {kind.__name__.lower()}"
    note = f"The tests of `tonesmith.testing.{contract.__name__}`, which each plugin of this role must pass:"
    return [title, "", *document(contract.__doc__), note, "", *_promises(contract), ""]


def _promises(contract: Any) -> Iterator[str]:
    """Yield what a contract tests, an item each: the names of its tests are sentences."""
    functions = [(name, member) for name, member in inspect.getmembers(contract) if name.startswith("test_")]
    for name, _ in sorted(functions, key=lambda pair: inspect.getsourcelines(pair[1])[1]):
        yield f"- {name.removeprefix('test_').replace('_', ' ')}"
